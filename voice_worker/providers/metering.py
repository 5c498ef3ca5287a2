"""What a session heard and spoke, booked to the ledger while it goes on.

An AgentSession tells what it has used so far, again and again. Twice a minute the difference to what was booked before
becomes rows of the ledger, so a worker that is killed takes half a minute's use with it at most. A row keeps its key
until the database has it: whether it was written when a connection broke nobody knows, and the ledger takes a key once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.db import Error as DatabaseFault

from agents.engine.gateway.metering import prices_loaded
from billing import prices
from billing.domain.usage import Usage, record_usages
from billing.speech_prices import speech_cost_of
from switchboard.kernel.database import in_database

if TYPE_CHECKING:
    from livekit.agents import stt
    from livekit.agents.metrics import AgentSessionUsage, ModelUsage, STTMetrics

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 1.0
_MOST_AT_ONCE: Final = 200  # rows of one statement
_MICRO: Final = Decimal("0.000001")
REALTIME: Final = "realtime"

Name = tuple[str, str, str]  # service, provider, model


@dataclass(frozen=True, slots=True)
class _Counts:
    """All that is counted of one model, from the beginning of a session."""

    quantity: Decimal = Decimal(0)
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    input_audio: int = 0
    output_audio: int = 0

    def since(self, before: _Counts) -> _Counts:
        """What came after. Counts that fell were begun anew, so all of them came after."""
        pairs = list(zip(self._all(), before._all(), strict=True))
        if any(now < then for now, then in pairs):
            return self
        quantity, *tokens = (now - then for now, then in pairs)
        return _Counts(Decimal(quantity), *(int(number) for number in tokens))

    def __bool__(self) -> bool:
        return any(self._all())

    def _all(self) -> tuple[Decimal | int, ...]:
        return (
            self.quantity,
            self.input_tokens,
            self.cached_tokens,
            self.output_tokens,
            self.input_audio,
            self.output_audio,
        )


class SpeechMeter:
    """Books what one session uses. Make it and use it in its tenant's scope, on one event loop.

    Args:
        interval: seconds between two bookings.
    """

    def __init__(
        self,
        session_id: uuid.UUID,
        conversation_id: uuid.UUID | None,
        release_id: uuid.UUID | None,
        *,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        self._conversation_id = conversation_id
        self._release_id = release_id
        self._interval = interval
        # Another worker that goes on with the session counts from nothing again, under keys of its own.
        self._key = f"voice:{session_id}:{secrets.token_hex(4)}"
        self._heard: dict[Name, _Counts] = {}
        self._has_ears = False
        self._booked: dict[Name, _Counts] = {}
        self._waiting: dict[str, Usage] = {}
        self._rows = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()

    def update(self, usage: AgentSessionUsage) -> None:
        """Take note of all that the session has used so far: the `usage` of a `session_usage_updated`."""
        self._note([used for used in usage.model_usage if not self._has_ears or used.type != "stt_usage"])

    def listen_to(self, ears: stt.STT[Any]) -> None:
        """Take note of what ears tell themselves, whatever `update` says of them from here on: a session that closes
        them doesn't listen to them any more, and that is when they tell of a call's last seconds.
        """
        from livekit.agents.metrics import ModelUsageCollector

        collector = ModelUsageCollector()

        def note(metrics: STTMetrics) -> None:
            collector.collect(metrics)
            self._note(collector.flatten())

        self._has_ears = True
        ears.on("metrics_collected", note)

    def _note(self, used: Sequence[ModelUsage]) -> None:
        self._heard |= _counted(used)
        if self._timer is None and self._is_behind():
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._due)

    async def flush(self) -> bool:
        """Book what hasn't been booked.

        Returns:
            Whether the ledger has all of it. What it hasn't is kept, and tried again with the next booking.
        """
        async with self._lock:
            await self._set_down()
            return await self._deliver()

    async def aclose(self, *, patience: float = 30.0) -> bool:
        """Book the last of it, and stay with a database that is away.

        Args:
            patience: seconds to try for.

        Returns:
            Whether the ledger has all of it; what it hasn't is in the log, to be booked by hand.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while not await self.flush():
            if loop.time() >= until:
                logger.error("usage could not be booked: %s", self._waiting)
                return False
            await asyncio.sleep(min(_RETRY_SECONDS, max(0.0, until - loop.time())))
        return True

    def _is_behind(self) -> bool:
        return bool(self._waiting) or self._heard != self._booked

    def _due(self) -> None:
        self._timer = None
        task = asyncio.get_running_loop().create_task(self._book())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _book(self) -> None:
        with contextlib.suppress(Exception):  # is told where it happens, and a call never ends over its metering
            await self.flush()
        if self._timer is None and self._is_behind():
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._due)

    async def _set_down(self) -> None:
        """Turn what came since the last time into rows, under keys that they keep."""
        heard = dict(self._heard)
        new = {name: more for name, now in heard.items() if (more := now.since(self._booked.get(name, _Counts())))}
        if any(more.input_tokens or more.output_tokens for more in new.values()):
            await prices_loaded()
        for name, more in new.items():
            self._rows += 1
            self._waiting[f"{self._key}:{self._rows}"] = _usage_of(name, more)
        self._booked = heard

    async def _deliver(self) -> bool:
        while self._waiting:
            some = dict(list(self._waiting.items())[:_MOST_AT_ONCE])
            try:
                await in_database(
                    record_usages,
                    usages=some,
                    conversation_id=self._conversation_id,
                    release_id=self._release_id,
                )
            except DatabaseFault as fault:
                logger.warning("usage waits for the database: %s", str(fault).partition("\n")[0])
                return False
            for key in some:
                del self._waiting[key]
        return True


