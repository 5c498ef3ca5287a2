"""What is sent ahead, what is taken back, and what counts as heard."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit import rtc

from voice_worker.audio_stream.hearing import StreamInput
from voice_worker.audio_stream.outbox import ClientTooSlow, Outbox
from voice_worker.audio_stream.speaking import AHEAD_MS, Captions, StreamOutput

RATE = 16_000
_MS = RATE * 2 / 1000


def spoken(seconds: float) -> rtc.AudioFrame:
    samples = int(RATE * seconds)
    return rtc.AudioFrame(b"\x01\x02" * samples, RATE, 1, samples)


@dataclass
class Client:
    """What a client was sent."""

    speaking: StreamOutput
    outbox: Outbox
    messages: list[Any] = field(default_factory=list)
    finished: list[Any] = field(default_factory=list)

    async def take(self, message: str | bytes) -> None:
        self.messages.append(message if isinstance(message, bytes) else json.loads(message))

    @property
    def audio_ms(self) -> float:
        return sum(len(message) for message in self.messages if isinstance(message, bytes)) / _MS

    @property
    def told(self) -> list[str]:
        said = [message for message in self.messages if isinstance(message, dict)]
        return [message["data"].get("state", message["event"]) for message in said]


@asynccontextmanager
async def listening() -> AsyncIterator[Client]:
    async def take(message: str | bytes) -> None:
        await client.take(message)

    outbox = Outbox(take, form="binary")
    speaking = StreamOutput(outbox, encoding="pcm16", rate=RATE)
    client = Client(speaking, outbox)
    speaking.on("playback_finished", client.finished.append)
    sending = asyncio.create_task(outbox.run())
    yield client
    sending.cancel()
    await speaking.aclose()


async def test_a_short_answer_is_sent_at_once_and_over_when_it_was_heard() -> None:
    async with listening() as client:
        began = time.monotonic()
        await client.speaking.capture_frame(spoken(0.5))
        client.speaking.flush()
        await asyncio.sleep(0.1)
        assert client.audio_ms == 500
        assert client.told == ["started"]
        heard = await client.speaking.wait_for_playout()
        assert (heard.playback_position, heard.interrupted) == (0.5, False)
        assert 0.45 < time.monotonic() - began < 1.5
        await asyncio.sleep(0.05)
        assert client.told == ["started", "ended"]


async def test_of_a_long_answer_only_so_much_is_sent_ahead() -> None:
    async with listening() as client:
        for _ in range(20):
            await client.speaking.capture_frame(spoken(0.5))
        client.speaking.flush()
        await asyncio.sleep(0.5)
        assert AHEAD_MS <= client.audio_ms <= AHEAD_MS + 700


async def test_who_breaks_in_takes_back_what_was_not_played() -> None:
    async with listening() as client:
        await client.speaking.capture_frame(spoken(8))
        await asyncio.sleep(0.3)
        sent = client.audio_ms
        client.speaking.clear_buffer()
        # What is still made of it goes nowhere.
        await client.speaking.capture_frame(spoken(1))
        client.speaking.flush()
        heard = await client.speaking.wait_for_playout()
        assert heard.interrupted
        assert 0.2 < heard.playback_position < 0.7
        await asyncio.sleep(0.1)
        assert client.told == ["started", "clear", "interrupted"]
        assert client.audio_ms == sent
        await client.speaking.capture_frame(spoken(0.1))
        client.speaking.flush()
        assert not (await client.speaking.wait_for_playout()).interrupted
        assert len(client.finished) == 2


async def test_the_client_knows_best_what_was_heard() -> None:
    async with listening() as client:
        await client.speaking.capture_frame(spoken(2))
        client.speaking.flush()
        await asyncio.sleep(0.5)
        client.speaking.played(1, 120)  # its loudspeaker began late
        client.speaking.clear_buffer()
        (heard,) = client.finished
        assert 0.12 <= heard.playback_position < 0.2
        client.speaking.played(1, 900)
        client.speaking.played(7, 900)


async def test_no_client_says_it_heard_more_than_it_was_sent() -> None:
    async with listening() as client:
        await client.speaking.capture_frame(spoken(8))
        await asyncio.sleep(0.2)
        client.speaking.played(1, 10**6)
        client.speaking.clear_buffer()
        assert client.finished[0].playback_position <= (AHEAD_MS + 700) / 1000


async def test_breaking_in_before_anything_was_said_is_nothing() -> None:
    async with listening() as client:
        client.speaking.clear_buffer()
        assert client.finished == []
        assert client.messages == []


async def test_captions_are_told_as_they_are_heard() -> None:
    async with listening() as client:
        captions = Captions(client.outbox)
        await captions.capture_text("Good ")
        await captions.capture_text("")
        captions.flush()
        await asyncio.sleep(0.05)
        assert [message["data"] for message in client.messages] == [{"text": "Good "}, {"text": "", "is_last": True}]


async def test_audio_travels_as_text_where_that_was_asked_for() -> None:
    sent: list[Any] = []

    async def take(message: str | bytes) -> None:
        sent.append(message)

    outbox = Outbox(take, form="base64")
    outbox.play(3, b"\x00\x01")
    await outbox.flush()
    (message,) = map(json.loads, sent)
    assert message == {"event": "audio", "data": {"segment": 3, "audio": base64.b64encode(b"\x00\x01").decode()}}


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    async def never(message: str | bytes) -> None:
        await asyncio.Event().wait()

    outbox = Outbox(never, form="binary", slowest=0.1)
    outbox.say("state", {})
    with pytest.raises(ClientTooSlow):
        await outbox.run()


async def test_a_client_for_which_too_much_waits_is_given_up() -> None:
    async def take(message: str | bytes) -> None:
        await asyncio.sleep(0)

    outbox = Outbox(take, form="binary")
    for _ in range(2_100):
        outbox.play(1, b"")
    with pytest.raises(ClientTooSlow):
        await outbox.run()


async def test_silence_is_heard_after_the_last_word_and_then_nothing() -> None:
    hearing = StreamInput()
    word = spoken(0.1)
    hearing.push(word)
    assert await anext(hearing) is word
    silent = [await anext(hearing) for _ in range(3)]
    assert all(not any(bytes(frame.data)) for frame in silent)
    hearing.close()
    with pytest.raises(StopAsyncIteration):
        for _ in range(50):
            await anext(hearing)


async def test_before_the_first_word_nothing_is_heard() -> None:
    hearing = StreamInput()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(hearing), 0.5)


async def test_of_what_nobody_hears_in_time_the_oldest_is_let_go() -> None:
    hearing = StreamInput()
    for number in range(80):
        hearing.push(rtc.AudioFrame(bytes([number, 0]) * 1600, RATE, 1, 1600))
    assert round(hearing.dropped_seconds, 1) == 3.0
    assert (await anext(hearing)).data[0] == 30
