"""The ledger: one way in, nothing out, and prices that are known or null."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from billing.domain.usage import Usage, record_usage, record_usages
from billing.models import UsageEvent
from billing.prices import cost_of
from tests.factories import UsageFactory

ROUTE = Usage("llm", "openai", "gpt-4.1-mini", 900, 12, cached_tokens=512, purpose="route")
ANSWER = Usage("llm", "openai", "gpt-4.1", 2000, 150, cost_usd=Decimal("0.0052"), purpose="answer")


def test_several_uses_are_booked_in_one_statement(in_harbour, django_assert_num_queries):
    turn = uuid.uuid4()
    with django_assert_num_queries(1):
        record_usages(usages={"t:1": ROUTE, "t:2": ANSWER}, turn_id=turn)

    booked = {row.purpose: row for row in UsageEvent.objects.filter(turn_id=turn)}
    assert (booked["route"].cached_tokens, booked["route"].cost_usd) == (512, None)
    assert booked["answer"].cost_usd == Decimal("0.0052")


def test_the_same_key_is_booked_once(in_harbour):
    record_usages(usages={"t:1": ROUTE})
    record_usages(usages={"t:1": ANSWER, "t:2": ANSWER})
    record_usage(usage=ROUTE, idempotency_key="t:2")
    record_usages(usages={})

    assert sorted(row.purpose for row in UsageEvent.objects.all()) == ["answer", "route"]


@pytest.mark.parametrize("service", ["llm", "stt", "tts", "vision", "embedding", "knowledge"])
def test_every_meter_has_its_service(in_harbour, service):
    record_usage(usage=Usage(service, "p", "m", 1, 0), idempotency_key="k")

    row = UsageEvent.objects.get()
    row.full_clean(validate_unique=False)
    assert row.service == service


@pytest.mark.parametrize(
    "statement", ["UPDATE billing_usageevent SET input_tokens = 0", "DELETE FROM billing_usageevent"]
)
def test_what_is_booked_stays(in_harbour, statement):
    UsageFactory(input_tokens=7)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert UsageEvent.objects.get().input_tokens == 7


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4.1-mini"),
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-flash"),
        ("groq", "llama-3.3-70b-versatile"),
    ],
)
def test_known_models_have_a_price(provider, model):
    price = cost_of(provider=provider, model=model, input_tokens=1000, output_tokens=100)

    assert price is not None
    assert Decimal(0) < price < Decimal("0.1")


def test_what_was_cached_costs_less():
    dear = cost_of(provider="openai", model="gpt-4.1-mini", input_tokens=1000, output_tokens=0)
    cheap = cost_of(provider="openai", model="gpt-4.1-mini", input_tokens=1000, output_tokens=0, cached_tokens=800)

    assert dear is not None
    assert cheap is not None
    assert cheap < dear


@pytest.mark.parametrize(
    ("provider", "model", "base_url"),
    [
        ("openai", "no-such-model", ""),
        ("Our own", "gpt-4.1-mini", "http://127.0.0.1:11434/v1"),
        ("Our own", "gpt-4.1-mini", ""),
        ("switchboard", "local", ""),
    ],
)
def test_an_unknown_price_is_none(provider, model, base_url):
    assert cost_of(provider=provider, model=model, input_tokens=9, output_tokens=9, base_url=base_url) is None


def test_a_count_that_is_none_costs_nothing_known():
    assert cost_of(provider="openai", model="gpt-4.1-mini", input_tokens=2**31 - 1, output_tokens=2**31 - 1) is not None
