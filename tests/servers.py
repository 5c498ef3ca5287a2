"""The servers behind the tests: an embedded PostgreSQL and Redis of their own, or those that the environment names."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from switchboard.launcher.ports import free_port
from switchboard.launcher.postgres import EmbeddedPostgres
from switchboard.launcher.redis import EmbeddedRedis

# Nothing here outlives the run, so nothing is written with care.
_HASTE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
}


class Servers:
    """Started before Django reads its settings, stopped when the last test is done."""

    def __init__(self) -> None:
        # Not under pytest's tmp_path: its folders are closed to the account PostgreSQL runs as.
        self.folder = Path(tempfile.mkdtemp(prefix="switchboard-tests-"))
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self._made_database: tuple[str, str] | None = None

    def start(self) -> dict[str, str]:
        """Start what is missing; returns the environment that leads to it.

        Where the tests run in several processes (pytest-xdist), each calls this and has servers of its own; of a
        server that is given, a database of its own.
        """
        given_database, given_redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
        if not given_database:
            self._postgres = EmbeddedPostgres(self.folder, tuning=_HASTE)
        if not given_redis:
            self._redis = EmbeddedRedis(self.folder)
        return {
            "DATABASE_URL": self._postgres.start() if self._postgres else self._make_database(given_database),
            "REDIS_URL": self._redis.start() if self._redis else _numbered(given_redis),
            "DATA_DIR": str(self.folder),
            "EMBEDDINGS_URL": os.environ.get("EMBEDDINGS_URL") or f"http://127.0.0.1:{free_port()}/v1",
            "SWITCHBOARD_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "switchboard.settings",
        }

    def stop(self) -> None:
        """Stop what was started, and leave nothing behind."""
        for server in (self._redis, self._postgres):
            if server:
                server.stop()
        if self._made_database:
            self._drop_database(*self._made_database)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_database(self, url: str) -> str:
        """A database beside the one that the URL names, made anew; the one it names is never written to."""
        parts = urlsplit(url)
        name = f"test_{parts.path.lstrip('/') or 'switchboard'}_{_worker()}"
        self._drop_database(url, name)
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        self._made_database = (url, name)
        return urlunsplit(parts._replace(path=f"/{name}"))

    @staticmethod
    def _drop_database(url: str, name: str) -> None:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _worker() -> int:
    """The number of this process among those that share the tests."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def _numbered(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + _worker()}"))
