"""The real thing: everything is started, shot at, and stopped, as at somebody's terminal."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from switchboard.launcher.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.chaos


class Terminal:
    """A launcher in a process of its own and all it has written so far."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "switchboard.launcher", "--port", str(self.port), "--no-seed"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.text += line

    def wait_for(self, text: str, seconds: float = 90) -> None:
        self.wait(lambda: text in self.text, seconds)

    def wait(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        """The launcher's own child whose command line holds the words."""
        for child in psutil.Process(self.process.pid).children():
            if all(word in " ".join(child.cmdline()) for word in words):
                return child
        raise AssertionError(f"no child {words}: {self.text}")

    def finish(self) -> int:
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=5)
        return code


def still_there(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those alive after so many seconds; a zombie that a container's first process doesn't collect is dead enough."""

    def alive(process: psutil.Process) -> bool:
        try:
            return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + seconds
    while (left := [process for process in family if alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.fixture
def terminal(launcher_environment: dict[str, str]) -> Iterator[Terminal]:
    terminal = Terminal(launcher_environment)
    yield terminal
    with contextlib.suppress(ProcessLookupError):
        terminal.process.kill()
    terminal.finish()


def test_every_part_comes_back_when_killed_and_ctrl_c_leaves_nothing(terminal: Terminal, data_dir: Path) -> None:
    terminal.wait_for("Ctrl-C stops everything.")
    services = json.loads((data_dir / "services.json").read_text())
    assert {"database_url", "redis_url", "embeddings_url"} <= set(services)
    assert (data_dir / "services.json").stat().st_mode & 0o777 == 0o600

    for name, words in {
        "web": ("uvicorn",),
        "worker": ("celery",),
        "embedder": ("knowledge.embedder",),
        "redis": ("redis", "server"),
        "postgres": ("postgres", "-D"),
    }.items():
        os.kill(terminal.child(*words).pid, signal.SIGKILL)
        terminal.wait_for(f"{name} has died (signal SIGKILL). Starting it again", 10)
        terminal.wait_for(f"{name} is back", 60)
        terminal.wait(terminal.is_ready)

    family = terminal.children()
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.finish() == 0
    assert "All stopped; the data is kept." in terminal.text
    assert not still_there(family, 5)
    assert not (data_dir / "services.json").exists()


def test_a_killed_launcher_takes_everything_with_it_and_the_next_one_starts(
    terminal: Terminal, launcher_environment: dict[str, str]
) -> None:
    terminal.wait_for("Ctrl-C stops everything.")
    family = terminal.children()
    terminal.process.kill()
    assert not still_there(family, 20)

    begun = time.monotonic()
    second = Terminal(launcher_environment)
    try:
        second.wait_for("Ctrl-C stops everything.")
        assert time.monotonic() - begun < 30
        second.process.terminate()
        assert second.finish() == 0
    finally:
        second.process.kill()
        second.finish()
