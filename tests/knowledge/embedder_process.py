"""The real embedder as a process of its own, for tests that need real vectors."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready

ROOT = Path(__file__).resolve().parents[2]
# Kept between runs, for making the graph takes a while.
CACHE = Path(sys.prefix) / "embedder-for-tests"


@contextlib.contextmanager
def running_embedder(port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its base URL (`http://127.0.0.1:N/v1`) and process, once it answers; at a free port unless one is given."""
    port = port or free_port()
    command = [sys.executable, "-m", "knowledge.embedder", "--port", str(port), "--cache", str(CACHE)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"}
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while not http_ready(port, "/healthz"):
            assert process.poll() is None, f"the embedder ended with code {process.returncode}"
            assert time.monotonic() < deadline, "the embedder wasn't ready within 120 s"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1", process
    finally:
        process.kill()
        process.wait()
