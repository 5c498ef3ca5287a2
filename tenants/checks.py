"""Refusals at start: surroundings in which tenants would not be safe."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

Connect = Callable[[], psycopg.Connection[Any]]


@functools.cache
def refuse_transaction_pooling() -> None:
    """Stop where the database is behind a pooler in transaction mode (PgBouncer's `pool_mode = transaction`).

    The search path is a session's; there, the next query may be another session's. Called before migrations and at the
    start of every web process and worker; the first answer of a process stands.

    Raises:
        ImproperlyConfigured: with what to do.
    """
    if shares_sessions(_connect):
        raise ImproperlyConfigured(
            "DATABASE_URL leads to a pooler in transaction mode, where one tenant's search path would reach another's "
            "queries. Use session pooling, or connect to PostgreSQL itself; each process pools its own connections."
        )


def shares_sessions(connect: Connect, *, rounds: int = 4) -> bool:
    """Whether two connections that are open at once are served by one server process: the mark of transaction pooling.

    Args:
        connect: opens a connection in autocommit mode.
        rounds: how often to look; one shared process is proof enough.
    """
    with connect() as one, connect() as other:
        return any(_server_process(one) == _server_process(other) for _ in range(rounds))


def _connect() -> psycopg.Connection[Any]:
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    return psycopg.connect(**wanted, autocommit=True, connect_timeout=10, prepare_threshold=None)


def _server_process(session: psycopg.Connection[Any]) -> int:
    # Asked of the server each time: the connection's own idea of it was fixed when it was opened.
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
