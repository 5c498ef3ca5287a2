"""What a listener may ask for, and the rates of sound. Light, for the server imports it, and not only its children."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

RATE = 16_000  # at which it hears
SPOKEN_RATE = 24_000  # at which it speaks
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000  # of what it may be given
LEAST_ENDPOINTING_MS = 300


@dataclass(frozen=True, kw_only=True)
class ListenOrder:
    """What a client asks for.

    Attributes:
        endpointing_ms: silence that ends a segment; less than 300 is taken as 300, for words have pauses. None: only
            `Finalize` ends one, and its growing too long.
        utterance_end_ms: silence after the last word that is told by `UtteranceEnd`.
        keyterms: where there are any, nothing but their words is heard.
    """

    sample_rate: int = RATE
    interim_results: bool = False
    vad_events: bool = False
    endpointing_ms: int | None = LEAST_ENDPOINTING_MS
    utterance_end_ms: int | None = None
    keyterms: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the way to the child process; `ListenOrder(**order)` reads it."""
        return asdict(self)
