"""The embedded PostgreSQL: it starts anywhere, keeps what was committed, and never leaves a server behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from switchboard.launcher.orphans import command_line
from switchboard.launcher.postgres import EmbeddedPostgres

FAST = {"fsync": "off"}


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(data_dir, tuning=FAST)
    postgres.start()
    yield postgres
    postgres.stop()


def remember(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (word text)")
        connection.execute("INSERT INTO word VALUES (%s)", [word])


def remembered(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM word")]


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not command_line(pid):
            return True
        time.sleep(0.02)
    return False


def test_a_fresh_server_has_vectors_and_speaks_on_loopback_only(server: EmbeddedPostgres, data_dir: Path) -> None:
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'").fetchone() == (1.0,)
        settings = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'fsync')"
            ).fetchall()
        )
        encoding = connection.execute("SHOW server_encoding").fetchone()
    assert settings == {"listen_addresses": "127.0.0.1", "fsync": "off"}
    assert encoding == ("UTF8",)
    assert (data_dir / "postgres" / "password").stat().st_mode & 0o777 == 0o600


def test_nobody_gets_in_without_the_password(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgres://switchboard@127.0.0.1:{server.port}/switchboard")


def test_a_second_start_has_the_same_address_and_the_same_data(server: EmbeddedPostgres, data_dir: Path) -> None:
    url = server.url
    remember(url, "kept")
    server.stop()
    again = EmbeddedPostgres(data_dir, tuning=FAST)
    try:
        assert again.start() == url
        assert remembered(url) == ["kept"]
    finally:
        again.stop()


def test_a_killed_server_comes_back_with_everything_committed(data_dir: Path) -> None:
    first = EmbeddedPostgres(data_dir)
    remember(first.start(), "committed")
    assert first.pid
    os.kill(first.pid, signal.SIGKILL)
    second = EmbeddedPostgres(data_dir)
    try:
        assert remembered(second.start()) == ["committed"]
    finally:
        second.stop()


def test_a_server_left_running_is_stopped_and_replaced(server: EmbeddedPostgres, data_dir: Path) -> None:
    remember(server.url, "kept")
    orphan = server.pid
    assert orphan
    successor = EmbeddedPostgres(data_dir, tuning=FAST)
    try:
        assert remembered(successor.start()) == ["kept"]
        assert not command_line(orphan)
    finally:
        successor.stop()


def test_the_server_dies_with_a_parent_that_is_killed(data_dir: Path, launcher_environment: dict[str, str]) -> None:
    program = (
        "import sys, time; from pathlib import Path; from switchboard.launcher.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), tuning={'fsync': 'off'}); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", program, str(data_dir)]
    with subprocess.Popen(words, env=launcher_environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone_within(pid, 30)


def test_a_pid_file_that_names_an_unrelated_process_is_no_hindrance(data_dir: Path) -> None:
    first = EmbeddedPostgres(data_dir, tuning=FAST)
    first.start()
    pid_file = first.place / "data" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    first.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    second = EmbeddedPostgres(data_dir, tuning=FAST)
    second.start()
    second.stop()


def test_a_remembered_port_that_somebody_took_is_given_up(server: EmbeddedPostgres, data_dir: Path) -> None:
    taken = server.port
    server.stop()
    with closing(socket.create_server(("127.0.0.1", taken))):
        again = EmbeddedPostgres(data_dir, tuning=FAST)
        try:
            again.start()
            assert again.port != taken
        finally:
            again.stop()


def test_a_folder_that_the_database_account_cannot_enter(data_dir: Path) -> None:
    """Only root has this trouble: the files are kept elsewhere then, and the user is told."""
    private = data_dir / "private"
    data_dir.chmod(0o755)
    private.mkdir(mode=0o700)
    said: list[str] = []
    server = EmbeddedPostgres(private / "data", tuning=FAST, say=said.append)
    try:
        remember(server.start(), "kept")
        server.stop()
        assert private.stat().st_mode & 0o777 == 0o700
        again = EmbeddedPostgres(private / "data", tuning=FAST, say=said.append)
        server = again
        assert remembered(again.start()) == ["kept"]
        if os.geteuid() == 0:
            assert len(said) == 1
            assert f"may not enter {private}" in said[0]
            assert str(again.place) in said[0]
        else:
            assert said == []
    finally:
        server.stop()
        if server.place != server.folder:
            shutil.rmtree(server.place)


def test_a_full_disk_is_named_as_such(data_dir: Path) -> None:
    log = 'PANIC:  could not write to file "pg_wal/xlogtemp.12": No space left on device\nLOG:  shutting down'
    sentence = EmbeddedPostgres(data_dir).explain(-6, log)
    assert "is full" in sentence
    assert "DATA_DIR" in sentence
