"""Starting a child process so that it can neither outlive its parent nor catch its Ctrl-C."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from switchboard.launcher.accounts import Account

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Loaded here, in the parent: between fork and exec a child must not import or allocate much.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


@dataclass(frozen=True, kw_only=True)
class ChildCommand:
    """How to start one child, and which signals mean what to it."""

    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    account: Account | None = None
    """Run as this account instead of the parent's (only root can)."""
    stop_signals: Sequence[signal.Signals] = field(default=(signal.SIGTERM,))
    """Sent one after another, each given its share of the deadline; SIGKILL follows the last."""
    death_signal: signal.Signals = signal.SIGTERM
    """Sent by the kernel (Linux) when the thread that started the child is gone."""


def _leash(death_signal: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    parent = os.getpid()
    prctl = _libc.prctl

    def tie_to_parent() -> None:
        # Runs after setuid(), which would clear the setting again.
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return tie_to_parent


def spawn(command: ChildCommand, *, stdout: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, tied to this process's life.

    Call it from a thread that lives as long as the child should: Linux sends the death signal when that thread ends.

    Args:
        stdout: where both output streams go, as for `subprocess.Popen`.

    Raises:
        OSError: the program can't be executed.
    """
    account = command.account
    return subprocess.Popen(  # noqa: S603 - our own argument lists, no shell
        list(command.argv),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        env=None if command.env is None else dict(command.env),
        cwd=command.cwd,
        start_new_session=True,
        umask=0o077,  # what the platform writes is its owner's business alone
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=_leash(command.death_signal),
    )


def stop(process: subprocess.Popen[bytes], command: ChildCommand, *, deadline: float = 10.0) -> int:
    """Stop a child gracefully, then less so; returns its exit code (negative: the signal that ended it).

    Args:
        deadline: seconds until SIGKILL, shared evenly among the command's stop signals.
    """
    for stop_signal in command.stop_signals:
        if process.poll() is not None:
            break
        signal_group(process, stop_signal, whole_group=False)
        try:
            process.wait(timeout=deadline / len(command.stop_signals))
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        signal_group(process, signal.SIGKILL)
    return process.wait()


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals, *, whole_group: bool = True) -> None:
    """Send a signal to a child, or to it and everything it started in its process group."""
    try:
        if whole_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except (ProcessLookupError, PermissionError):
        pass


def describe_exit(code: int) -> str:
    """`exit code 3` or `signal SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