def _counted(models: Sequence[ModelUsage]) -> dict[Name, _Counts]:
    """What is billed of what a session used."""
    found: dict[Name, _Counts] = {}
    for used in models:
        if used.type == "stt_usage":
            counts = _Counts(
                _decimal(used.audio_duration),
                used.input_tokens,
                0,
                used.output_tokens,
                used.input_audio_tokens,
            )
            service = "stt"
        elif used.type == "tts_usage":
            counts = _Counts(Decimal(used.characters_count), used.input_tokens, 0, used.output_tokens)
            service = "tts"
        elif used.type == "llm_usage":
            # Answers of an agent are turns, which book their models themselves: this is a realtime model.
            counts = _Counts(
                Decimal(0),
                used.input_tokens,
                used.input_cached_tokens,
                used.output_tokens,
                used.input_audio_tokens,
                used.output_audio_tokens,
            )
            service = "llm"
        else:  # the detector of interruptions and of ends of turns, which run in the worker itself
            continue
        found[service, used.provider[:80] or "unknown", used.model[:120] or "unknown"] = counts
    return found


def _decimal(seconds: float) -> Decimal:
    """A sum of floats without its noise, so that differences of it add up to it again."""
    return Decimal(repr(seconds)).quantize(_MICRO)


def _usage_of(name: Name, counts: _Counts) -> Usage:
    service, provider, model = name
    unit = {"stt": "second", "tts": "character"}.get(service, "")
    counted = counts.input_tokens + counts.output_tokens > 0
    cost = None
    if counted and prices.is_loaded():
        cost = prices.cost_of(
            provider=provider,
            model=model,
            input_tokens=counts.input_tokens,
            output_tokens=counts.output_tokens,
            cached_tokens=counts.cached_tokens,
            input_audio_tokens=counts.input_audio,
            output_audio_tokens=counts.output_audio,
        )
    if not cost and unit:  # no tokens, or a model that is sold by something else, for which they cost nothing
        cost = speech_cost_of(provider=provider, model=model, quantity=counts.quantity, unit=unit)
    return Usage(
        service=service,
        provider=provider,
        model=model,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        cached_tokens=counts.cached_tokens,
        is_estimated=not counted,
        cost_usd=cost,
        purpose=REALTIME if service == "llm" else "",
        quantity=counts.quantity if unit else None,
        unit=unit,
    )
