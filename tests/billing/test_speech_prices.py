"""What speech costs by the lists: known with a source, or null."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from billing import speech_prices
from billing.speech_prices import PRICES, SpeechPrice, speech_cost_of


@pytest.mark.parametrize(
    ("provider", "model", "quantity", "unit", "cost"),
    [
        ("deepgram", "nova-3", "60", "second", "0.0077"),
        ("deepgram", "nova-3-medical", "30", "second", "0.00385"),
        ("groq", "whisper-large-v3-turbo", "3600", "second", "0.04"),
        ("openai", "tts-1", "1000", "character", "0.015"),
        ("openai", "tts-1-hd", "1000", "character", "0.03"),
        ("deepgram", "nova-3", "0", "second", "0"),
    ],
)
def test_a_listed_price_is_exact(provider, model, quantity, unit, cost):
    assert speech_cost_of(provider=provider, model=model, quantity=Decimal(quantity), unit=unit) == Decimal(cost)


@pytest.mark.parametrize(
    ("provider", "model", "unit"),
    [
        ("cartesia", "sonic-3", "character"),
        ("elevenlabs", "eleven_turbo_v2_5", "character"),
        ("rime", "mistv2", "character"),
        ("switchboard", "built-in", "second"),
        ("Our Deepgram", "nova-3", "second"),
        ("deepgram", "nova-9", "second"),
        ("deepgram", "nova-3", "character"),
        ("openai", "tts-1", "second"),
    ],
)
def test_an_unknown_price_is_none(provider, model, unit):
    assert speech_cost_of(provider=provider, model=model, quantity=Decimal(1), unit=unit) is None


def test_a_count_that_is_none_has_no_price():
    assert speech_cost_of(provider="openai", model="tts-1", quantity=Decimal(10) ** 15, unit="character") is None


def test_the_newest_price_of_the_day_holds(monkeypatch):
    old = SpeechPrice("acme", "a", "second", Decimal(1), "second", dt.date(2025, 1, 1), "")
    new = SpeechPrice("acme", "a", "second", Decimal(2), "second", dt.date(2026, 1, 1), "")
    monkeypatch.setattr(speech_prices, "PRICES", (new, old))

    def cost(day):
        return speech_cost_of(provider="acme", model="a", quantity=Decimal(1), unit="second", on=day)

    assert [cost(dt.date(year, 6, 1)) for year in (2024, 2025, 2026)] == [None, 1, 2]


def test_every_price_has_a_source_and_a_day():
    assert all(price.source and price.since < dt.datetime.now(dt.UTC).date() and price.usd > 0 for price in PRICES)
