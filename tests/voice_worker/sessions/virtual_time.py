"""An hour in seconds: where nothing is left to do but wait, the event loop's clock leaps to when the wait is over."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# How long the loop listens to its sockets before it leaps: while others are asked, and while nobody is.
_BUSY, _IDLE = 0.004, 0.0


class VirtualTime:
    """The clocks of this process, which run on by themselves and leap where the loop waits.

    Threads are waited for: nothing leaps while one of them works for the loop. Of other processes nobody knows whether
    they are about to answer; where some are asked, `is_careful` gives them time.
    """

    def __init__(self) -> None:
        self.leapt = 0.0
        self.is_careful = True
        self.working = 0

    def select(self, wait: Callable[[float | None], Any], timeout: float | None) -> Any:
        """What a selector does, without the waiting."""
        if timeout is None or timeout <= 0 or self.working:
            return wait(timeout)
        patience = min(timeout, _BUSY if self.is_careful else _IDLE)
        if events := wait(patience):
            return events
        if not self.working:
            self.leapt += timeout - patience
        return []


@contextmanager
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualTime]:
    """The running loop's time leaps for the length of the block."""
    virtual = VirtualTime()
    loop: Any = asyncio.get_running_loop()
    selector: selectors.BaseSelector = loop._selector
    select, submit = selector.select, loop.run_in_executor

    def run_in_executor(executor: Any, function: Any, *words: Any) -> Any:
        virtual.working += 1
        future = submit(executor, function, *words)
        future.add_done_callback(lambda _: setattr(virtual, "working", virtual.working - 1))
        return future

    with monkeypatch.context() as patch:
        for name in ("time", "monotonic"):
            clock = getattr(time, name)
            patch.setattr(time, name, lambda clock=clock: clock() + virtual.leapt)
        patch.setattr(selector, "select", lambda timeout=None: virtual.select(select, timeout))
        patch.setattr(loop, "run_in_executor", run_in_executor)
        yield virtual
