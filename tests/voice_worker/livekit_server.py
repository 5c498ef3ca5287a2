"""A real LiveKit server on loopback, for tests that need rooms."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from switchboard.launcher.ports import free_port

# Where `make livekit` puts it.
BUILT = Path(sys.prefix) / "livekit" / "livekit-server"


@dataclass(frozen=True, slots=True)
class LiveKitServer:
    """Where it is, and what signs tokens for it and its webhooks."""

    url: str
    api_key: str
    api_secret: str

    @property
    def http_url(self) -> str:
        return self.url.replace("ws", "http", 1)

    def environment(self) -> dict[str, str]:
        """What leads a process of ours to it."""
        return {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key,
            "LIVEKIT_API_SECRET": self.api_secret,
        }

    def remove(self, kind: str, room: str) -> None:
        """Turn somebody out of a room, as operators do with LiveKit's own tools.

        Args:
            kind: what their identity begins with; there is one of it.
        """
        grant = {"iss": self.api_key, "exp": int(time.time()) + 60, "video": {"roomAdmin": True, "room": room}}
        token = jwt.encode(grant, self.api_secret, algorithm="HS256")

        def ask(method: str, **body: str) -> Any:
            request = urllib.request.Request(  # noqa: S310
                f"{self.http_url}/twirp/livekit.RoomService/{method}",
                json.dumps(body).encode(),
                {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)

        there = [one["identity"] for one in ask("ListParticipants", room=room)["participants"]]
        [identity] = [one for one in there if one.startswith(f"{kind}-")]
        ask("RemoveParticipant", room=room, identity=identity)


def program() -> str:
    """The server's binary: the one on PATH, or the one that `make livekit` built."""
    found = os.environ.get("LIVEKIT_SERVER") or shutil.which("livekit-server") or str(BUILT)
    assert Path(found).exists(), "There is no livekit-server: run `make livekit`."
    return found


@contextlib.contextmanager
def running_livekit(
    *, webhooks: str = "", port: int | None = None, keys: tuple[str, str] | None = None
) -> Iterator[LiveKitServer]:
    """A LiveKit server, once it answers.

    Args:
        webhooks: where it tells what happens in its rooms; empty: nowhere.
        keys: its key and secret, for whoever had to know them before it runs.
    """
    port = port or free_port()
    key, secret = keys or (f"key{secrets.token_hex(4)}", secrets.token_hex(24))
    config: dict[str, object] = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "tcp_port": free_port(),
            "port_range_start": 50000,
            "port_range_end": 60000,
            "node_ip": "127.0.0.1",
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": ["lo"]},
            "stun_servers": ["127.0.0.1:1"],
        },
        "keys": {key: secret},
        "logging": {"level": "error", "pion_level": "error"},
        "room": {"auto_create": True, "empty_timeout": 20},
        # Of its own accord LiveKit gives a worker nothing above 0.7, and a machine that runs tests is seldom below.
        "agents": {"target_load": 10.0},
    }
    if webhooks:
        config["webhook"] = {"api_key": key, "urls": [webhooks]}
    process = subprocess.Popen(
        [program(), "--config-body", json.dumps(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 90
        while not _answers(port):
            assert process.poll() is None, f"livekit-server ended with code {process.returncode}"
            assert time.monotonic() < deadline, "livekit-server didn't answer within 90 s"
            time.sleep(0.05)
        yield LiveKitServer(f"ws://127.0.0.1:{port}", key, secret)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def livekit() -> Iterator[LiveKitServer]:
    """One server for all tests of a process; rooms have names of their own."""
    with running_livekit() as server:
        yield server
