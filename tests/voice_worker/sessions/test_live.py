"""A session: what is said is answered by the conversation's agent, and the thread holds what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import Storage
from livekit import rtc
from livekit.agents import stt

from billing.models import UsageEvent
from conversations.models import Conversation, Message
from switchboard.kernel.database import in_database
from tests.voice_worker.sessions.conftest import Callers
from tests.voice_worker.sessions.parts import Detector, Ears, Voice
from tests.voice_worker.sessions.virtual_time import virtual_time
from voice_worker.models import TimelineEntry, VoiceSession
from voice_worker.providers.parts import SpeechParts
from voice_worker.providers.relay import Relay


async def until(holds: Callable[[], Any], *, seconds: float = 40.0) -> Any:
    """Wait for something in the database to hold."""
    for _ in range(int(seconds / 0.05)):
        if found := await in_database(holds):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{holds} doesn't come to hold")


def said(conversation: Conversation) -> list[tuple[str, str]]:
    return list(Message.objects.filter(conversation=conversation).values_list("role", "text"))


async def test_what_is_said_is_answered_aloud_and_stands_in_the_thread(calling: Callers) -> None:
    call = await calling()

    await call.say("!say Breakfast is from seven to ten.")
    await call.speaker.played.wait()

    thread = await until(lambda: len(said(call.conversation)) == 2 and said(call.conversation))
    assert thread == [("contact", "!say Breakfast is from seven to ten."), ("agent", "Breakfast is from seven to ten.")]
    assert " ".join(call.voice.spoken) == "Breakfast is from seven to ten."


async def test_the_thread_holds_only_what_was_heard_before_somebody_broke_in(calling: Callers) -> None:
    call = await calling()
    words = " ".join(f"word{number}" for number in range(100))

    await call.say(f"!say {words}.")
    await call.speaker.played.wait()
    await asyncio.sleep(1.0)
    await call.say("!say Of course.", seconds=1.0)

    await until(lambda: ("agent", "Of course.") in said(call.conversation))
    heard = (await in_database(lambda: said(call.conversation)))[1][1]
    assert heard.startswith("word0 word1")
    assert 3 < len(heard.split()) < 60


async def test_a_welcome_is_spoken_and_is_no_turn(calling: Callers) -> None:
    call = await calling(welcome_message="Welcome to Harbour House.")

    await call.speaker.played.wait()

    assert call.voice.spoken == ["Welcome to Harbour House."]
    assert await in_database(lambda: said(call.conversation)) == []


async def test_sources_are_shown_and_not_read_out(calling: Callers) -> None:
    call = await calling()

    await call.say("!say From seven [1], and on Sunday from eight [2].")

    await until(lambda: len(said(call.conversation)) == 2)
    assert " ".join(call.voice.spoken) == "From seven, and on Sunday from eight."


async def test_a_chat_that_becomes_a_call_goes_on_in_one_thread(calling: Callers) -> None:
    first = await calling()
    await first.say("!say My first answer.")
    await until(lambda: len(said(first.conversation)) == 2 and not first.speaker.is_playing)
    await first.live.aclose()

    second = await calling(conversation=first.conversation)
    await second.say("!say-first")

    await until(lambda: len(said(first.conversation)) == 4)
    ended = await in_database(lambda: list(VoiceSession.objects.order_by("id").values_list("status", flat=True)))
    assert ended == ["ended", "live"]


async def test_a_model_that_fails_is_apologised_for(calling: Callers) -> None:
    call = await calling(model="fault-500")

    await call.say("Hello?")

    await until(lambda: len(call.voice.spoken) == 2)
    assert call.voice.spoken == ["I am sorry, something went wrong on our side.", "Please say that again."]


async def test_the_time_axis_tells_who_spoke_when(calling: Callers) -> None:
    call = await calling()
    await call.say("!say Good evening.")
    await call.speaker.played.wait()
    await until(lambda: len(said(call.conversation)) == 2 and not call.speaker.is_playing)
    await call.live.aclose()

    def entries() -> dict[str, TimelineEntry]:
        return {entry.kind: entry for entry in TimelineEntry.objects.all()}

    found = await in_database(entries)
    assert found["transcript"].data["text"] == "!say Good evening."
    assert found["agent_speech"].data["text"] == "Good evening."
    assert found["user_speech"].at_ms < found["transcript"].at_ms < found["agent_speech"].at_ms
    assert found["agent_speech"].turn_id is not None


async def test_what_was_heard_and_spoken_is_booked_once(calling: Callers) -> None:
    call = await calling()
    await call.say("!say Good evening.")
    await call.speaker.played.wait()
    await until(lambda: len(said(call.conversation)) == 2 and not call.speaker.is_playing)
    await call.live.aclose()

    def booked() -> list[tuple[str, str, int]]:
        rows = UsageEvent.objects.exclude(service="llm").order_by("service")
        return [(row.service, row.unit, int(row.quantity or 0)) for row in rows]

    assert ("tts", "character", len("Good evening.")) in await in_database(booked)


class SilentEars(Ears):
    """Ears that never tell how much they have heard, as some don't that are hung up on."""

    given = 0.0

    def stream(self, **how: Any) -> stt.RecognizeStream:  # type: ignore[override]
        stream = super().stream(**how)
        push = stream.push_frame

        def count(frame: rtc.AudioFrame) -> None:
            self.given += frame.duration
            push(frame)

        stream.push_frame = count  # type: ignore[method-assign]
        return stream


