"""The floor as a process, with a database of its own on the benchmark's server."""

from __future__ import annotations

import sys
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench.installation import SERVER_CORE, Installation, Program
from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready
from tests.model_server.process import ModelServer

_DATABASE = "floor"


def _url(place: Installation) -> str:
    return urlunsplit(urlsplit(place.database_url)._replace(path=f"/{_DATABASE}"))


def start_floor(place: Installation, model: ModelServer, model_name: str) -> Program:
    """Start it on the web server's core, with the web server's flags."""
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DATABASE}")
    port = free_port()
    words = ["-m", "uvicorn", "bench.floor.app:application", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--workers", "1", "--loop", "uvloop", "--http", "httptools", "--lifespan", "off"]
    words += ["--no-access-log", "--log-level", "warning", "--no-proxy-headers"]
    program = place.program(
        "floor",
        [sys.executable, *words],
        core=SERVER_CORE,
        port=port,
        FLOOR_DATABASE_URL=_url(place),
        FLOOR_MODEL_URL=model.url,
        FLOOR_MODEL=model_name,
    )
    deadline = time.monotonic() + 30
    while not http_ready(port, "/healthz"):
        if program.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the floor didn't start:\n{program.log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)
    return program


def saved_by_floor(place: Installation) -> int:
    """Messages it has kept."""
    with psycopg.connect(_url(place)) as connection:
        row = connection.execute("SELECT count(*) FROM floor_message").fetchone()
    assert row is not None
    return int(row[0])
