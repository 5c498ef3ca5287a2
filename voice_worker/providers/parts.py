"""What a session hears, speaks and listens for silence with."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from livekit.agents import llm, stt, tts, vad

# What ears and detectors work with; what realtime models do.
_SPEECH_RATE: Final = 16_000
_REALTIME_RATE: Final = 24_000

Closer = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class SpeechParts:
    """The parts of an AgentSession that come from a release's runtime config.

    Args:
        ears: hears, with its fallbacks; always streaming.
        voice: speaks, with its fallbacks.
        detector: tells speech from silence.
        realtime: hears, answers and speaks by itself, in place of ears and voice.
        downgraded: in words, what was configured and is not used, and why; empty: all of it is.
        closers: what closes them, in order.
    """

    ears: stt.STT[Any]
    voice: tts.TTS[Any]
    detector: vad.VAD
    realtime: llm.RealtimeModel | None = None
    downgraded: str = ""
    closers: list[Closer] = field(default_factory=list)

    @property
    def hears_at(self) -> int:
        """Samples a second it is best given: each part that has to resample them takes a twentieth of a call's time."""
        return _REALTIME_RATE if self.realtime else _SPEECH_RATE

    async def aclose(self) -> None:
        """Close connections and clients. What can't be closed is left: the session is over."""
        closers, self.closers = self.closers, []
        for close in closers:
            with contextlib.suppress(Exception):
                await close()
