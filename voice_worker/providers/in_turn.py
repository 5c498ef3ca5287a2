"""Several that transcribe what somebody said as a whole, asked in turn, as one.

livekit-agents' own adapter takes each of them for a stream: what was said while the first one failed is lost with it,
and is counted once for every wrapping.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import Any

from livekit.agents import NOT_GIVEN, APIConnectionError, APIConnectOptions, NotGivenOr, stt, utils

from voice_worker.providers.resting import Resting

logger = logging.getLogger(__name__)


class InTurn(stt.STT[Any]):
    """Gives the same sound to each until one has heard it.

    Args:
        parts: in the order they are asked.
    """

    def __init__(self, parts: Sequence[stt.STT[Any]]) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._parts = list(parts)
        self._resting = Resting(len(parts))
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
        for index in self._resting.order():
            part = self._parts[index]
            try:
                event = await part.recognize(buffer, language=language, conn_options=once)
            except Exception as error:
                logger.warning("%s %s did not hear: %s", part.provider, part.model, type(error).__name__)
                self._resting.fail(index)
                continue
            self._active = part
            return event
        raise APIConnectionError("nobody in the chain has heard", retryable=False)

    def _pass_on(self, *args: Any, **named: Any) -> None:
        self.emit("metrics_collected", *args, **named)

    async def aclose(self) -> None:
        for part in self._parts:
            part.off("metrics_collected", self._pass_on)
