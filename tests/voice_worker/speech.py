"""The real speech server as a process of its own, and words spoken by espeak-ng. Known by `pytest_plugins`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def running_speech_server(*words: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its base URL (`http://127.0.0.1:N/v1`) and process, once it answers.

    Args:
        words: more of its command line, such as `--streams 2`.
    """
    port = free_port()
    command = [sys.executable, "-m", "voice_worker.speech_server", "--port", str(port), *words]
    process = subprocess.Popen(command, env=_environment(), cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while not http_ready(port, "/healthz"):
            assert process.poll() is None, f"the speech server ended with code {process.returncode}"
            assert time.monotonic() < deadline, "the speech server wasn't ready within 120 s"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1", process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def speech_url() -> Iterator[str]:
    """The speech server's base URL, `http://127.0.0.1:N/v1`: one server for all tests of the process."""
    with running_speech_server() as (url, _):
        yield url


@lru_cache(maxsize=64)
def spoken(text: str, *, voice: str = "en-us", rate: int = 16_000) -> tuple[bytes, int]:
    """The text spoken: PCM16 (mono) and its sample rate. Nothing but the words: no silence before or after."""
    from voice_worker.speech_server.resampling import Resampler

    command = [sys.executable, "-m", "tests.voice_worker.say", text, voice]
    said = subprocess.run(command, env=_environment(), cwd=ROOT, capture_output=True, check=True, timeout=60).stdout
    resampler = Resampler(int.from_bytes(said[:4], "big"), rate)
    return resampler.feed(said[4:]) + resampler.flush(), rate


def silence(seconds: float, *, rate: int = 16_000) -> bytes:
    """As much silence, as `spoken` has it."""
    return bytes(round(seconds * rate) * 2)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"}
