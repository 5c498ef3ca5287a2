"""What is to be told to the platform, kept until it has heard it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections import deque
from typing import Final

from switchboard_client.door import Door, Refused, Unavailable
from switchboard_client.values import Untold

logger = logging.getLogger("switchboard_client")

_FIRST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 15.0
# A key that is being rotated is refused for a moment; what was used meanwhile counts all the same.
_KEPT_FOR: Final = frozenset({401})


class Outbox:
    """Delivers in order, one at a time, without ever making anybody wait. Each parcel carries a key that the platform
    knows it by, so one whose answer was lost can be sent again. It is kept in memory and nowhere else.

    Args:
        most: parcels kept; beyond, the oldest go, and are counted in `lost`.
        most_bytes: of them all, as JSON; likewise.
    """

    def __init__(self, door: Door, *, most: int, most_bytes: int) -> None:
        self._door = door
        self._most = most
        self._most_bytes = most_bytes
        self._parcels: deque[tuple[Untold, int]] = deque()
        self._bytes = 0
        self._sending: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._is_closed = False
        self.lost = 0

    def __len__(self) -> int:
        return len(self._parcels)

    def put(self, parcel: Untold) -> None:
        """Keep it, and begin to deliver. Without a running event loop that waits for `flush`."""
        if self._is_closed:
            self._lose(f"{parcel.key} came after the client was closed")
            return
        try:
            size = len(json.dumps(parcel.body, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            # It could never be sent, and would hold up all that is behind it.
            self._lose(f"{parcel.key} is no JSON, {error}")
            return
        if size > self._most_bytes:
            self._lose(f"{parcel.key} is too large")
            return
        while self._parcels and (len(self._parcels) >= self._most or self._bytes + size > self._most_bytes):
            self._bytes -= self._parcels.popleft()[1]
            self._lose("the outbox is full")
        self._parcels.append((parcel, size))
        self._bytes += size
        self._empty.clear()
        self._begin()

    async def flush(self, seconds: float) -> int:
        """Wait until all is delivered, but not longer than this; returns how much is left."""
        if self._parcels:
            self._begin()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()
        return len(self._parcels)

    async def close(self) -> list[Untold]:
        """Deliver no more. Returns what is left, the oldest first; it counts as lost."""
        self._is_closed = True
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None
        left = [parcel for parcel, _ in self._parcels]
        self._parcels.clear()
        self._bytes = 0
        self.lost += len(left)
        return left

    def _begin(self) -> None:
        if self._sending is not None and not self._sending.done():
            return
        with contextlib.suppress(RuntimeError):  # no event loop yet
            self._sending = asyncio.get_running_loop().create_task(self._deliver())

    async def _deliver(self) -> None:
        wait = _FIRST_WAIT
        while self._parcels:
            parcel, _ = self._parcels[0]
            try:
                await self._door.ask("POST", parcel.path, body=parcel.body, attempts=1)
            except Unavailable as away:
                if wait == _FIRST_WAIT:
                    logger.warning("Switchboard is away, %d to tell are kept: %s", len(self._parcels), away)
                await asyncio.sleep(max(away.retry_after, wait * random.uniform(0.5, 1.5)))  # noqa: S311 - no secret
                wait = min(wait * 2, _LONGEST_WAIT)
                continue
            except Refused as refused:
                if refused.status in _KEPT_FOR:
                    logger.error("Switchboard refuses the key, %d to tell are kept: %s", len(self._parcels), refused)
                    await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                    wait = min(wait * 2, _LONGEST_WAIT)
                    continue
                self._remove(parcel)
                self._lose(f"{parcel.path} was refused, {refused}")
                continue
            except Exception as error:
                # Such as data that is no JSON: it never will be, and what comes after it must not wait for that.
                self._remove(parcel)
                self._lose(f"{parcel.path} can't be sent, {type(error).__name__}: {error}")
                continue
            wait = _FIRST_WAIT
            self._remove(parcel)
        self._empty.set()

    def _remove(self, parcel: Untold) -> None:
        # It may have been pushed out meanwhile.
        if self._parcels and self._parcels[0][0] is parcel:
            self._bytes -= self._parcels.popleft()[1]

    def _lose(self, why: str) -> None:
        self.lost += 1
        logger.error("lost what was to be told to Switchboard (%d so far): %s", self.lost, why)
