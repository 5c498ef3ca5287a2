"""Refusals at start: surroundings in which tenants would not be safe."""

from __future__ import annotations

from typing import Any

import psycopg
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection


@register(Tags.database)
def session_state_is_kept(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The search path is a session's. Behind transaction pooling (PgBouncer) the next query may be another
    session's.
    """
    if not databases or not shares_sessions(connection.get_connection_params()):
        return []
    return [
        Error(
            "DATABASE_URL leads to a pooler in transaction mode: one tenant's search path would reach another's.",
            hint="Use session pooling, or connect to PostgreSQL itself; each process pools its own connections.",
            id="tenants.E001",
        )
    ]


def shares_sessions(parameters: dict[str, Any], *, rounds: int = 4) -> bool:
    """Whether two connections that are open at once are served by one server process: the mark of transaction pooling.

    Args:
        parameters: as psycopg.connect() takes them.
        rounds: how often to look; one shared process is proof enough.
    """
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    with (
        psycopg.connect(**wanted, autocommit=True, connect_timeout=10, prepare_threshold=None) as one,
        psycopg.connect(**wanted, autocommit=True, connect_timeout=10, prepare_threshold=None) as other,
    ):
        return any(_server_process(one) == _server_process(other) for _ in range(rounds))


def _server_process(session: psycopg.Connection[Any]) -> int:
    # Asked of the server each time: the connection's own idea of it was fixed when it was opened.
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
