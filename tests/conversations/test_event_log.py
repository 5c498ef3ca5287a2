"""Live events: written in groups under their numbers, heard here and in other processes, refused where a number is
taken.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from conversations.events import log
from conversations.events.hub import Reader, hub
from conversations.events.keys import event_key
from conversations.events.log import NumberTaken, event_log
from conversations.events.record import Record, encode
from switchboard.kernel import lifespan
from switchboard.kernel.redis import async_redis
from tenants.context import Scope, use_tenant


@pytest.fixture(autouse=True)
async def _redis() -> AsyncIterator[None]:
    yield
    await async_redis().flushdb()
    await lifespan.stop()


@pytest.fixture
def key() -> str:
    with use_tenant(Scope("t_events", uuid.uuid4())):
        return event_key(uuid.uuid4())


def event(number: int, text: str = "word") -> Record:
    return encode(number, "delta", {"text": text})


async def eventually(reader: Reader, count: int) -> list[Record]:
    heard: list[Record] = []
    while len(heard) < count:
        assert await reader.wait(5), heard
        heard += reader.take()
    return heard


async def subscribed(reader: Reader) -> None:
    """Redis says when nothing more is missed, and the reader is told to read what it may have missed before."""
    assert await reader.wait(5)
    assert reader.must_reread
    reader.must_reread = False


async def test_events_are_read_back_as_written(key: str) -> None:
    written = [event_log().append(key, event(number)) for number in range(1, 301)]
    await asyncio.gather(*written)

    assert await log.read(key, after=0) == [event(number) for number in range(1, 301)]
    assert await log.read(key, after=298) == [event(299), event(300)]


async def test_a_number_is_given_once(key: str) -> None:
    await event_log().append(key, event(1, "mine"))

    with pytest.raises(NumberTaken):
        await event_log().append(key, event(1, "theirs"))

    assert await log.read(key, after=0) == [event(1, "mine")]


async def test_an_event_that_cannot_be_written_holds_up_nobody_elses(key: str) -> None:
    unwritable = event_log().append(key, Record(1, "delta", '{"text":"\ud83d"}'))
    with pytest.raises(RedisError):
        await asyncio.wait_for(unwritable, 5)

    await asyncio.wait_for(event_log().append(key, event(1)), 5)

    assert await log.read(key, after=0) == [event(1)]


async def test_a_redis_that_is_full_has_not_given_the_number_to_another(key: str) -> None:
    await async_redis().config_set("maxmemory", "1")
    try:
        with pytest.raises(RedisError):
            await event_log().append(key, event(1))
    finally:
        await async_redis().config_set("maxmemory", "0")


async def test_the_same_event_written_twice_is_one_event(key: str) -> None:
    await event_log().append(key, event(1))
    await event_log().append(key, event(1))

    assert await log.read(key, after=0) == [event(1)]


async def test_a_reader_in_this_process_hears_at_once(key: str) -> None:
    reader = hub().open_reader(key)

    await event_log().append(key, event(1))

    assert reader.take() == [event(1)]


async def test_a_reader_hears_other_processes(key: str) -> None:
    async with hub().reader(key) as reader:
        await subscribed(reader)
        await async_redis().publish(key, '7\ndelta\n{"text":"from afar"}')

        assert await eventually(reader, 1) == [Record(7, "delta", '{"text":"from afar"}')]


async def test_conversations_of_two_tenants_never_share_a_key() -> None:
    conversation = uuid.uuid4()
    keys = []
    for schema in ("t_one", "t_two"):
        with use_tenant(Scope(schema, uuid.uuid4())):
            keys.append(event_key(conversation))

    assert keys[0] != keys[1]


async def test_a_reader_that_does_not_keep_up_is_told_to_read_the_log(key: str) -> None:
    reader = hub().open_reader(key)

    for number in range(1, 700):
        reader.give(event(number))

    assert reader.must_reread
    assert len(reader.take()) < 500


async def test_readers_are_told_to_read_again_when_the_connection_was_lost(key: str) -> None:
    async with hub().reader(key) as reader:
        await subscribed(reader)
        client: Redis = async_redis()
        await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await subscribed(reader)
        await asyncio.sleep(0.3)
        reader.must_reread = False
        await client.publish(key, "8\ndelta\n{}")
        assert [record.number for record in await eventually(reader, 1)] == [8]


async def test_a_client_that_leaves_at_once_leaves_no_subscription(key: str) -> None:
    async def listen() -> None:
        async with hub().reader(key):
            raise AssertionError("never reached")

    task = asyncio.create_task(listen())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert key not in hub()._remote
    assert key not in hub()._readers


async def test_a_reader_nobody_closed_is_forgotten(key: str) -> None:
    reader = hub().open_reader(key)
    del reader

    hub().deliver(key, event(1))

    assert key not in hub()._readers


async def test_a_reader_waits_as_long_as_it_is_told_each_time_anew() -> None:
    reader = Reader()
    clock = asyncio.get_running_loop().time
    for pause in (0.05, 0.05):
        begun = clock()
        assert not await reader.wait(pause)
        assert clock() - begun >= pause
    asyncio.get_running_loop().call_later(0.03, reader.give, event(1))
    assert await reader.wait(5)
    assert reader.take() == [event(1)]
    begun = clock()
    assert not await reader.wait(0.05)
    assert 0.05 <= clock() - begun < 2
