"""An hour's call, in virtual time: it ends in time, is paid for once, and is no heavier at its end than early on."""

from __future__ import annotations

import asyncio
import gc
import time
from decimal import Decimal

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions

from billing.models import UsageEvent
from switchboard.kernel.database import in_database
from tests.model_server.answers import text_of
from tests.model_server.process import ModelServer
from tests.voice_worker.sessions.conftest import Call, Callers
from tests.voice_worker.sessions.parts import RATE, Detector, Ears, Microphone, Voice, _Hearing
from tests.voice_worker.sessions.test_live import said
from tests.voice_worker.sessions.virtual_time import virtual_time
from voice_worker.models import TimelineEntry
from voice_worker.providers.parts import SpeechParts
from voice_worker.sessions.live import LiveSession
from voice_worker.sessions.wording import GOODBYE

HOUR = 3600.0
TURNS = 12
PAUSE = 240.0  # seconds from one question to the next
_SILENT_SECONDS = 1.0
_COUNTED_SECONDS = 10.0


class PatientMicrophone(Microphone):
    """Somebody who is silent most of the time, in large pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0  # of sound, so far

    async def __anext__(self) -> rtc.AudioFrame:
        if self._to_say or self._spoke_at > time.monotonic() - 3:
            taken = await super().__anext__()
            self.seconds += taken.duration
            return taken
        await asyncio.sleep(_SILENT_SECONDS)
        samples = int(RATE * _SILENT_SECONDS)
        self.seconds += _SILENT_SECONDS
        return rtc.AudioFrame(np.zeros(samples, np.int16).tobytes(), RATE, 1, samples)

    async def say(self, seconds: float) -> None:
        self._spoke_at = time.monotonic()
        await super().say(seconds)

    _spoke_at = -100.0


class CountingEars(Ears):
    """Ears that tell every ten seconds how much they have heard, as a provider's do."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0.0

    def stream(
        self, *, language: object = None, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        return _Counting(stt=self, conn_options=conn_options)


class _Counting(_Hearing):
    def push_frame(self, frame: rtc.AudioFrame) -> None:
        self._heard = getattr(self, "_heard", 0.0) + frame.duration
        if self._heard >= _COUNTED_SECONDS:
            used = stt.RecognitionUsage(audio_duration=self._heard)
            kind = stt.SpeechEventType.RECOGNITION_USAGE
            self._event_ch.send_nowait(stt.SpeechEvent(type=kind, recognition_usage=used))
            assert isinstance(self._stt, CountingEars)
            self._stt.told += self._heard
            self._heard = 0.0
        super().push_frame(frame)


def weight(live: LiveSession) -> dict[str, int]:
    """What a session holds."""
    gc.collect()
    return {
        "events": len(live.session._recorded_events),
        "history": len(live.session.history.items),
        "chat": len(live.agent.chat_ctx.items),
        "waiting": len(live.axis._waiting),
        "words": len(live.axis._words),
        "calls": len(live.axis._calls),
        "tasks": len(asyncio.all_tasks()),
    }


async def until_spoken(call: Call) -> None:
    for _ in range(1000):
        if not call.speaker.is_playing:
            return
        await asyncio.sleep(0.1)


async def test_an_hour_on_the_phone(
    calling: Callers, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone, ears = PatientMicrophone(), CountingEars()
    parts = SpeechParts(ears, Voice(), Detector())
    memory = {"window_tokens": 500, "summarise": False}
    began_at = time.monotonic()

    with virtual_time(monkeypatch) as virtual:
        began = time.monotonic()
        call = await calling(
            parts=parts, microphone=microphone, longest=HOUR, memory=memory, turn_taking={"user_away_timeout": 60}
        )
        weights, objects = [], []
        for number in range(TURNS):
            virtual.is_careful = True
            ears.words.append(f"!say Answer {number} " + "and so it goes on " * 6)
            await microphone.say(0.4)
            until = time.monotonic() + 30
            while time.monotonic() < until:
                await asyncio.sleep(0.1)
                if len(await in_database(lambda: said(call.conversation))) >= 2 * number + 2:
                    break
            await until_spoken(call)
            virtual.is_careful = False
            await asyncio.sleep(PAUSE)
            weights.append(weight(call.live))
            objects.append(len(gc.get_objects()))
        await asyncio.wait_for(call.live.ended.wait(), HOUR)
        lasted = time.monotonic() - began
        virtual.is_careful = True
        await call.live.aclose()

    assert time.monotonic() - began_at < 300, "or it would be no virtual time"
    assert HOUR <= lasted < HOUR + 30
    assert call.live.end_reason == "too_long"
    assert GOODBYE["en"].split(",")[0] in call.captions.text

    # Of what it holds nothing grows with the time, nor with what was said.
    assert weights[-1]["history"] <= 22
    assert weights[-1]["chat"] <= 22
    assert abs(weights[-1]["tasks"] - weights[TURNS // 2]["tasks"]) <= 2
    assert weights[-1]["waiting"] <= 2
    assert weights[-1]["words"] == weights[-1]["calls"] == weights[-1]["events"] == 0
    assert objects[-1] < objects[TURNS // 2] * 1.02

    # The model is shown the window, not the hour.
    shown = [text_of(one["content"]) for one in model_server.requests()["requests"][-1]["messages"]]
    assert sum(len(text.split()) for text in shown) < 1500
    assert not any("Answer 0 " in text for text in shown)

    thread = await in_database(lambda: said(call.conversation))
    assert [role for role, _ in thread] == ["contact", "agent"] * TURNS

    def booked() -> Decimal:
        rows = UsageEvent.objects.filter(conversation_id=call.conversation.pk, service="stt", unit="second")
        return sum((row.quantity for row in rows if row.quantity), Decimal(0))

    seconds = float(await in_database(booked))
    # What the ears tell in the very moment of hanging up may not be heard any more.
    lost = ears.told - seconds
    assert -0.001 < lost < _COUNTED_SECONDS + _SILENT_SECONDS, "no second of it twice, and none left out before the end"
    assert HOUR - 30 < seconds <= microphone.seconds < HOUR + 30

    def states() -> list[str]:
        rows = TimelineEntry.objects.filter(session=call.live.id, kind="state").order_by("at_ms")
        return [row.data["state"] for row in rows]

    told = await in_database(states)
    assert told.count("user_away") == TURNS
    assert told[-1] == "too_long"

    def last() -> int:
        return max(TimelineEntry.objects.filter(session=call.live.id).values_list("at_ms", flat=True))

    assert await in_database(last) >= HOUR * 1000
