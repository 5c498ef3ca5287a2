"""What `make run` says when it can't start: one sentence with a way out, never a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from switchboard.launcher.errors import LaunchError
from switchboard.launcher.lock import DataLock
from switchboard.launcher.preflight import check_disk
from switchboard.launcher.services_file import ServicesFile

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_every_fault_of_the_configuration_is_listed(run_launcher: Run) -> None:
    done = run_launcher(PORT="eighty", DATABASE_URL="mysql://x", WEB_PROCESSES="0")
    assert done.returncode == 2
    for name in ("PORT", "DATABASE_URL", "WEB_PROCESSES"):
        assert f"  {name}: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_taken_port_names_who_has_it(run_launcher: Run) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as holder:
        port = holder.getsockname()[1]
        done = run_launcher("--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is taken by" in done.stdout
    assert f"(pid {os.getpid()})" in done.stdout
    assert "make run PORT=9000" in done.stdout


def test_a_second_instance_on_the_same_data_names_the_first(run_launcher: Run, data_dir: Path) -> None:
    with DataLock(data_dir):
        done = run_launcher()
    assert done.returncode == 1
    assert (
        f"Another Switchboard (pid {os.getpid()}) is already running on {data_dir}. "
        "Stop it, or choose another folder with DATA_DIR=…" in done.stdout
    )


def test_the_lock_is_free_again_afterwards(data_dir: Path) -> None:
    with DataLock(data_dir):
        pass
    with DataLock(data_dir):
        pass


def test_a_data_folder_that_cannot_be_made(run_launcher: Run, data_dir: Path) -> None:
    (data_dir / "file").touch()
    done = run_launcher(DATA_DIR=str(data_dir / "file" / "data"))
    assert done.returncode == 1
    assert "can't be used" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_nearly_full_disk_is_refused(data_dir: Path) -> None:
    assert check_disk(data_dir, lambda folder: 600_000_000) == 600_000_000
    with pytest.raises(LaunchError, match=r"Only 499 MB are free .* Free some space"):
        check_disk(data_dir, lambda folder: 499_000_000)


@pytest.mark.parametrize(
    ("name", "url", "where"),
    [
        ("DATABASE_URL", "postgres://who:secret-word@127.0.0.1:1/db", "PostgreSQL at 127.0.0.1:1"),
        ("REDIS_URL", "redis://:secret-word@127.0.0.1:1/0", "Redis at 127.0.0.1:1"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_its_password(
    run_launcher: Run, name: str, url: str, where: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    done = run_launcher("--port", str(port), **{name: url})
    assert done.returncode == 1
    assert f"{where} ({name}) can't be used" in done.stdout
    assert f"without {name} an embedded" in done.stdout
    assert "secret-word" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_addresses_are_for_their_owner_only(data_dir: Path) -> None:
    file = ServicesFile(data_dir)
    file.write({"redis_url": "redis://:secret@127.0.0.1:1/0"})
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.path.read_text())["redis_url"].endswith("/0")
    file.remove()
    file.remove()
    assert not file.path.exists()
