"""A deadline that moves with every token, for one timer instead of one a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Patience:
    """Waits for the next item of a stream, until a deadline that may be moved meanwhile.

    The timer is set once and looks, when it fires, whether the deadline has moved on. It ends only a wait of its own:
    while the consumer of what was waited for does something else, nothing is cancelled.

    Args:
        until: on the event loop's clock, in seconds.
    """

    def __init__(self, until: float) -> None:
        self.until = until
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_at(until, self._look)
        self._waiting: asyncio.Task[object] | None = None
        self._is_over = False

    async def next(self, stream: AsyncIterator[T]) -> T | None:
        """The next item; None at the end. Raises TimeoutError at the deadline."""
        if self._is_over or self._loop.time() > self.until:
            raise TimeoutError
        self._waiting = asyncio.current_task()
        try:
            return await anext(stream, None)
        except asyncio.CancelledError:
            if self._is_over and self._waiting is not None and self._waiting.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._waiting = None

    def _look(self) -> None:
        if self._loop.time() < self.until:
            self._timer = self._loop.call_at(self.until, self._look)
            return
        self._is_over = True
        if self._waiting is not None:
            self._waiting.cancel()

    def __enter__(self) -> Patience:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
