"""Feature flags over REST: what all resources owe, and what is special about flags."""

import pytest

from tenants.context import use_public, use_tenant
from tenants.flags.domain.flags import create_flag
from tenants.flags.models import Flag
from tenants.permissions import Permission
from tests.factories import FlagFactory
from tests.isolation import assert_hidden, assert_problem
from tests.resource_contract import ResourceContract

FLAGS = "/api/v1/flags"
GOLD = {"conditions": [{"attribute": "tier", "operator": "is", "value": "gold"}], "then": "on"}


class TestFlags(ResourceContract):
    address = FLAGS
    factory = FlagFactory
    reads, writes = Permission.FLAGS_READ, Permission.FLAGS_WRITE
    body = {"key": "checkout.new_flow", "description": "One page instead of three", "rules": [GOLD], "default": False}
    change = {"description": "Back to three pages", "rules": [{**GOLD, "percentage": 10.0}], "default": True}


@pytest.fixture
def flag(in_harbour):
    return FlagFactory(key="checkout.new_flow", rules=[GOLD])


def test_a_rule_that_cant_be_is_named_where_it_stands(caller, flag):
    rules = [GOLD, {"conditions": [{"attribute": "tier", "operator": "like", "value": "gold"}]}]
    for answer in (
        caller.post(FLAGS, {"key": "another", "rules": rules}),
        caller.patch(f"{FLAGS}/{flag.pk}", {"rules": rules}),
    ):
        assert_problem(answer, 422, "flag_invalid", field="rules.1.conditions.0.operator")
    assert Flag.objects.get().rules == [GOLD]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "Not A Key"),
        ("key", "x" * 101),
        ("key", None),
        ("description", "x" * 501),
        ("description", "a\x00b"),
        ("enabled", "perhaps"),
        ("default", {}),
        ("message", "x" * 301),
    ],
)
def test_a_field_that_cant_be_is_named(caller, in_harbour, field, value):
    assert_problem(caller.post(FLAGS, {"key": "new_ui", field: value}), 422, "invalid", field=field)


def test_a_key_is_taken_once(caller, flag):
    assert_problem(caller.post(FLAGS, {"key": flag.key}), 409, "flag_exists")


def test_a_key_doesnt_change(caller, flag):
    assert caller.patch(f"{FLAGS}/{flag.pk}", {"key": "other"}).json()["key"] == flag.key


def test_a_flag_is_found_by_its_key(caller, flag):
    FlagFactory()
    assert [row["id"] for row in caller.get(f"{FLAGS}?key={flag.key}").json()["results"]] == [str(flag.pk)]
    assert caller.get(f"{FLAGS}?key=nothing").json()["results"] == []
    assert_problem(caller.get(f"{FLAGS}?deleted=perhaps"), 422, "invalid", field="deleted")


def test_flags_that_were_killed_are_listed_apart(caller, flag):
    killed = FlagFactory(enabled=False)

    def keys(query):
        return {row["key"] for row in caller.get(f"{FLAGS}?{query}").json()["results"]}

    assert (keys("enabled=false"), keys("enabled=true"), keys("")) == ({killed.key}, {flag.key}, {killed.key, flag.key})


def test_a_deleted_flag_is_listed_apart_and_restored(caller, flag):
    address = f"{FLAGS}/{flag.pk}"
    before = caller.get(address).json()
    assert caller.delete(address).status_code == 204
    assert_problem(caller.delete(address), 404, "not_found")
    assert_problem(caller.patch(address, {"default": True}), 404, "not_found")
    deleted = caller.get(f"{FLAGS}?deleted=true").json()["results"]
    assert [row["id"] for row in deleted] == [str(flag.pk)]
    assert deleted[0]["deleted_at"]
    restored = caller.post(f"{address}/restore").json()
    changing = {"revision", "updated_at"}
    assert {name: restored[name] for name in restored.keys() - changing} == {
        name: before[name] for name in before.keys() - changing
    }
    assert caller.get(f"{FLAGS}?deleted=true").json()["results"] == []


