"""Many callers at the same moment, each in a thread with a database connection of its own. Needs `live_tenants`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from django.db import connection

A = TypeVar("A")
T = TypeVar("T")


def at_once(act: Callable[[A], T], arguments: Iterable[A]) -> list[T]:
    """What `act` comes to for each argument, all begun together."""
    wanted = list(arguments)
    start = threading.Barrier(len(wanted))

    def one(argument: A) -> T:
        start.wait(timeout=30)
        try:
            return act(argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(wanted)) as threads:
        return [done.result() for done in [threads.submit(copy_context().run, one, each) for each in wanted]]
