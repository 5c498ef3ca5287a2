"""Whether a flag is on, and why: values in, an answer out."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.flags.evaluation import (
    BUCKETS,
    NO_FLAGS,
    CompiledFlag,
    Context,
    Evaluation,
    Reason,
    TenantFacts,
    bucket_of,
    evaluate,
)
from tenants.flags.rules import Operator, parse_rules

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
KEY = "checkout.new_flow"


def flag(*rules, key=KEY, enabled=True, default=False):
    return CompiledFlag(key=key, enabled=enabled, rules=parse_rules(list(rules)), default=default)


def asked(one, context=None, *, facts=None, now=NOON):
    return evaluate(
        KEY,
        context or Context(),
        own={KEY: one},
        platform=NO_FLAGS,
        facts=facts or TenantFacts(),
        now=now.timestamp(),
    )


def when(attribute, operator, value=None, **more):
    return {"conditions": [{"attribute": attribute, "operator": operator, "value": value}], **more}


# --- conditions -------------------------------------------------------------------------------------------------------

GOLD = TenantFacts("Gold", {"country": "DE", "rooms": 40, "beta": True, "tags": ["Spa", "pool"], "empty": ""})
JO = Context(
    contact="c-1",
    contact_attributes={"email": "Jo@harbour.example", "visits": "12", "score": 4.0, "ratio": 0.5},
    agent="concierge",
    channel="widget",
)


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "holds"),
    [
        ("tier", "is", "gold", True),
        ("tier", "is", "silver", False),
        ("tier", "is_not", "silver", True),
        ("tier", "is_not", "GOLD", False),
        ("tier", "in", ["silver", "gold"], True),
        ("tier", "in", ["silver"], False),
        ("tier", "not_in", ["silver"], True),
        ("tier", "not_in", ["silver", "gold"], False),
        ("tenant.country", "is", "de", True),
        ("tenant.rooms", "is", "40", True),
        ("tenant.rooms", "is", 40.0, True),
        ("tenant.rooms", "at_least", 40, True),
        ("tenant.rooms", "at_least", 40.5, False),
        ("tenant.rooms", "at_most", 40, True),
        ("tenant.rooms", "at_most", "39", False),
        ("tenant.beta", "is", True, True),
        ("tenant.beta", "is", "true", True),
        ("tenant.beta", "at_least", 0, False),
        ("tenant.country", "at_least", 0, False),
        ("tenant.tags", "contains", "spa", True),
        ("tenant.tags", "contains", "sp", False),
        ("tenant.tags", "is", "spa", False),
        ("tenant.nothing", "is", "x", False),
        ("tenant.nothing", "is_not", "x", True),
        ("tenant.nothing", "not_in", ["x"], True),
        ("tenant.nothing", "contains", "x", False),
        ("tenant.nothing", "starts_with", "x", False),
        ("tenant.nothing", "at_most", 5, False),
        ("tenant.nothing", "exists", None, False),
        ("tenant.nothing", "exists", False, True),
        ("tenant.empty", "exists", True, False),
        ("tenant.rooms", "exists", True, True),
        ("tenant.rooms", "exists", False, False),
        ("contact", "is", "c-1", True),
        ("contact", "in", ["c-0", "c-1"], True),
        ("contact.email", "contains", "@HARBOUR.", True),
        ("contact.email", "starts_with", "jo@", True),
        ("contact.email", "starts_with", "o@", False),
        ("contact.visits", "at_least", 12, True),
        ("contact.visits", "at_most", 11, False),
        ("contact.score", "is", "4", True),
        ("contact.ratio", "is", 0.5, True),
        ("agent", "is", "concierge", True),
        ("agent", "is", "porter", False),
        ("channel", "in", ["widget", "api"], True),
        ("channel", "is_not", "widget", False),
    ],
)
def test_a_condition_holds_or_not(attribute, operator, value, holds):
    answer = asked(flag(when(attribute, operator, value)), JO, facts=GOLD)
    assert answer == (Evaluation(True, Reason.RULE, 0) if holds else Evaluation(False, Reason.DEFAULT))


def test_every_operator_is_asked_above():
    marks = test_a_condition_holds_or_not.pytestmark[0].args[1]
    assert {case[1] for case in marks} == set(Operator)


def test_all_conditions_of_a_rule_must_hold():
    both = {"conditions": [*when("tier", "is", "gold")["conditions"], *when("channel", "is", "call")["conditions"]]}
    assert asked(flag(both), JO, facts=GOLD).reason == Reason.DEFAULT
    assert asked(flag(both), Context(channel="call"), facts=GOLD).enabled
    assert asked(flag(both), Context(channel="call")).reason == Reason.DEFAULT


def test_the_first_rule_that_matches_decides_on_or_off():
    rules = [when("tier", "is", "gold", then="off"), {"then": "on"}]
    assert asked(flag(*rules), facts=GOLD) == Evaluation(False, Reason.RULE, 0)
    assert asked(flag(*rules)) == Evaluation(True, Reason.RULE, 1)
    assert asked(flag(*reversed(rules)), facts=GOLD) == Evaluation(True, Reason.RULE, 0)


def test_where_no_rule_matches_the_default_holds():
    assert asked(flag(default=True)) == Evaluation(True, Reason.DEFAULT)
    assert asked(flag(when("tier", "is", "gold"), default=True)) == Evaluation(True, Reason.DEFAULT)


# --- time -------------------------------------------------------------------------------------------------------------

SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "inside"),
    [
        (NOON - SECOND / 1000, False),
        (NOON, True),
        (NOON + SECOND, True),
        (NOON + 10 * SECOND - SECOND / 1000, True),
        (NOON + 10 * SECOND, False),
    ],
)
def test_a_window_holds_its_beginning_and_not_its_end(now, inside):
    window = {"from": NOON.isoformat(), "until": (NOON + 10 * SECOND).isoformat()}
    assert asked(flag(window), now=now).enabled is inside


def test_a_window_may_be_open_at_either_side_and_in_any_zone():
    since = flag({"from": "2026-03-01T13:00:00+01:00"})
    assert [asked(since, now=now).enabled for now in (NOON - SECOND, NOON)] == [False, True]
    up_to = flag({"until": "2026-03-01T12:00:00Z"})
    assert [asked(up_to, now=now).enabled for now in (NOON - SECOND, NOON)] == [True, False]


# --- percentages ------------------------------------------------------------------------------------------------------


def share(percentage, contact, *, key=KEY, **context):
    one = CompiledFlag(key=key, enabled=True, rules=parse_rules([{"percentage": percentage}]), default=False)
    return one.evaluate(Context(contact=contact, **context), TenantFacts(), NOON.timestamp())


@given(st.text(min_size=1), st.integers(0, BUCKETS), st.integers(0, BUCKETS))
def test_whom_a_share_holds_a_larger_one_holds_too(contact, one, other):
    smaller, larger = sorted((one, other))
    if share(smaller / 100, contact).enabled:
        assert share(larger / 100, contact).enabled


@given(st.text(min_size=1), st.integers(0, BUCKETS))
def test_the_same_contact_is_always_on_the_same_side(contact, hundredths):
    first = share(hundredths / 100, contact, channel="widget", unit="one")
    assert share(hundredths / 100, contact, channel="call", unit="other") == first


@given(st.text(min_size=1))
def test_all_are_in_the_whole_and_nobody_in_nothing(contact):
    assert share(100, contact) == Evaluation(True, Reason.PERCENTAGE, 0)
    assert share(0, contact) == Evaluation(False, Reason.DEFAULT)


def test_without_a_contact_the_unit_decides_and_without_both_only_the_whole_holds():
    sides = {share(50, "", unit=f"conversation {number}").enabled for number in range(40)}
    assert sides == {True, False}
    assert share(50, "", unit="x").enabled == share(50, "x").enabled
    assert not share(99.99, "").enabled
    assert share(100, "").enabled


def test_a_share_is_as_large_as_it_says():
    people = [f"contact {number}" for number in range(20_000)]
    for percentage in (0.5, 10, 50):
        got = sum(share(percentage, person).enabled for person in people)
        expected = len(people) * percentage / 100
        assert abs(got - expected) < 5 * math.sqrt(expected)


def test_two_flags_choose_independently():
    people = [f"contact {number}" for number in range(8_000)]
    both = sum(share(50, person, key="a").enabled and share(50, person, key="b").enabled for person in people)
    assert abs(both - 2_000) < 5 * math.sqrt(2_000)


def test_buckets_stay_where_they_are():
    # A release that drew them anew would move everybody to the other side.
    assert bucket_of(b"checkout.new_flow\x00", "contact-1") == 979


# --- kill switches and the operators' flags ---------------------------------------------------------------------------

_scalars = st.one_of(st.booleans(), st.integers(-100, 100), st.text(min_size=1, max_size=5).filter(str.strip))
_conditions = st.builds(
    lambda attribute, operator, value, values: {
        "attribute": attribute,
        "operator": operator,
        "value": {"in": values, "not_in": values, "at_least": 1, "at_most": 1, "exists": True}.get(operator, value),
    },
    st.sampled_from(["tier", "tenant.a", "contact", "contact.a", "agent", "channel"]),
    st.sampled_from([operator.value for operator in Operator]),
    _scalars.filter(lambda value: "\x00" not in str(value)),
    st.lists(_scalars.filter(lambda value: "\x00" not in str(value)), min_size=1, max_size=3),
)
_rules = st.lists(
    st.fixed_dictionaries(
        {"conditions": st.lists(_conditions, max_size=3), "then": st.sampled_from(["on", "off"])},
        optional={"percentage": st.integers(0, 100)},
    ),
    max_size=4,
)
_contexts = st.builds(
    Context,
    contact=st.text(max_size=5),
    contact_attributes=st.dictionaries(st.just("a"), st.one_of(_scalars, st.none(), st.lists(_scalars))),
    agent=st.text(max_size=5),
    channel=st.text(max_size=5),
    unit=st.text(max_size=5),
)
_facts = st.builds(TenantFacts, st.text(max_size=5), st.dictionaries(st.just("a"), _scalars))


@given(_rules, st.booleans(), _contexts, _facts)
def test_a_flag_that_is_killed_is_off_whatever_its_rules(rules, default, context, facts):
    killed = flag(*rules, enabled=False, default=default)
    assert asked(killed, context, facts=facts) == Evaluation(False, Reason.KILL_SWITCH)


@given(_rules, st.booleans(), _contexts, _facts)
def test_what_the_operators_kill_is_off_whatever_the_tenant_says(rules, default, context, facts):
    answer = evaluate(
        KEY,
        context,
        own={KEY: flag(*rules, default=default)},
        platform={KEY: flag({"then": "on"}, enabled=False, default=True)},
        facts=facts,
        now=0.0,
    )
    assert answer == Evaluation(False, Reason.PLATFORM_KILL_SWITCH)


@given(_rules, st.booleans(), _contexts, _facts)
def test_the_same_question_has_the_same_answer(rules, default, context, facts):
    first = asked(flag(*rules, default=default), context, facts=facts)
    assert asked(flag(*rules, default=default), context, facts=facts) == first
    assert first.enabled is (default if first.rule_index is None else rules[first.rule_index]["then"] == "on")


@given(_conditions, _contexts, _facts)
def test_a_negated_condition_is_the_opposite(condition, context, facts):
    opposites = {"is": "is_not", "is_not": "is", "in": "not_in", "not_in": "in"}
    if condition["operator"] not in opposites:
        return
    other = {**condition, "operator": opposites[condition["operator"]]}
    one, two = (asked(flag({"conditions": [each]}), context, facts=facts).enabled for each in (condition, other))
    assert one is not two


def asked_of_both(own, platform, facts=None):
    return evaluate(KEY, Context(contact="c"), own=own, platform=platform, facts=facts or TenantFacts(), now=0.0)


def test_a_tenants_own_flag_comes_before_the_operators():
    shared = {KEY: flag({"then": "on"})}
    assert asked_of_both({KEY: flag()}, shared) == Evaluation(False, Reason.DEFAULT)
    assert asked_of_both({KEY: flag(enabled=False)}, shared) == Evaluation(False, Reason.KILL_SWITCH)


def test_where_the_tenant_has_none_the_operators_look_at_its_tier_and_metadata():
    shared = {KEY: flag(when("tier", "is", "gold"), when("tenant.beta", "is", True, percentage=100))}
    assert asked_of_both({}, shared, GOLD) == Evaluation(True, Reason.PLATFORM_RULE, 0)
    assert asked_of_both({}, shared, TenantFacts("", {"beta": True})) == Evaluation(True, Reason.PLATFORM_PERCENTAGE, 1)
    assert asked_of_both({}, shared) == Evaluation(False, Reason.PLATFORM_DEFAULT)


def test_a_flag_nobody_has_is_off():
    assert asked_of_both({}, {}) == Evaluation(False, Reason.UNKNOWN_FLAG)


def test_a_flag_whose_rules_cant_be_read_is_off():
    unreadable = CompiledFlag(key=KEY, enabled=True, rules=None, default=True)
    assert asked_of_both({KEY: unreadable}, {}) == Evaluation(False, Reason.UNREADABLE)
    assert asked_of_both({}, {KEY: unreadable}) == Evaluation(False, Reason.PLATFORM_UNREADABLE)