async def test_the_last_seconds_before_hanging_up_are_booked(calling: Callers) -> None:
    ears = SilentEars()
    call = await calling(parts=SpeechParts(Relay([ears], Detector()), Voice(), Detector()))
    ears.words.append("!say Good evening.")
    await call.microphone.say(0.4)
    await until(lambda: len(said(call.conversation)) == 2)
    await call.live.aclose()

    def booked() -> Decimal:
        rows = UsageEvent.objects.filter(service="stt", unit="second")
        return sum((row.quantity for row in rows if row.quantity), Decimal(0))

    assert float(await in_database(booked)) == pytest.approx(ears.given, abs=0.001)
    assert ears.given > 0.4


class LostBucket(Storage):
    """A storage elsewhere, with errors of its own."""

    def _save(self, name: str, content: object) -> str:
        raise RuntimeError("NoSuchBucket")


async def test_what_can_t_be_stored_takes_nothing_else_with_it(calling: Callers, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.LostBucket"}}
    call = await calling(recorded=True)
    await call.say("!say Good evening.")
    await call.speaker.played.wait()
    await until(lambda: len(said(call.conversation)) == 2 and not call.speaker.is_playing)

    await call.live.aclose(reason="hung up")

    session = await in_database(VoiceSession.objects.get)
    assert (session.status, session.end_reason, session.recording) == ("ended", "hung up", "")
    assert await in_database(lambda: TimelineEntry.objects.filter(kind="agent_speech").exists())
    assert await in_database(lambda: UsageEvent.objects.filter(service="tts").exists())


async def test_who_never_lets_go_keeps_no_session_open(calling: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cling() -> None:
        await asyncio.Event().wait()

    call = await calling(parts=SpeechParts(Ears(), Voice(), Detector(), closers=[cling]))
    with virtual_time(monkeypatch):
        await call.live.aclose(reason="hung up")

    session = await in_database(VoiceSession.objects.get)
    assert (session.status, session.end_reason) == ("ended", "hung up")


async def test_an_entry_that_can_t_be_kept_is_no_reason_to_keep_none_after_it(calling: Callers) -> None:
    call = await calling()
    axis = call.live.axis
    axis.note("a kind that the table has no room for")
    await asyncio.sleep(1.5)  # it writes once a second

    axis.note("state", state="joined")

    await until(lambda: TimelineEntry.objects.filter(kind="state").exists())


async def test_a_call_that_has_to_end_ends_with_a_goodbye(calling: Callers) -> None:
    call = await calling()

    await call.live.say_goodbye()

    assert "".join(call.voice.spoken).endswith("Goodbye.")
    assert not call.speaker.is_playing  # it was heard to its end
