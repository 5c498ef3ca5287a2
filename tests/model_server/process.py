"""The stub model server as a process of its own, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from switchboard.launcher.child import ChildCommand, spawn, stop

ROOT = Path(__file__).resolve().parents[2]


class ModelServer:
    """A running stub.

    Args:
        port: 0 for any that is free.
    """

    def __init__(self, port: int = 0) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
        self._command = ChildCommand(
            argv=[sys.executable, "-m", "tests.model_server", "--port", str(port)],
            env={**os.environ, "PYTHONPATH": path},
            cwd=ROOT,
        )
        self.process: subprocess.Popen[bytes] = spawn(self._command)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().decode().strip()
        """Base URL, `/v1` included."""
        if not self.url.startswith("http://"):
            rest = self.process.stdout.read().decode(errors="replace")
            self.stop()
            raise RuntimeError(f"the stub model server didn't start: {self.url}\n{rest}")

    @property
    def host_and_port(self) -> str:
        """As EGRESS_ALLOW wants it."""
        return urlsplit(self.url).netloc

    def requests(self) -> dict[str, Any]:
        """What it has been asked for: `counts` by behaviour, `open`, `finished`, `abandoned`, the last `requests`."""
        found: dict[str, Any] = self._ask("GET", "/_requests")
        return found

    def count(self, behaviour: str) -> int:
        """How often a behaviour was asked for."""
        return int(self.requests()["counts"].get(behaviour, 0))

    def reset(self) -> None:
        """Forget all requests."""
        self._ask("POST", "/_reset")

    def stop(self) -> None:
        """End the process."""
        stop(self.process, self._command, deadline=3)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _ask(self, method: str, path: str) -> Any:
        with contextlib.closing(http.client.HTTPConnection(self.host_and_port, timeout=5)) as connection:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())


def start(port: int = 0) -> ModelServer:
    """Start a stub; its `url` is an OpenAI-compatible base URL. Stop it with `stop()`."""
    return ModelServer(port)


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[ModelServer]:
    """A stub for the length of a block."""
    server = start(port)
    try:
        yield server
    finally:
        server.stop()
