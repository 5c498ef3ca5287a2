"""Sound as it comes from bad lines: nothing is made of what is no speech, and nothing breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest

from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.voice_worker.providers.listening import parts_of
from tests.voice_worker.sessions.conftest import Call, Callers
from tests.voice_worker.sessions.parts import RATE, Tape, Voice
from tests.voice_worker.sessions.test_live import said, until
from tests.voice_worker.speech import spoken
from voice_worker.models import TimelineEntry
from voice_worker.providers.parts import SpeechParts

BREAKFAST, SPA = "what time is breakfast", "when does the spa open"
Line = tuple[Call, Tape]


@pytest.fixture
async def line(calling: Callers, harbour: Tenant, settings: Any, speech_url: str) -> AsyncIterator[Any]:
    """`call, tape = await line()`: a call whose ears and detector are those that come with the platform."""
    from voice_worker.providers.egress import open_http

    settings.SPEECH_URL = speech_url
    built: list[SpeechParts] = []

    async def begin(http: aiohttp.ClientSession) -> Line:
        with use_tenant(harbour):
            built.append(await parts_of({"stt": {"options": {"keyterm": [BREAKFAST, SPA]}}}, http))
        tape = Tape()
        parts = SpeechParts(built[-1].ears, Voice(), built[-1].detector)
        return await calling(model="echo", parts=parts, microphone=tape), tape

    async with open_http() as session:
        yield lambda: begin(session)
        for parts in built:
            await parts.aclose()


def pcm(samples: Any) -> bytes:
    return np.clip(samples, -32768, 32767).astype(np.int16).tobytes()


def samples_of(text: str, rate: int = RATE) -> Any:
    return np.frombuffer(spoken(text, rate=rate)[0], np.int16).astype(float)


def questions(call: Call) -> list[str]:
    return [text for role, text in said(call.conversation) if role == "contact"]


async def test_nothing_is_made_of_what_is_no_speech(line: Any) -> None:
    noise = np.random.default_rng(1)
    moments = np.arange(2 * RATE) / RATE
    sounds = {
        "silence": np.zeros(2 * RATE),
        "noise": noise.normal(0, 3000, 2 * RATE),
        "loud noise": noise.normal(0, 20_000, 2 * RATE),
        "hum": 12_000 * np.sin(2 * np.pi * 50 * moments),
        "tone": 12_000 * np.sign(np.sin(2 * np.pi * 1000 * moments)),
        "clicks": np.where(np.arange(2 * RATE) % 4000 < 20, 30_000, 0),
        "stuck": np.full(2 * RATE, 32_767),
    }
    lines = [await line() for _ in range(3)]

    async def play(number: int) -> None:
        for sound in list(sounds.values())[number::3]:
            await lines[number][1].play(pcm(sound))

    await asyncio.gather(*(play(number) for number in range(3)))
    await asyncio.sleep(2.0)

    for call, _ in lines:
        assert await in_database(lambda call=call: said(call.conversation)) == []
        assert call.voice.spoken == []
        assert not call.live.ended.is_set()


async def test_speech_that_is_clipped_or_comes_by_telephone_is_understood(line: Any) -> None:
    (clipped, loud), (telephone, narrow) = await line(), await line()

    await asyncio.gather(
        loud.play(pcm(samples_of(BREAKFAST) * 12)), narrow.play(pcm(np.repeat(samples_of(SPA, 8000), 2)))
    )

    # A breath may make two questions of one.
    await until(lambda: any("breakfast" in text.lower() for text in questions(clipped)))
    await until(lambda: any("open" in text.lower() for text in questions(telephone)))


async def test_a_microphone_may_stop_in_mid_word_and_be_muted_again_and_again(line: Any) -> None:
    call, tape = await line()
    sound = pcm(samples_of(BREAKFAST))

    playing = asyncio.create_task(tape.play(sound))
    await asyncio.sleep(0.6)
    tape.stop()
    await playing
    await asyncio.sleep(1.5)
    for _ in range(10):
        tape.go_on()
        await asyncio.sleep(0.05)
        tape.stop()
    tape.go_on()
    await asyncio.sleep(1.5)
    before = await in_database(lambda: questions(call))
    assert not any("spa" in text.lower() for text in before), "nothing was invented"

    await tape.play(pcm(samples_of(SPA)))
    await until(lambda: any("spa" in text.lower() for text in questions(call)))
    assert not call.live.ended.is_set()

    def errors() -> list[Any]:
        return list(TimelineEntry.objects.filter(session=call.live.id, kind="error").values_list("data", flat=True))

    assert await in_database(errors) == []
