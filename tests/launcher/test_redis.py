"""The embedded Redis: it keeps what was written and lets nobody in without the password."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from switchboard.launcher.orphans import command_line
from switchboard.launcher.redis import EmbeddedRedis


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedRedis]:
    embedded = EmbeddedRedis(data_dir)
    embedded.start()
    yield embedded
    embedded.stop()


def test_it_never_evicts_and_syncs_every_second(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec", "bind": "127.0.0.1"}
        assert client.config_get().items() >= wanted.items()


def test_nobody_gets_in_without_the_password(server: EmbeddedRedis, data_dir: Path) -> None:
    with redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    for name in ("password", "redis.conf"):
        assert (data_dir / "redis" / name).stat().st_mode & 0o777 == 0o600
    assert server.pid
    assert server.url.split("@")[0].removeprefix("redis://:") not in command_line(server.pid)


def test_a_killed_server_comes_back_at_the_same_address_with_its_data(server: EmbeddedRedis, data_dir: Path) -> None:
    url = server.url
    with redis.Redis.from_url(url) as client:
        client.xadd("events", {"n": 1})
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    again = EmbeddedRedis(data_dir)
    try:
        assert again.start() == url
        with redis.Redis.from_url(url) as client:
            assert client.xlen("events") == 1
    finally:
        again.stop()


def test_a_server_left_running_is_stopped_and_replaced(server: EmbeddedRedis, data_dir: Path) -> None:
    orphan = server.pid
    assert orphan
    with redis.Redis.from_url(server.url) as client:
        client.set("word", "kept")
    successor = EmbeddedRedis(data_dir)
    try:
        with redis.Redis.from_url(successor.start(), decode_responses=True) as client:
            assert client.get("word") == "kept"
        assert not command_line(orphan)
    finally:
        successor.stop()


def test_a_remembered_port_that_somebody_took_is_given_up(server: EmbeddedRedis, data_dir: Path) -> None:
    taken = server.port
    server.stop()
    with closing(socket.create_server(("127.0.0.1", taken))):
        again = EmbeddedRedis(data_dir)
        try:
            again.start()
            assert again.port != taken
        finally:
            again.stop()
