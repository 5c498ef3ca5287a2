"""Servers that outlived a killed launcher, and the pid files of servers that were killed themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from switchboard.launcher.errors import LaunchError


def command_line(pid: int) -> str:
    """The words a process was started with; empty when there is no such process (or it is a zombie)."""
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    found = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout


def stop_orphan(
    pid: int, is_ours: Callable[[str], bool], signals: Sequence[signal.Signals], *, patience: float = 10
) -> None:
    """Stop process `pid` if its command line is ours.

    Args:
        signals: tried one after another, then SIGKILL.
        patience: seconds given to each.

    Raises:
        LaunchError: it can't be stopped.
    """
    for number in (*signals, signal.SIGKILL):
        if not is_ours(command_line(pid)):
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            break
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and is_ours(command_line(pid)):
            time.sleep(0.02)
    if is_ours(command_line(pid)):
        raise LaunchError(
            f"A server of an earlier run is still there (pid {pid}) and can't be stopped. Stop it: kill {pid}"
        )


def clear_stale_postmaster(data: Path) -> None:
    """Stop a PostgreSQL that an earlier launcher left behind in `data`, and remove the pid file of a dead one."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid_file.unlink(missing_ok=True)
        return

    def is_ours(words: str) -> bool:
        return "postgres" in words and str(data) in words

    stop_orphan(pid, is_ours, (signal.SIGINT, signal.SIGQUIT))
    _wait_for_backends(data, pid)
    # Its number may belong to an unrelated process by now (always so after a restart in a container), and PostgreSQL
    # would take that for itself and refuse to start.
    pid_file.unlink(missing_ok=True)


def _wait_for_backends(data: Path, postmaster: int, *, patience: float = 10) -> None:
    """Wait until the server's own children are gone: they notice a killed parent by themselves, but not at once."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(pid != postmaster for pid in _working_in(data)):
        time.sleep(0.02)


def _working_in(folder: Path) -> list[int]:
    """Processes whose current folder is `folder` (Linux only; elsewhere none are found)."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                found.append(int(link.parts[2]))
        except (OSError, ValueError):
            continue
    return found
