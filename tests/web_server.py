"""The web server as it is shipped, in a process of its own, on the tests' database and Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready
from tests.voice_worker.livekit_server import LiveKitServer

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def web_server(django_db_setup: None, embedder: str, livekit: LiveKitServer) -> Iterator[str]:
    """Its address. Tests that want it to see their rows ask for `live_tenants` too."""
    port = free_port()
    words = ["-m", "uvicorn", "switchboard.asgi:application", "--port", str(port), "--log-level", "warning"]
    environment = {
        **os.environ,
        **livekit.environment(),
        "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
        "LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while not http_ready(port, "/healthz"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
