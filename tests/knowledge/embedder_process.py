"""The embedder as the platform runs it: a process of its own on a free port."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]
# Kept between runs: the graph is 90 MB and its name says which version it is.
CACHE = Path(tempfile.gettempdir()) / f"switchboard-test-models-{os.getuid()}"


@contextlib.contextmanager
def running_embedder(cache: Path = CACHE) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its base URL (``http://127.0.0.1:N/v1``) and process, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "knowledge.embedder", "--port", str(port), "--cache", str(cache), "--threads", "1"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"http://127.0.0.1:{port}/healthz").is_success:
                    break
            assert process.poll() is None, "the embedder ended"
            assert time.monotonic() < deadline, "the embedder does not answer"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1", process
    finally:
        process.kill()
        process.wait()
