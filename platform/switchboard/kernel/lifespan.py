"""What runs beside the requests of a web process, and work that outlives the request that began it."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import Any

from switchboard.kernel.redis import close_async_redis

logger = logging.getLogger(__name__)

Hook = Callable[[], Awaitable[None]]

_on_start: list[Hook] = []
_on_stop: list[Hook] = []
# A cancellation may be lost in code that isn't ours; one task that hangs must not hold up the end of all.
_CANCEL_ROUNDS, _CANCEL_SECONDS = 3, 1.0
_on_leaving: list[Callable[[], None]] = []
_servers_handlers: dict[signal.Signals, Callable[[int, FrameType | None], Any]] = {}
_running: set[asyncio.Task[Any]] = set()


def on_start(hook: Hook) -> Hook:
    """Register what a web process does when it starts; apps call this in `ready()`."""
    _on_start.append(hook)
    return hook


def on_stop(hook: Hook) -> Hook:
    """Register what a web process does before it ends."""
    _on_stop.append(hook)
    return hook


def on_leaving(hook: Callable[[], None]) -> None:
    """Register what a web process does when it is told to end, before it waits for its connections to close."""
    _on_leaving.append(hook)


async def start() -> None:
    """Run the start hooks."""
    if threading.current_thread() is threading.main_thread():
        _watch_signals(asyncio.get_running_loop())
    for hook in _on_start:
        await hook()


def _watch_signals(loop: asyncio.AbstractEventLoop) -> None:
    """Hear of the end when the server does: ASGI's lifespan tells only once all connections are closed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        servers = signal.getsignal(number)

        def leave(number: int, frame: FrameType | None, servers: Any = servers) -> None:
            loop.call_soon_threadsafe(_leave)
            if callable(servers):
                servers(number, frame)

        if callable(servers):
            _servers_handlers[number] = servers
            signal.signal(number, leave)


def _leave() -> None:
    for hook in _on_leaving:
        hook()


async def stop() -> None:
    """Run the stop hooks, then cancel what is left, then let go of Redis, which all of them may need."""
    while _servers_handlers:
        signal.signal(*_servers_handlers.popitem())
    for hook in reversed(_on_stop):
        await hook()
    for _ in range(_CANCEL_ROUNDS):
        if not (left := _of_this_loop()):
            break
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=_CANCEL_SECONDS)
    for task in _of_this_loop():
        logger.error("background task %s doesn't end", task.get_name())
        _running.discard(task)
    await close_async_redis()


def _of_this_loop() -> list[asyncio.Task[Any]]:
    loop = asyncio.get_running_loop()
    return [task for task in _running if task.get_loop() is loop]


def spawn(work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
    """Start work that isn't awaited. A reference is kept (asyncio itself keeps only a weak one) and a failure is
    logged.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("background task %s failed", task.get_name(), exc_info=error)
