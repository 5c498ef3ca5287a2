"""The ledger over REST."""

import uuid
from decimal import Decimal

import pytest

from billing.domain.usage import Usage, record_usage
from tenants.context import use_tenant
from tests.factories import UsageFactory
from tests.isolation import assert_not_listed, assert_problem

USAGE = "/api/v1/usage"


def test_the_ledger_is_shown_and_narrowed_down(caller, in_harbour):
    turn = uuid.uuid4()
    UsageFactory(service="embedding", model="MiniLM")
    wanted = UsageFactory(turn_id=turn, cost_usd="0.00012345", input_tokens=7)
    shown = caller.get(f"{USAGE}?service=llm&turn={turn}&since=2020-01-01T00:00:00Z").json()["results"]
    assert [(row["id"], row["cost_usd"], row["input_tokens"]) for row in shown] == [(str(wanted.id), "0.00012345", 7)]
    assert caller.get(f"{USAGE}?until=2020-01-01T00:00:00Z").json()["results"] == []
    assert len(caller.get(f"{USAGE}?model=MiniLM").json()["results"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "x"),
        ("turn", "1"),
        ("since", "yesterday"),
        ("model", "%00"),
        ("until", "9999999-01-01"),
        ("model", ""),
    ],
)
def test_a_filter_that_cannot_be_is_named(caller, field, value):
    assert_problem(caller.get(f"{USAGE}?{field}={value}"), 422, "invalid", field=field)


def test_what_is_not_counted_in_tokens_has_a_quantity(caller, staff, in_harbour):
    record_usage(
        usage=Usage("stt", "deepgram", "nova-3", 0, 0, quantity=Decimal("90.25"), unit="second"), idempotency_key="a"
    )
    record_usage(usage=Usage("llm", "openai", "gpt-4.1", 9, 9), idempotency_key="b")

    talked, heard = caller.get(USAGE).json()["results"]
    assert (heard["quantity"], heard["unit"]) == ("90.250000", "second")
    assert (talked["quantity"], talked["unit"]) == (None, "")
    assert "90.25 seconds" in staff.get("/admin/billing/usageevent/").content.decode()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_ledger_is_read_only(caller, method):
    assert_problem(getattr(caller, method)(USAGE, {}), 405, "method_not_allowed")


def test_another_companys_use_is_not_there(api, harbour, agency):
    with use_tenant(agency):
        row = UsageFactory(conversation_id=uuid.uuid4())
    assert_not_listed(api(harbour), USAGE, row.id)
    assert_not_listed(api(harbour), f"{USAGE}?conversation={row.conversation_id}", row.id)


def test_more_rows_cost_no_more_queries(caller, in_harbour, django_assert_num_queries):
    UsageFactory()
    caller.get(USAGE)
    for expected in (1, 4):
        with django_assert_num_queries(1):
            assert len(caller.get(USAGE).json()["results"]) == expected
        UsageFactory.create_batch(3)
