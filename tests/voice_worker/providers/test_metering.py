"""What a session heard and spoke is in the ledger: all of it, once, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.speech_servers.server import SpeechServer
from tests.voice_worker.providers.listening import hear, hear_said, parts_of, speak

CONVERSATION, RELEASE = uuid.uuid4(), uuid.uuid4()


@pytest.fixture
async def booked(harbour: Any, live_tenants: Any) -> AsyncIterator[Any]:
    """The ledger of the tenant in force, read off the event loop, in the order that the meter counts its rows."""
    from billing.models import UsageEvent
    from tenants.context import use_tenant

    with use_tenant(harbour):
        yield sync_to_async(
            lambda: sorted(UsageEvent.objects.all(), key=lambda row: int(row.idempotency_key.rpartition(":")[2]))
        )


def meter(**how: Any) -> Any:
    from voice_worker.providers.metering import SpeechMeter

    return SpeechMeter(uuid.uuid4(), CONVERSATION, RELEASE, **how)


def used(*, heard: float = 0, spoken: int = 0, realtime: tuple[int, int] | None = None, **more: Any) -> Any:
    """What a session says it has used so far."""
    from livekit.agents.metrics import AgentSessionUsage, EOTModelUsage, LLMModelUsage, STTModelUsage, TTSModelUsage

    models: list[Any] = [EOTModelUsage(provider="livekit", model="turn-detector", total_requests=9)]
    if heard:
        models.append(STTModelUsage(provider="deepgram", model="nova-3", audio_duration=heard, **more))
    if spoken:
        models.append(TTSModelUsage(provider="openai", model="tts-1", characters_count=spoken))
    if realtime:
        sent, got = realtime
        models.append(
            LLMModelUsage(
                provider="openai",
                model="gpt-realtime",
                input_tokens=sent,
                input_audio_tokens=sent,
                output_tokens=got,
                output_audio_tokens=got,
            )
        )
    return AgentSessionUsage(model_usage=models)


async def test_each_service_has_its_row_with_its_price(booked: Any) -> None:
    counter = meter()
    counter.update(used(heard=90.0, spoken=2000, realtime=(1000, 500)))
    assert await counter.aclose()

    rows = {row.service: row for row in await booked()}
    assert set(rows) == {"stt", "tts", "llm"}
    heard, spoken, talked = rows["stt"], rows["tts"], rows["llm"]
    assert (heard.quantity, heard.unit, heard.cost_usd) == (Decimal(90), "second", Decimal("0.01155"))  # 1.5 x 0.0077
    assert (spoken.quantity, spoken.unit, spoken.cost_usd) == (Decimal(2000), "character", Decimal("0.03"))
    assert (talked.quantity, talked.unit, talked.purpose) == (None, "", "realtime")
    assert (talked.input_tokens, talked.output_tokens, talked.is_estimated) == (1000, 500, False)
    assert talked.cost_usd == Decimal("0.064")  # sound at 32 and 64 dollars a million
    assert {(row.conversation_id, row.release_id) for row in rows.values()} == {(CONVERSATION, RELEASE)}


async def test_only_what_came_after_is_booked(booked: Any) -> None:
    counter = meter()
    for heard, spoken in [(10.1, 0), (10.1, 120), (25.3, 120), (25.3, 120)]:
        counter.update(used(heard=heard, spoken=spoken))
        assert await counter.flush()

    rows = [(row.service, row.quantity) for row in await booked()]
    assert rows == [("stt", Decimal("10.1")), ("tts", Decimal(120)), ("stt", Decimal("15.2"))]


async def test_a_session_that_begins_to_count_anew_is_booked_all_the_same(booked: Any) -> None:
    counter = meter()
    for heard in (30.0, 4.0, 9.0):
        counter.update(used(heard=heard))
        await counter.flush()

    assert [row.quantity for row in await booked()] == [30, 4, 5]


async def test_it_books_by_itself_while_the_call_goes_on(booked: Any) -> None:
    counter = meter(interval=0.05)
    counter.update(used(heard=1.0))
    counter.update(used(heard=2.0))  # within one interval: one row
    await asyncio.sleep(0.4)
    counter.update(used(heard=5.5))
    await asyncio.sleep(0.4)

    # The worker is killed here: nothing is closed, and nothing is lost.
    assert [row.quantity for row in await booked()] == [Decimal(2), Decimal("3.5")]


async def test_another_worker_goes_on_with_the_session(booked: Any) -> None:
    from voice_worker.providers.metering import SpeechMeter

    session = uuid.uuid4()
    for _ in range(2):
        counter = SpeechMeter(session, CONVERSATION, RELEASE)
        counter.update(used(heard=7.0))
        await counter.aclose()

    assert [row.quantity for row in await booked()] == [7, 7]


async def test_what_the_database_can_not_take_is_delivered_once_it_is_back(booked: Any) -> None:
    from django.db import connection

    def away(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    counter = meter()
    counter.update(used(heard=5.0))
    await sync_to_async(away)("ALTER TABLE billing_usageevent RENAME TO billing_away")
    try:
        assert not await counter.flush()
        counter.update(used(heard=8.0))
        assert not await counter.flush()
        assert not await counter.aclose(patience=0.1)
    finally:
        await sync_to_async(away)("ALTER TABLE billing_away RENAME TO billing_usageevent")

    assert await counter.aclose()
    assert await counter.aclose()
    assert [row.quantity for row in await booked()] == [5, 3]


async def test_rows_of_which_nobody_knows_whether_they_were_written_are_there_once(booked: Any) -> None:
    from billing.domain.usage import record_usages

    counter = meter()
    counter.update(used(heard=5.0, spoken=10))
    await counter._set_down()
    # The connection broke after the commit: the rows are there, and the meter doesn't know.
    await sync_to_async(record_usages)(usages=dict(counter._waiting))

    assert await counter.aclose()
    assert len(await booked()) == 2


@given(st.lists(st.floats(min_value=0.0001, max_value=900, allow_nan=False), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_rows_add_up_to_what_was_used(steps: list[float]) -> None:
    from voice_worker.providers.metering import _counted, _Counts

    name, total, known, booked = ("stt", "deepgram", "nova-3"), 0.0, _Counts(), Decimal(0)
    for step in steps:
        total += step
        now = _counted(used(heard=total).model_usage)[name]
        booked += now.since(known).quantity
        known = now

    assert booked == Decimal(repr(total)).quantize(Decimal("0.000001"))


# --- who did it -------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("tenant")
async def test_what_was_used_is_told_of_who_did_it_and_once(providers: SpeechServer, http: Any) -> None:
    from livekit.agents.metrics import ModelUsageCollector

    providers.behave(groq="500", cartesia="500")
    config = {
        "stt": {"endpoint": "groq"},
        "stt_fallbacks": [{"endpoint": "openai", "model": "whisper-1"}],
        "tts": {"endpoint": "cartesia"},
        "tts_fallbacks": [{"endpoint": ""}],
    }
    parts = await parts_of(config, http)
    collector = ModelUsageCollector()
    parts.ears.on("metrics_collected", collector)
    parts.voice.on("metrics_collected", collector)

    assert await hear_said(parts.ears, "The kitchen closes at ten.")
    await speak(parts.voice, "The kitchen closes at ten.")
    await asyncio.sleep(0.2)
    await parts.aclose()

    told = {used.type: used for used in collector.flatten() if used.model_dump().get("audio_duration")}
    # The servers are on loopback, so they are known by their endpoints' names: they aren't OpenAI.
    assert (told["stt_usage"].provider, told["stt_usage"].model) == ("openai_compatible: openai", "whisper-1")
    sent = providers.asked_of("openai")[0].audio / 48000  # bytes a second: 24 kHz, as the ears are given it
    assert len(providers.asked_of("openai")) == 1
    assert told["stt_usage"].audio_duration == pytest.approx(sent, abs=0.05)
    assert (told["tts_usage"].provider, told["tts_usage"].characters_count) == ("switchboard", 26)


@pytest.mark.usefixtures("tenant")
async def test_a_providers_own_address_is_known_by_its_name(http: Any, know: Any) -> None:
    from agents.providers import PROVIDERS

    know("Our Deepgram", "deepgram", PROVIDERS["deepgram"].base_url, "sk-x")
    know("Our Whisper", "openai_compatible", "https://whisper.example.com/v1", "sk-x")
    ours = await parts_of({"stt": {"endpoint": "Our Deepgram"}}, http)
    theirs = await parts_of({"stt": {"endpoint": "Our Whisper", "model": "m"}}, http)

    assert (ours.ears.provider, theirs.ears.provider) == ("deepgram", "Our Whisper")


@pytest.mark.usefixtures("tenant")
async def test_what_deepgram_heard_is_told_in_seconds(http: Any) -> None:
    from livekit.agents.metrics import ModelUsageCollector

    parts = await parts_of({"stt": {"endpoint": "deepgram"}}, http)
    collector = ModelUsageCollector()
    parts.ears.on("metrics_collected", collector)
    await hear(parts.ears)
    await asyncio.sleep(0.1)

    (told,) = collector.flatten()
    assert told.provider == "openai_compatible: deepgram"
    assert told.audio_duration > 0.4  # type: ignore[union-attr]
