"""A conversation's events as one gapless stream: what is past from PostgreSQL and Redis, what is to come from the
hub.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from redis.exceptions import RedisError

from conversations import queries
from conversations.events import log
from conversations.events.hub import Reader, hub
from conversations.events.keys import event_key
from conversations.events.record import DONE, UPGRADED, Record
from switchboard.kernel.database import OUTAGES, in_database

# Between events a stream says something at least this often, or proxies take it for dead (many cut after 60 to 100 s).
# It also reads the log again then, so that nothing missed stays missed for longer.
KEEPALIVE_SECONDS: Final = 15.0
READMIT_SECONDS: Final = 3.0
OUTAGE_PAUSE_SECONDS: Final = 1.0


async def follow(conversation_id: uuid.UUID, *, after: int) -> AsyncIterator[Record | None]:
    """Every event after a number, in order, each once, for ever.

    Args:
        after: the last number the reader has; 0 for all.

    Yields:
        Events; None every `KEEPALIVE_SECONDS` without one.
    """
    key = event_key(conversation_id)
    async with hub().reader(key) as reader:
        reader.reread()
        async for record in _follow(conversation_id, key, reader, after):
            yield record


def follow_turn(
    conversation_id: uuid.UUID, turn_id: uuid.UUID, reader: Reader, *, after: int
) -> AsyncIterator[Record | None]:
    """The events of a turn that this process runs, up to its `done`. The reader was opened before the turn started."""
    return only_turn(_follow(conversation_id, event_key(conversation_id), reader, after), turn_id)


async def only_turn(records: AsyncIterator[Record | None], turn_id: uuid.UUID) -> AsyncIterator[Record | None]:
    """What belongs to one turn, up to its `done`."""
    mark = f'"turn":"{turn_id}"'
    async for record in records:
        if record is not None and mark not in record.body:
            continue
        yield record
        if record is not None and record.kind == DONE:
            return


async def while_admitted(
    records: AsyncIterator[Record | None], admitted: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Record | None]:
    """Records for as long as whoever opened the stream might open it again: a key is revoked, a person leaves, a tenant
    is suspended, and what was opened before must end with that.

    Args:
        admitted: asked every `READMIT_SECONDS`, and before anything more is told.
    """
    clock = asyncio.get_running_loop().time
    asked = clock()
    async for record in records:
        if clock() - asked >= READMIT_SECONDS:
            if not await admitted():
                return
            asked = clock()
        yield record


async def _follow(conversation_id: uuid.UUID, key: str, reader: Reader, after: int) -> AsyncIterator[Record | None]:
    last = after
    while True:
        if reader.must_reread:
            reader.must_reread = False
            reader.take()
            try:
                known, is_all = await past(conversation_id, key, after=last)
            except OUTAGES:
                # A database that restarts is back within seconds; whoever listens needn't notice.
                if reader.is_ended:
                    return
                reader.must_reread = True
                yield None
                await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
                continue
            for record in known:
                last = record.number
                yield record
            if not is_all:
                reader.must_reread = True
                continue
        for record in reader.take():
            if record.number <= last:
                continue
            if record.number != last + 1:
                reader.reread()
                break
            last = record.number
            yield record
        if reader.is_ended:
            return
        if reader.must_reread:
            continue
        if not await reader.wait(KEEPALIVE_SECONDS):
            reader.must_reread = True
            yield None


async def past(conversation_id: uuid.UUID, key: str, *, after: int) -> tuple[list[Record], bool]:
    """The events after a number that are known: of finished turns from PostgreSQL, of the running one from Redis; and
    whether those are all.
    """
    kept, is_all = await in_database(queries.kept_events, conversation_id, after)
    if kept and not is_all:
        return kept, False
    last = kept[-1].number if kept else after
    try:
        live = await log.read(key, after=last)
    except (RedisError, OSError):
        live = []
    for record in live:
        if record.number != last + 1:
            break
        kept.append(record)
        last = record.number
    return kept, True


async def until_upgraded(records: AsyncIterator[Record | None], *, seen: int) -> AsyncIterator[Record | None]:
    """Records up to an `upgraded` that comes while they are read: the conversation goes on by voice, and whoever wants
    to read along asks again, after its number.

    Args:
        seen: number of the last event when the stream was opened; an earlier `upgraded` is history.
    """
    async for record in records:
        yield record
        if record is not None and record.kind == UPGRADED and record.number > seen:
            return
