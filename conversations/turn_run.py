"""One run of a turn: the engine's events numbered, written, and at the end kept with the answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar

from redis.exceptions import RedisError

from agents import releases
from agents.engine.events import Event, error, usage, usage_in
from agents.engine.turn import TurnRequest, estimated_usage, run_turn
from billing.domain.usage import Usage
from conversations.domain import turns
from conversations.domain.turns import Job, Outcome
from conversations.events import log
from conversations.events.keys import event_key
from conversations.events.log import NumberTaken
from conversations.events.record import DONE, Record, encode
from conversations.remembering import remember
from conversations.sight import shown_with
from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.ids import uuid7

logger = logging.getLogger(__name__)

# After the first, pieces of the answer are gathered for so long: 25 a second is more than anybody reads, and each event
# costs a write and a send to every reader.
GATHER_SECONDS: Final = 0.04
_KEEP_TRIES: Final = 8
INTERRUPTED: Final = error("turn_interrupted", "The server stopped while this was being answered. Please ask again.")

T = TypeVar("T")
Status = Literal["done", "failed", "cancelled"]


class LeaseLost(Exception):
    """Another process has this turn; nothing of ours may be kept."""


class TurnRun:
    """Runs a job once. `cancel()` may be called from anywhere on the event loop."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._key = event_key(job.conversation_id)
        self._records: list[Record] = []
        self._next = job.last_event + 1
        self._gathered: list[str] = []
        self._flush_at: asyncio.TimerHandle | None = None
        self._last_flush = 0.0
        self._answer: list[str] = []
        self._citations: list[dict[str, object]] = []
        self._usages: list[Usage] = []
        self._request: TurnRequest | None = None
        self._error_code = ""
        self._escalation = ""
        self._engine: asyncio.Task[None] | None = None
        self._cancelled = False
        self._taken = False

    async def remember(self) -> None:
        """What there is to remember of the turn, once it is kept."""
        if self._request is not None and self._answer and not self._error_code:
            await remember(self._request, "".join(self._answer))

    def cancel(self) -> None:
        """Stop the engine; what was said so far is kept."""
        self._cancelled = True
        if self._engine is not None:
            self._engine.cancel()

    async def run(self) -> bool:
        """Run the turn to its end.

        Returns:
            Whether further messages of the conversation wait for their turn.

        Raises:
            LeaseLost: another process took it over.
            DatabaseError: the outcome could not be kept in spite of retries.
        """
        if not await self._take_over_where_interrupted() and not self._cancelled:
            self._engine = asyncio.get_running_loop().create_task(self._run_engine())
            try:
                await asyncio.wait([self._engine])
            except asyncio.CancelledError:
                self._engine.cancel()
                raise
        await self._meter_what_was_cut_off()
        self._flush()
        if self._taken:
            await self._settle_taken_numbers()
        return await self._keep()

    # --- the engine's events ------------------------------------------------------------------------------------------
    async def _run_engine(self) -> None:
        try:
            self._request = await self._asked()
            async with contextlib.aclosing(run_turn(self._request)) as happening:
                async for event in happening:
                    self._take(event)
                    if self._taken:
                        return
        except Exception:
            logger.exception("the engine failed")
            self._take(error("internal_error", "Something went wrong on our side. It was logged; try again."))

    async def _asked(self) -> TurnRequest:
        job, release = self.job, await releases.resolve_async(self.job.release_id)
        images, look = job.images, job.look
        if release.runtime.vision.enabled and not job.is_spoken:
            images, look = await shown_with(job.conversation_id, job.question)
        return TurnRequest(
            release,
            job.history,
            job.question,
            conversation_id=job.conversation_id,
            turn_id=job.turn_id,
            contact=job.contact,
            attempt=job.attempt,
            images=images,
            look=look,
            is_spoken=job.is_spoken,
        )

    async def _meter_what_was_cut_off(self) -> None:
        if self._request is not None and not self._taken:
            for used in await _insist(self._request.meter.cut_off):
                self._take(usage(used))

    async def _meter_what_another_began(self) -> None:
        """An answer that a process died over: its model was used, and nobody has said so."""
        by_itself = any(record.kind in {"action", "tool_result", "refusal"} for record in self._records)
        if self._answer and not self._usages and not by_itself:
            self._take(usage(await _insist(self._estimated_usage)))

    async def _estimated_usage(self) -> Usage:
        return await estimated_usage(await self._asked(), "".join(self._answer))

    def _take(self, event: Event) -> None:
        match event.kind:
            case "delta":
                self._answer.append(event.data["text"])
                self._gathered.append(event.data["text"])
                self._flush_soon()
                return
            case "citation":
                self._citations.append(event.data)
            case "usage":
                self._usages.append(usage_in(event))
            case "escalation":
                self._escalation = event.data["reason"]
            case "error":
                self._error_code = event.data["code"]
        self._flush()
        self._emit(event.kind, event.data)

    def _flush_soon(self) -> None:
        if self._flush_at is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_flush + GATHER_SECONDS - loop.time()
        if wait <= 0:
            self._flush()
        else:
            self._flush_at = loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        if self._gathered:
            text = "".join(self._gathered)
            self._gathered.clear()
            self._last_flush = asyncio.get_running_loop().time()
            self._emit("delta", {"text": text})

    def _emit(self, kind: str, data: dict[str, Any]) -> asyncio.Future[None]:
        record = encode(self._next, kind, {**data, "turn": str(self.job.turn_id)})
        self._next += 1
        self._records.append(record)
        written = log.event_log().append(self._key, record)
        written.add_done_callback(self._note_refusal)
        return written

    def _note_refusal(self, written: asyncio.Future[None]) -> None:
        if not written.cancelled() and isinstance(written.exception(), NumberTaken):
            self._taken = True

    # --- after another process ----------------------------------------------------------------------------------------
    async def _take_over_where_interrupted(self) -> bool:
        """Whether a process before us got so far that the turn can only be closed."""
        if self.job.attempt == 1:
            return False
        self._records = await self._events_in_log()
        self._next = self._records[-1].number + 1 if self._records else self.job.last_event + 1
        shown = [record for record in self._records if record.kind == "delta"]
        if not shown and self.job.attempt <= turns.MOST_ATTEMPTS:
            return False
        self._answer = [record.data["text"] for record in shown]
        self._citations = [record.data for record in self._records if record.kind == "citation"]
        for told in (record.data for record in self._records if record.kind == "usage"):
            self._usages.append(usage_in(Event("usage", {name: told[name] for name in told if name != "turn"})))
        await self._meter_what_another_began()
        self._take(INTERRUPTED)
        return True

    async def _settle_taken_numbers(self) -> None:
        """A process that had lost the turn without knowing wrote on; or it is we who have."""
        if not await in_database(turns.still_held, turn_id=self.job.turn_id):
            raise LeaseLost
        self._records = await self._events_in_log()
        self._next = self._records[-1].number + 1 if self._records else self.job.last_event + 1
        self._take(INTERRUPTED)

    async def _events_in_log(self) -> list[Record]:
        try:
            return await log.read(self._key, after=self.job.last_event)
        except (RedisError, OSError):
            return []

    # --- the end ------------------------------------------------------------------------------------------------------
    async def _keep(self) -> bool:
        status: Status = "failed" if self._error_code else "cancelled" if self._cancelled else "done"
        answer = "".join(self._answer).strip()
        message_id = uuid7() if answer else None
        data = {"status": status, "message": str(message_id) if message_id else None, "turn": str(self.job.turn_id)}
        done = encode(self._next, DONE, data)
        outcome = Outcome(
            status,
            message_id,
            answer,
            self._citations,
            self._usages,
            self._error_code,
            [*self._records, done],
            escalation=self._escalation,
            steps=self._request.steps if self._request else (),
        )
        # Kept first, told second: whoever hears `done` finds the answer in the thread.
        finished = await _insist(lambda: in_database(turns.finish_turn, job=self.job, outcome=outcome))
        if not finished.is_kept:
            raise LeaseLost
        with contextlib.suppress(RedisError, OSError, NumberTaken):
            await log.event_log().append(self._key, done)
            for notice in finished.notices:
                await log.event_log().append(self._key, notice)
        return finished.others_wait


async def _insist(action: Callable[[], Awaitable[T]]) -> T:
    """Do what needs the database, in spite of its restart: it is back within seconds."""
    for attempt in range(1, _KEEP_TRIES + 1):
        try:
            return await action()
        except OUTAGES:
            if attempt == _KEEP_TRIES:
                raise
            await asyncio.sleep(min(0.2 * 2**attempt, 3.0) * random.uniform(0.5, 1.0))  # noqa: S311
    raise AssertionError("unreachable")
