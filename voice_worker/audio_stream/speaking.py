"""The client's loudspeaker, as a session speaks through it: sent a little ahead of what is played, and taken back when
somebody breaks in.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from livekit import rtc
from livekit.agents.voice import io

from voice_worker.audio_stream.coding import encoder_of
from voice_worker.audio_stream.outbox import Outbox
from voice_worker.audio_stream.protocol import Encoding

AHEAD_MS: Final = 2_000
_PATIENCE_MS: Final = 10_000  # with a client that says it plays more slowly than there is to hear


class _Segment:
    """A stretch of speech: from the first sound until the agent is silent or broken in on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.chunks: deque[tuple[bytes, float]] = deque()
        self.is_flushed = False
        self.sent_ms = 0.0
        self.began = 0.0  # by the monotonic clock; 0: nothing was sent yet
        self._told_ms = 0.0
        self._told_at = 0.0

    def tell(self, ms: float) -> None:
        """The client says how much of it was played."""
        self._told_ms = max(self._told_ms, min(ms, self.sent_ms))
        self._told_at = time.monotonic()

    def played_ms(self) -> float:
        """How much of it was played, by what the client said last and the time since; by the clock alone where it
        said nothing.
        """
        if not self.began:
            return 0.0
        since, already = (self._told_at, self._told_ms) if self._told_at else (self.began, 0.0)
        passed = already + (time.monotonic() - since) * 1000
        overdue = (time.monotonic() - self.began) * 1000 - _PATIENCE_MS
        return min(max(passed, overdue), self.sent_ms)


class StreamOutput(io.AudioOutput):
    """Sends speech to the client, and keeps account of what was heard of it.

    Args:
        outbox: what it is sent by.
        encoding, rate: how sound travels.
    """

    def __init__(self, outbox: Outbox, *, encoding: Encoding, rate: int) -> None:
        super().__init__(
            label="audio websocket", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=None
        )
        self._outbox = outbox
        self._encoding, self._rate = encoding, rate
        self._encoder = encoder_of(encoding, rate)
        self._segments: deque[_Segment] = deque()
        self._open: _Segment | None = None
        self._number = 0
        self._is_cleared = False
        self._wake = asyncio.Event()
        self._pump = asyncio.create_task(self._send_in_time(), name="audio websocket's speech")

    async def aclose(self) -> None:
        """Say nothing more."""
        self._pump.cancel()

    def played(self, segment: int, ms: int) -> None:
        """The client says how much of a stretch was played."""
        for one in self._segments:
            if one.number == segment:
                one.tell(ms)
                self._wake.set()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._is_cleared:
            return
        if self._open is None:
            self._number += 1
            self._open = _Segment(self._number)
            self._segments.append(self._open)
        self._open.chunks.extend(self._encoder.encode(frame))
        self._wake.set()

    def flush(self) -> None:
        super().flush()
        self._is_cleared = False
        if self._open is not None:
            self._open.chunks.extend(self._encoder.flush())
            self._open.is_flushed = True
            self._open = None
            self._wake.set()

    def clear_buffer(self) -> None:
        if not self._segments:
            return
        # What is still captured of it comes to nothing, until the next stretch begins.
        self._is_cleared = self._open is not None
        self._open = None
        self._encoder = encoder_of(self._encoding, self._rate)
        self._outbox.drop_audio()
        while self._segments:
            segment = self._segments.popleft()
            played = segment.played_ms()
            self._outbox.say("clear", {"segment": segment.number})
            if segment.began:
                data = {"state": "interrupted", "segment": segment.number, "ms": round(played)}
                self._outbox.say("agent_speech", data)
            self.on_playback_finished(playback_position=played / 1000, interrupted=True)
        self._wake.set()

    async def _send_in_time(self) -> None:
        while True:
            pause = self._send_what_is_due()
            self._wake.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _send_what_is_due(self) -> float | None:
        """Send until enough is ahead of the listener. Returns when to look again, in seconds; None: when woken."""
        while self._segments:
            segment = self._segments[0]
            if segment.chunks:
                ahead = segment.sent_ms - segment.played_ms()
                if ahead >= AHEAD_MS:
                    return max((ahead - AHEAD_MS) / 1000, 0.04)
                self._send(segment)
            elif not segment.is_flushed:
                return None
            elif (left := segment.sent_ms - segment.played_ms()) > 0:
                return max(left / 1000, 0.01)
            else:
                self._segments.popleft()
                data = {"state": "ended", "segment": segment.number, "ms": round(segment.sent_ms)}
                self._outbox.say("agent_speech", data)
                self.on_playback_finished(playback_position=segment.sent_ms / 1000, interrupted=False)
        return None

    def _send(self, segment: _Segment) -> None:
        data, ms = segment.chunks.popleft()
        if not segment.began:
            segment.began = time.monotonic()
            self._outbox.say("agent_speech", {"state": "started", "segment": segment.number})
            self.on_playback_started(created_at=time.time())
        self._outbox.play(segment.number, data)
        segment.sent_ms += ms


class Captions(io.TextOutput):
    """The agent's words, as they are heard."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(label="audio websocket", next_in_chain=None)
        self._outbox = outbox

    async def capture_text(self, text: str) -> None:
        if text:
            self._outbox.say("caption", {"text": str(text)})

    def flush(self) -> None:
        self._outbox.say("caption", {"text": "", "is_last": True})
