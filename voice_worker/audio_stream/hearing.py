"""The client's microphone, as a session hears it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from livekit import rtc
from livekit.agents.voice import io

from voice_worker.audio_stream.coding import HEARD_RATE

_MOST_SECONDS: Final = 5.0  # that wait to be heard
# A client that sends nothing while nobody speaks is heard as silence for so long, or the end of what was said would
# never be noticed.
_GAP_SECONDS: Final = 0.2
_SILENT_SECONDS: Final = 4.0


class StreamInput(io.AudioInput):
    """What was pushed, then silence for a while, then nothing until more is pushed."""

    def __init__(self) -> None:
        super().__init__(label="audio websocket")
        self._frames: deque[rtc.AudioFrame] = deque()
        self._seconds = 0.0
        self._filled = asyncio.Event()
        self._closed = False
        self._silence_left = 0.0
        self.dropped_seconds = 0.0

    def push(self, frame: rtc.AudioFrame) -> None:
        """Sound from the client. Of more than `_MOST_SECONDS` that nobody has heard yet, the oldest is dropped."""
        self._frames.append(frame)
        self._seconds += frame.duration
        while self._seconds > _MOST_SECONDS:
            lost = self._frames.popleft()
            self._seconds -= lost.duration
            self.dropped_seconds += lost.duration
        self._filled.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._filled.set()

    async def __anext__(self) -> rtc.AudioFrame:
        while not self._frames:
            if self._closed:
                raise StopAsyncIteration
            self._filled.clear()
            try:
                async with asyncio.timeout(_GAP_SECONDS if self._silence_left > 0 else None):
                    await self._filled.wait()
            except TimeoutError:
                self._silence_left -= _GAP_SECONDS
                samples = int(HEARD_RATE * _GAP_SECONDS)
                return rtc.AudioFrame(bytes(samples * 2), HEARD_RATE, 1, samples)
        self._silence_left = _SILENT_SECONDS
        frame = self._frames.popleft()
        self._seconds -= frame.duration
        return frame
