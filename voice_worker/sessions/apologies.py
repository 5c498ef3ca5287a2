"""Ears that fail are apologised for: whoever speaks to them would wait for an answer that can't come."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final

from livekit.agents import AgentSession, ErrorEvent, UserInputTranscribedEvent

from voice_worker.providers.relay import NobodyHears

# Between two apologies.
_APART_SECONDS: Final = 15.0
# For ears that were connected to anew, to understand what was said to them before.
_SECOND_CHANCE_SECONDS: Final = 2.5


class Apologies:
    """Has a session apologise, unless it hears again at once.

    Args:
        apologise: says so.
    """

    def __init__(self, apologise: Callable[[], object]) -> None:
        self._apologise = apologise
        self._last_at = -math.inf
        self._next: asyncio.TimerHandle | None = None

    def listen(self, session: AgentSession[Any]) -> None:
        """Begin to listen for failures."""
        session.on("error", self._failed)
        session.on("user_input_transcribed", self._heard)

    async def aclose(self) -> None:
        """Apologise for nothing any more."""
        self._stop()

    def _failed(self, event: ErrorEvent) -> None:
        is_deaf = isinstance(getattr(event.error, "error", None), NobodyHears)
        if is_deaf and self._next is None and time.monotonic() - self._last_at > _APART_SECONDS:
            self._next = asyncio.get_running_loop().call_later(_SECOND_CHANCE_SECONDS, self._say)

    def _say(self) -> None:
        self._next, self._last_at = None, time.monotonic()
        self._apologise()

    def _heard(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self._stop()

    def _stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
