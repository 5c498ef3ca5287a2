"""The log of live events in Redis: one stream per conversation, written in groups.

The stream's entry id is the event's number, so Redis itself refuses a second event of the same number: a process that
lost its lease without noticing can't speak over the one that took its turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from redis.exceptions import RedisError

from conversations.events.hub import hub
from conversations.events.record import Record
from switchboard.kernel import lifespan
from switchboard.kernel.redis import async_redis, redis_client

logger = logging.getLogger(__name__)

# Kept in Redis this long after the last event; from then on the turn's own copy in PostgreSQL answers.
KEPT_SECONDS: Final = 3600
_MOST_PER_WRITE: Final = 200
# One call for many events of many conversations: XADD each under its number, and tell whoever listens.
# 1: written; 0: the number is taken; -1: Redis takes nothing just now (it is out of memory, or a replica).
_APPEND: Final = (
    f"local kept_seconds = {KEPT_SECONDS}"
    + """
local answers = {}
for i, key in ipairs(KEYS) do
  local number, text = ARGV[3 * i - 2], ARGV[3 * i - 1] .. '\\n' .. ARGV[3 * i]
  local done = redis.pcall('XADD', key, number .. '-0', 'e', text)
  if type(done) == 'table' and done.err and not string.find(done.err, 'equal or smaller', 1, true) then
    answers[i] = -1
  elseif type(done) == 'table' and done.err then
    local there = redis.call('XRANGE', key, number .. '-0', number .. '-0')
    answers[i] = (there[1] and there[1][2][2] == text) and 1 or 0
  else
    redis.call('PUBLISH', key, number .. '\\n' .. text)
    redis.call('EXPIRE', key, kept_seconds)
    answers[i] = 1
  end
end
return answers
"""
)


class NumberTaken(Exception):
    """Another process has written an event of this number: the turn isn't ours any more."""


@dataclass(slots=True)
class _Entry:
    key: str
    record: Record
    written: asyncio.Future[None]


def _fail(entry: _Entry, error: Exception) -> None:
    if not entry.written.done():
        entry.written.set_exception(error)
        entry.written.exception()  # seen; whoever awaits it is told all the same


class EventLog:
    """Writes events in the order given; what is given while a write is under way goes with the next one."""

    def __init__(self) -> None:
        self._waiting: deque[_Entry] = deque()
        self._writer: asyncio.Task[Any] | None = None
        self._append: Any = None

    def append(self, key: str, record: Record) -> asyncio.Future[None]:
        """Queue an event for writing.

        Args:
            key: the conversation's stream, `event_key(...)`.

        Returns:
            A future that is done once the event is in Redis and in the hands of this process's readers; it raises
            `NumberTaken`, or RedisError where Redis stayed away beyond all retries.
        """
        entry = _Entry(key, record, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._writer is None or self._writer.done():
            self._writer = lifespan.spawn(self._write_all(), name="event log")
        return entry.written

    async def _write_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_PER_WRITE))]
            try:
                answers = await self._write(batch)
            except Exception as error:
                # Whatever it was: these are events of many turns, and each of them waits to hear.
                logger.error("events could not be written to Redis: %s", type(error).__name__)
                for entry in batch:
                    _fail(entry, error if isinstance(error, RedisError | OSError) else RedisError("unwritable"))
                continue
            refused: set[str] = set()
            for entry, answer in zip(batch, answers, strict=True):
                if answer < 0:
                    _fail(entry, RedisError("Redis refuses to write"))
                elif answer == 0 or entry.key in refused:
                    refused.add(entry.key)
                    _fail(entry, NumberTaken(entry.record.number))
                else:
                    hub().deliver(entry.key, entry.record)
                    if not entry.written.done():
                        entry.written.set_result(None)

    async def _write(self, batch: list[_Entry]) -> list[int]:
        if self._append is None:
            self._append = async_redis().register_script(_APPEND)
        arguments: list[str] = []
        for entry in batch:
            arguments += (str(entry.record.number), entry.record.kind, entry.record.body)
        answers: list[int] = await self._append(keys=[entry.key for entry in batch], args=arguments)
        return answers


_per_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, EventLog] = WeakKeyDictionary()


def event_log() -> EventLog:
    """The running event loop's log."""
    loop = asyncio.get_running_loop()
    log = _per_loop.get(loop)
    if log is None:
        log = _per_loop[loop] = EventLog()
    return log


def append_now(key: str, record: Record) -> None:
    """Write an event that PostgreSQL has already, from sync code. Without Redis, or where a later event was quicker,
    readers find it when they look again.
    """
    try:
        redis_client().eval(_APPEND, 1, key, str(record.number), record.kind, record.body)
    except (RedisError, OSError) as error:
        logger.warning("an event could not be told live: %s", type(error).__name__)


async def read(key: str, *, after: int) -> list[Record]:
    """The events of a conversation that Redis still has, after a number."""
    entries = await async_redis().xrange(key, min=f"({after}-0")
    records = []
    for identity, fields in entries:
        kind, _, body = fields["e"].partition("\n")
        records.append(Record(int(identity.partition("-")[0]), kind, body))
    return records
