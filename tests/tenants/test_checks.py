"""Behind a pooler in transaction mode the platform doesn't start."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

from tenants.checks import refuse_transaction_pooling, shares_sessions


def session() -> psycopg.Connection[Any]:
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    return psycopg.connect(**wanted, autocommit=True)


class Pooled:
    """A client's connection to a pooler in transaction mode: each statement goes to a server process that is free."""

    def __init__(self, server: psycopg.Connection[Any]) -> None:
        self._server = server

    def __enter__(self) -> Pooled:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def execute(self, statement: str) -> Any:
        return self._server.execute(statement)


@pytest.mark.usefixtures("db")
def test_sessions_of_postgresql_itself_are_apart() -> None:
    assert not shares_sessions(session)
    refuse_transaction_pooling()


@pytest.mark.usefixtures("db")
def test_sessions_that_share_a_server_process_are_found_out() -> None:
    with session() as server:
        assert shares_sessions(lambda: Pooled(server))  # type: ignore[arg-type, return-value]
