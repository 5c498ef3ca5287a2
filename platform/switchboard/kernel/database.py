"""The way from async code to the database and back, with no connection held while waiting."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from switchboard.kernel.problems import Problem

P = ParamSpec("P")
R = TypeVar("R")

# What the database raises when it isn't there, or is taken away: trying again has a chance.
OUTAGES: Final = (OperationalError, InterfaceError)


class DatabaseUnavailable(Problem):
    """The database restarts, or all its connections are taken."""

    def __init__(self) -> None:
        super().__init__(
            "database_unavailable",
            "The database can't be reached at the moment. Try again in a few seconds.",
            status=503,
            headers={"Retry-After": "2"},
        )


@functools.cache
def _threads() -> ThreadPoolExecutor:
    # Fewer threads than pooled connections: a thread that gets work also gets a connection, and the sync admin has
    # some left.
    return ThreadPoolExecutor(max_workers=max(2, settings.DATABASE_POOL // 2), thread_name_prefix="database")


def _call_and_release(function: Callable[[], R]) -> R:
    try:
        return function()
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close()


def release_connections() -> None:
    """Give this thread's connections back to the pool before it waits for something else: a client that reads slowly,
    a page that is drawn. The next query takes one again. Inside a transaction nothing happens.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a sync function that queries the database; its connection goes back to the pool before this returns.

    The scope in force goes along. One call, one thread hop: put what belongs together into one function.
    """
    bound = functools.partial(contextvars.copy_context().run, functools.partial(function, *args, **kwargs))
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), _call_and_release, bound)
