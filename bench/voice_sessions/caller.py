"""Somebody who calls and asks, with a microphone that holds next to nothing back: when a word is out is known."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

import numpy as np
from livekit import rtc

from tests.voice_worker.speech import silence, spoken
from tests.voice_worker.worker.guest import RATE, Guest

_QUEUE_MS: Final = 100
_LOUD: Final = 300
_OPEN_SECONDS: Final = 1.0


class Caller(Guest):
    """A guest who asks, and takes little of the machine that the agents share with it: the microphone is open for the
    question and a second more, for to encode silence takes half of what an agent does.
    """

    frame = 0.05

    def __init__(self) -> None:
        super().__init__(rtc.Room())
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=_QUEUE_MS)
        self._mouth = asyncio.Lock()
        self._open_until = 0.0

    async def ask(self, text: str) -> float:
        """Speak, and wait for the answer. Seconds from the last word to the first sound."""
        async with self._mouth:
            await self._play(spoken(text, rate=RATE)[0])
            ended = time.monotonic() + self._source.queued_duration
        self._open_until = ended + _OPEN_SECONDS
        known = len(self.heard)
        while True:
            await asyncio.sleep(0.01)
            new = np.frombuffer(bytes(self.heard[known:]), np.int16)
            known += len(new) * 2
            if len(new) and new.max() > _LOUD:
                return time.monotonic() - ended

    async def _breathe(self) -> None:
        while True:
            if time.monotonic() > self._open_until:
                await asyncio.sleep(self.frame)
                continue
            async with self._mouth:
                await self._play(silence(self.frame, rate=RATE))


@contextlib.asynccontextmanager
async def caller_in(url: str, token: str) -> AsyncIterator[Caller]:
    """A caller who is in the room for the length of the block."""
    caller = Caller()
    await caller.join(url, token)
    try:
        yield caller
    finally:
        await caller.leave()
