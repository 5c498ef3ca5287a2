"""TCP ports: which are free, which one a service had last time, and who has the one we want."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
import time
from pathlib import Path

# Below the range from which kernels pick ports for outgoing connections (Linux 32768+, macOS 49152+), so that no client
# socket sits on a service's port while that service restarts.
_FIRST, _LAST = 20000, 29999


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def free_port() -> int:
    """A port nothing listens on."""
    for _ in range(200):
        port = random.randint(_FIRST, _LAST)  # noqa: S311 - not a secret
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stable_port(memory: Path) -> int:
    """The port kept in the file `memory` while it is free; else a new one, which is then kept there."""
    try:
        port = int(memory.read_text())
    except (OSError, ValueError):
        port = 0
    # A process that was just killed holds its port for a moment longer than its name.
    deadline = time.monotonic() + 1
    while 1024 <= port <= 65535 and time.monotonic() < deadline:
        if is_free(port):
            return port
        time.sleep(0.02)
    port = free_port()
    memory.write_text(f"{port}\n")
    return port


def holder_of(port: int) -> str:
    """Who listens on a local port: `python3 -m http.server 8000 (pid 4711)`, or `another program`."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: TCP_LISTEN
                    inodes.add(f"socket:[{fields[9]}]")
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if str(link.readlink()) in inodes:
                pid = link.parts[2]
                words = Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace").split("\0")
                return f"`{' '.join(words).strip()[:80]}` (pid {pid})"
    return "another program"
