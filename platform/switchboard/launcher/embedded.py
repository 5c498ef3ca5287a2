"""What the embedded servers have in common: one folder, one loopback port, a start that waits, and last words."""

from __future__ import annotations

import errno
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Final

from switchboard.launcher.child import ChildCommand, describe_exit, spawn, stop
from switchboard.launcher.errors import LaunchError, disk_full_sentence
from switchboard.launcher.ports import stable_port

_START_SECONDS: Final = 60
_LAST_LINES: Final = 8


class EmbeddedServer(ABC):
    """A server with its data in a folder of its own and a loopback port that it keeps.

    A supervisor runs it from `prepare`; tests, and whoever has no supervisor, `start` and `stop` it.

    Args:
        folder: made when it is missing.
    """

    title: ClassVar[str]
    """What people call it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._command: ChildCommand | None = None
        self._process: subprocess.Popen[bytes] | None = None

    # For tests and anyone without a supervisor

    def start(self) -> str:
        """Start the server and wait until it is of use; returns its URL with the password.

        Raises:
            LaunchError: it can't be started; the text says what to do.
        """
        command = self._command = self.prepare()
        log = self.folder / "log"
        with log.open("wb") as output:
            self._process = spawn(command, stdout=output)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not self.answers():
                code = self._process.poll()
                if code is not None:
                    raise LaunchError(self.explain(code, log.read_text(errors="replace")))
                if time.monotonic() > deadline:
                    raise LaunchError(f"{self.title} didn't answer within {_START_SECONDS} s. Its log is {log}.")
                time.sleep(0.01)
            self.set_up()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server in an orderly way: what it has accepted is on disk afterwards."""
        if self._process is not None and self._command is not None:
            stop(self._process, self._command)
            self._process = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    # For the supervisor, piece by piece

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address, password included."""

    @property
    def place(self) -> Path:
        """The folder of the server's own files."""
        return self.folder

    def prepare(self) -> ChildCommand:
        """Make what is missing, clear what a crash left behind, and say how to start the server.

        Safe to call again before every restart: port and data stay the same.

        Raises:
            LaunchError: with a sentence that says what to do.
        """
        try:
            return self._prepare()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise LaunchError(disk_full_sentence(self.folder)) from None
            raise LaunchError(f"{self.title} can't be started: {error}.") from None

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes requests with our password."""

    def set_up(self) -> None:  # noqa: B027 - most need nothing
        """What is left to do once the server answers. Idempotent."""

    def explain(self, code: int, log: str) -> str:
        """A sentence for a server that ended with `code` after writing `log`."""
        if "No space left on device" in log:
            return disk_full_sentence(self.place)
        last = "\n".join(f"  {line}" for line in log.strip().splitlines()[-_LAST_LINES:])
        return f"{self.title} stopped with {describe_exit(code)}. Its last words:\n{last}"

    # Parts

    @abstractmethod
    def _prepare(self) -> ChildCommand:
        """As `prepare`; an OSError is made a sentence there."""

    def _settle_port(self) -> None:
        """Take the port of the last time, or another where a program has taken that meanwhile."""
        if not self.port:  # else clients know it: a restart must come back there
            self.port = stable_port(self.folder / "port")
