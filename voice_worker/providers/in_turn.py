"""Several that transcribe what somebody said as a whole, asked in turn, as one.

livekit-agents' own adapter takes each of them for a stream: what was said while the first one failed is lost with it,
and is counted once for every wrapping.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from livekit.agents import NOT_GIVEN, APIConnectionError, APIConnectOptions, NotGivenOr, stt, utils

logger = logging.getLogger(__name__)

# How long one that failed is passed over, as long as another can be had.
_REST_SECONDS: Final = 30.0


class InTurn(stt.STT[Any]):
    """Gives the same sound to each until one has heard it.

    Args:
        parts: in the order they are asked.
    """

    def __init__(self, parts: Sequence[stt.STT[Any]]) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._parts = list(parts)
        self._rests_until = [0.0] * len(parts)
        self._active = self._parts[0]
        # Each part tells what it used itself.
        self._recognize_metrics_needed = False
        for part in self._parts:
            part.on("metrics_collected", self._pass_on)

    @property
    def model(self) -> str:
        return self._active.model

    @property
    def provider(self) -> str:
        return self._active.provider

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        once = dataclasses.replace(conn_options, max_retry=0)
        for index in self._order():
            part = self._parts[index]
            try:
                event = await part.recognize(buffer, language=language, conn_options=once)
            except Exception as error:
                logger.warning("%s %s did not hear: %s", part.provider, part.model, type(error).__name__)
                self._rests_until[index] = time.monotonic() + _REST_SECONDS
                continue
            self._rests_until[index] = 0.0
            self._active = part
            return event
        raise APIConnectionError("nobody in the chain has heard", retryable=False)

    def _order(self) -> list[int]:
        """Those that may be well, then those that failed lately, each in the order they were given."""
        now = time.monotonic()
        return sorted(range(len(self._parts)), key=lambda index: self._rests_until[index] > now)

    def _pass_on(self, *args: Any, **named: Any) -> None:
        self.emit("metrics_collected", *args, **named)

    async def aclose(self) -> None:
        for part in self._parts:
            part.off("metrics_collected", self._pass_on)