def test_a_flag_isnt_deleted_by_somebody_who_saw_another_state(caller, flag):
    address = f"{FLAGS}/{flag.pk}"
    seen = {"If-Match": caller.get(address)["ETag"]}
    caller.patch(address, {"enabled": False})
    assert_problem(caller.delete(address, headers=seen), 412, "stale")


def test_another_companys_flag_isnt_restored(api, harbour, agency):
    with use_tenant(agency):
        flag = FlagFactory()
    assert_hidden(api(harbour), "post", lambda pk: f"{FLAGS}/{pk}/restore", flag.pk, {})


# --- evaluate ---------------------------------------------------------------------------------------------------------


def evaluated(caller, key="checkout.new_flow", **fields):
    answer = caller.post(f"{FLAGS}/{key}/evaluate", fields)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_flag_is_evaluated_with_a_reason(caller, flag):
    assert evaluated(caller) == {"enabled": False, "reason": "default", "rule_index": None}
    assert evaluated(caller, tier="gold") == {"enabled": True, "reason": "rule", "rule_index": 0}
    assert evaluated(caller, "nothing") == {"enabled": False, "reason": "unknown_flag", "rule_index": None}
    caller.patch(f"{FLAGS}/{flag.pk}", {"enabled": False})
    from tenants.flags import current

    current.forget()
    assert evaluated(caller, tier="gold") == {"enabled": False, "reason": "kill_switch", "rule_index": None}


def test_everything_a_rule_may_look_at_can_be_told(caller, in_harbour):
    attributes = {
        "tenant.country": "DE", "contact": "c-1", "contact.email": "jo@example.com", "agent": "concierge",
        "channel": "widget",
    }  # fmt: skip
    conditions = [{"attribute": name, "operator": "is", "value": value} for name, value in attributes.items()]
    FlagFactory(key="all", rules=[{"conditions": conditions, "from": "2030-01-01T00:00:00Z", "percentage": 100}])
    told = {
        "metadata": {"country": "DE"},
        "contact": "c-1",
        "contact_attributes": {"email": "jo@example.com"},
        "agent": "concierge",
        "channel": "widget",
        "at": "2030-01-01T00:00:00Z",
    }
    assert evaluated(caller, "all", **told) == {"enabled": True, "reason": "percentage", "rule_index": 0}
    for name in told:
        less = {other: value for other, value in told.items() if other != name}
        assert not evaluated(caller, "all", **less)["enabled"], name


def test_the_companys_own_tier_is_looked_at_where_none_is_told(caller, harbour, in_harbour):
    FlagFactory(key="standard", rules=[{"conditions": [{**GOLD["conditions"][0], "value": harbour.service_tier}]}])
    assert evaluated(caller, "standard")["enabled"]


def test_the_operators_flags_are_evaluated_too_and_another_companys_arent(caller, in_harbour, agency):
    with use_public():
        create_flag(key="for_all", default=True)
    with use_tenant(agency):
        create_flag(key="theirs", default=True)
    assert evaluated(caller, "for_all") == {"enabled": True, "reason": "platform_default", "rule_index": None}
    assert evaluated(caller, "theirs")["reason"] == "unknown_flag"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact", {}),
        ("contact", "x" * 201),
        ("contact_attributes", "x"),
        ("metadata", []),
        ("at", "soon"),
        ("at", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_attributes_that_cant_be_are_named(caller, flag, field, value):
    assert_problem(caller.post(f"{FLAGS}/{flag.key}/evaluate", {field: value}), 422, "invalid", field=field)


@pytest.mark.parametrize("key", ["Not%20a%20key", "a..b", "%00"])
def test_a_key_that_cant_be_is_nowhere(caller, in_harbour, key):
    assert caller.post(f"{FLAGS}/{key}/evaluate", {}).status_code == 404
