"""Readers of live events in this process, and the one Redis connection that serves them all.

A reader is told of an event either by the writer in this process, at once, or by Redis' pub/sub. Pub/sub forgets what
is said while nobody listens, so whoever sees a gap, and everybody after the connection was lost, reads the log again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from conversations.events.record import Record
from switchboard.kernel import lifespan
from switchboard.kernel.redis import async_redis

logger = logging.getLogger(__name__)

# A reader so far behind is told to read the log instead; it must not hold the memory of everybody else.
_MOST_WAITING: Final = 500
_CANCEL_CHANNEL: Final = "switchboard:cancelled-turns"


class Reader:
    """One stream's view: what arrived since it last looked."""

    def __init__(self) -> None:
        self._arrived: list[Record] = []
        self._wake = asyncio.Event()
        self.must_reread = False
        self.is_ended = False
        self._timer: asyncio.TimerHandle | None = None
        self._patient_until = 0.0
        self._is_late = False

    def give(self, record: Record) -> None:
        """Called by the hub."""
        if len(self._arrived) >= _MOST_WAITING:
            self._arrived.clear()
            self.must_reread = True
        elif not self.must_reread:
            self._arrived.append(record)
        self._wake.set()

    def reread(self) -> None:
        """Called by the hub when something may have been missed."""
        self.must_reread = True
        self._wake.set()

    def end(self) -> None:
        """Called by the hub when the process is about to leave; the client comes back to another."""
        self.is_ended = True
        self._wake.set()

    async def wait(self, seconds: float) -> bool:
        """Whether something arrived within so many seconds."""
        if not self._wake.is_set():
            loop = asyncio.get_running_loop()
            self._patient_until = loop.time() + seconds
            # One timer for many waits: most end long before it, and it looks again when it fires too early.
            if self._timer is not None and self._timer.when() > self._patient_until:
                self._timer.cancel()
                self._timer = None
            if self._timer is None:
                self._timer = loop.call_at(self._patient_until, self._look, loop)
            await self._wake.wait()
        self._wake.clear()
        nothing_came, self._is_late = self._is_late, False
        return not nothing_came

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if loop.time() < self._patient_until:
            self._timer = loop.call_at(self._patient_until, self._look, loop)
        elif not self._wake.is_set():
            self._is_late = True
            self._wake.set()

    def take(self) -> list[Record]:
        """What arrived, in order."""
        arrived, self._arrived = self._arrived, []
        return arrived


class _Subscriptions(PubSub):
    """redis-py connects and subscribes again by itself, and tells nobody that messages were missed meanwhile."""

    def __init__(self, missed: Callable[[], None]) -> None:
        super().__init__(async_redis().connection_pool)
        self._missed = missed

    async def on_connect(self, connection: Any) -> None:
        await super().on_connect(connection)
        self._missed()


class Hub:
    """The readers of one event loop."""

    def __init__(self) -> None:
        # Weak: a response whose client left before the first byte is never iterated, so nobody closes its reader.
        self._readers: dict[str, WeakSet[Reader]] = {}
        self._followers: WeakSet[Reader] = WeakSet()
        self._remote: dict[str, int] = {}
        self._subscriptions = _Subscriptions(self._reread_all)
        self._listener: asyncio.Task[Any] | None = None
        self._watchers: dict[str, Callable[[str], None]] = {}

    def deliver(self, key: str, record: Record) -> None:
        """Hand an event to the readers of its conversation."""
        readers = self._readers.get(key)
        if readers is None:
            return
        for reader in list(readers):
            reader.give(record)
        if not readers:
            del self._readers[key]

    def open_reader(self, key: str) -> Reader:
        """A reader of a turn that this very process runs. Close it with `close_reader`."""
        reader = Reader()
        self._readers.setdefault(key, WeakSet()).add(reader)
        return reader

    def close_reader(self, key: str, reader: Reader) -> None:
        """Give a reader nothing more."""
        readers = self._readers.get(key)
        if readers is not None:
            readers.discard(reader)
            if not readers:
                del self._readers[key]

    @contextlib.asynccontextmanager
    async def reader(self, key: str) -> AsyncIterator[Reader]:
        """A reader of a conversation, whichever process speaks in it."""
        reader = self.open_reader(key)
        self._followers.add(reader)
        try:
            await self._listen(key)
            yield reader
        finally:
            self.close_reader(key, reader)
            await self._unlisten(key)

    def end_followers(self) -> None:
        """End the streams that would stay open for ever; those of single turns end with their turn."""
        for reader in list(self._followers):
            reader.end()

    async def watch_cancellations(self, cancel: Callable[[str], None]) -> None:
        """Call `cancel(turn id)` for every turn that any process asks to cancel."""
        self._watchers[_CANCEL_CHANNEL] = cancel
        await self._listen(_CANCEL_CHANNEL)

    @contextlib.asynccontextmanager
    async def watching(self, channel: str, told: Callable[[str], None]) -> AsyncIterator[None]:
        """Call `told(text)` for all that is said on a channel while this is open, in nobody's context."""
        self._watchers[channel] = told
        try:
            await self._listen(channel)
            yield
        finally:
            await self._unlisten(channel)
            self._watchers.pop(channel, None)

    async def _listen(self, channel: str) -> None:
        self._remote[channel] = self._remote.get(channel, 0) + 1
        if self._remote[channel] == 1:
            # If Redis is away the listener subscribes anew when it is back.
            with contextlib.suppress(RedisError, OSError):
                await self._subscriptions.subscribe(channel)
        if self._listener is None or self._listener.done():
            self._listener = lifespan.spawn(self._listen_for_ever(), name="event hub")

    async def _unlisten(self, channel: str) -> None:
        self._remote[channel] -= 1
        if not self._remote[channel]:
            del self._remote[channel]
            with contextlib.suppress(RedisError, OSError):
                await self._subscriptions.unsubscribe(channel)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                message = await self._subscriptions.get_message(timeout=30.0)
            except (RedisError, OSError):
                logger.warning("the event connection to Redis was lost; connecting again")
                await self._reconnect()
                continue
            if message is None:
                if not self._subscriptions.subscribed:
                    await asyncio.sleep(0.05)
                continue
            if message["type"] == "subscribe":
                # Only from here on is nothing missed; what was read before may have been too early.
                self._reread(message["channel"])
            elif message["type"] == "message":
                self._receive(message["channel"], message["data"])

    def _receive(self, channel: str, text: str) -> None:
        if (told := self._watchers.get(channel)) is not None:
            told(text)
            return
        number, kind, body = text.split("\n", 2)
        self.deliver(channel, Record(int(number), kind, body))

    async def _reconnect(self) -> None:
        pause = 0.1
        while True:
            with contextlib.suppress(RedisError, OSError):
                await self._subscriptions.aclose()  # type: ignore[no-untyped-call]
            self._subscriptions = _Subscriptions(self._reread_all)
            try:
                if self._remote:
                    await self._subscriptions.subscribe(*self._remote)
                break
            except (RedisError, OSError):
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 2)
        self._reread_all()

    def _reread_all(self) -> None:
        for channel in list(self._readers):
            self._reread(channel)

    def _reread(self, channel: str) -> None:
        for reader in list(self._readers.get(channel, ())):
            reader.reread()


_per_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The running event loop's hub."""
    loop = asyncio.get_running_loop()
    found = _per_loop.get(loop)
    if found is None:
        found = _per_loop[loop] = Hub()
    return found


async def announce_cancellation(turn_id: object) -> None:
    """Tell every process that a turn is to stop. The turn's id says nothing of whose it is."""
    await async_redis().publish(_CANCEL_CHANNEL, str(turn_id))
