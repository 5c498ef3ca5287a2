"""Rules as they come in: what can be is kept in one form, what can't is named where it stands."""

import pytest

from switchboard.kernel.problems import Problem
from tenants.flags.rules import as_json, parse_rules

IS_GOLD = {"attribute": "tier", "operator": "is", "value": "gold"}


def test_rules_are_kept_in_one_form():
    rules = [
        {"description": " For gold ", "conditions": [IS_GOLD], "percentage": 12.5},
        {"from": "2026-03-01T13:00:00+01:00", "then": "off", "description": ""},
        {"conditions": [{"attribute": "tenant.rooms", "operator": "at_least", "value": "40"}]},
        {"conditions": [{"attribute": "contact.email", "operator": "exists"}]},
    ]
    kept = [
        {"description": "For gold", "conditions": [IS_GOLD], "percentage": 12.5, "then": "on"},
        {"conditions": [], "from": "2026-03-01T12:00:00Z", "then": "off"},
        {"conditions": [{"attribute": "tenant.rooms", "operator": "at_least", "value": 40.0}], "then": "on"},
        {"conditions": [{"attribute": "contact.email", "operator": "exists", "value": True}], "then": "on"},
    ]
    assert as_json(parse_rules(rules)) == kept
    assert as_json(parse_rules(kept)) == kept


def condition(**fields):
    return [{"conditions": [{**IS_GOLD, **fields}]}]


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ("gold", "rules"),
        ({"then": "on"}, "rules"),
        (None, "rules"),
        ([None], "rules.0"),
        ([{}] * 51, "rules"),
        ([{"than": "on"}], "rules.0.than"),
        ([{"then": "maybe"}], "rules.0.then"),
        ([{"then": True}], "rules.0.then"),
        ([{"description": "x" * 201}], "rules.0.description"),
        ([{"description": "a\x00b"}], "rules.0.description"),
        ([{"description": "\ud800"}], "rules.0.description"),
        ([{"conditions": "tier"}], "rules.0.conditions"),
        ([{"conditions": [IS_GOLD] * 21}], "rules.0.conditions"),
        ([{"percentage": -1}], "rules.0.percentage"),
        ([{"percentage": 100.01}], "rules.0.percentage"),
        ([{"percentage": 0.001}], "rules.0.percentage"),
        ([{"percentage": float("nan")}], "rules.0.percentage"),
        ([{"percentage": "most"}], "rules.0.percentage"),
        ([{"from": "2026-03-01T12:00:00"}], "rules.0.from"),
        ([{"from": "soon"}], "rules.0.from"),
        ([{"from": "0001-01-01T00:00:00+14:00"}], "rules.0.from"),
        ([{"until": "2026-13-01T12:00:00Z"}], "rules.0.until"),
        ([{"from": "2026-03-01T12:00:00Z", "until": "2026-03-01T12:00:00Z"}], "rules.0.until"),
        ([{}, *condition(operator="like")], "rules.1.conditions.0.operator"),
        (condition(attribute="tiers"), "rules.0.conditions.0.attribute"),
        (condition(attribute="tenant."), "rules.0.conditions.0.attribute"),
        (condition(attribute="agent.name"), "rules.0.conditions.0.attribute"),
        (condition(attribute="contact.a b"), "rules.0.conditions.0.attribute"),
        (condition(value=None), "rules.0.conditions.0.value"),
        ([{"conditions": [{"attribute": "tier", "operator": "is"}]}], "rules.0.conditions.0.value"),
        (condition(value=" "), "rules.0.conditions.0.value"),
        (condition(value=["gold"]), "rules.0.conditions.0.value"),
        (condition(value={"a": 1}), "rules.0.conditions.0.value"),
        (condition(value="x" * 501), "rules.0.conditions.0.value"),
        (condition(value="\ud800"), "rules.0.conditions.0.value"),
        (condition(value="a\x00b"), "rules.0.conditions.0.value"),
        (condition(value=10**400), "rules.0.conditions.0.value"),
        (condition(operator="in", value="gold"), "rules.0.conditions.0.value"),
        (condition(operator="in", value=[]), "rules.0.conditions.0.value"),
        (condition(operator="not_in", value=[None]), "rules.0.conditions.0.value"),
        (condition(operator="in", value=["x"] * 501), "rules.0.conditions.0.value"),
        (condition(operator="at_least", value="many"), "rules.0.conditions.0.value"),
        (condition(operator="at_most", value="nan"), "rules.0.conditions.0.value"),
        (condition(operator="at_most", value=True), "rules.0.conditions.0.value"),
        (condition(operator="exists", value="yes"), "rules.0.conditions.0.value"),
    ],
)
def test_what_cant_be_is_named_where_it_stands(rules, field):
    with pytest.raises(Problem) as refused:
        parse_rules(rules)
    assert (refused.value.status, refused.value.code) == (422, "flag_invalid")
    assert [error["field"] for error in refused.value.errors] == [field]
    assert refused.value.errors[0]["message"]
    assert "Value error" not in refused.value.errors[0]["message"]
