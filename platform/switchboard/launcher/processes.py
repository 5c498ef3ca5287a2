"""The supervisor: starts children, shows what they write, restarts the dead, stops all in order."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from switchboard.launcher.child import ChildCommand, describe_exit, signal_group, spawn
from switchboard.launcher.console import Console
from switchboard.launcher.errors import LaunchError, disk_full_sentence

_BACK_OFF = (0.2, 1.0, 2.0, 4.0, 8.0)  # seconds before the first, second, … restart within the window
_TAIL_LINES = 12  # of a child's output, quoted when something went wrong
_TICK = 0.05  # seconds between looks at the children


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM while something was being waited for."""


@dataclass(kw_only=True)
class Child:
    """One supervised program.

    Args:
        command: says how to start it; called before every start, so it may also clear what a crash left behind.
        ready: whether it does its work now; must answer within a few seconds. None: as soon as it runs.
        hush: lines that match aren't shown (they are kept for `last_words`).
        explain: turns exit code and last words into a sentence; None: a general one.
        grace: seconds it is given to stop by itself.
        one_shot: it is meant to end; not restarted.
    """

    name: str
    command: Callable[[], ChildCommand]
    ready: Callable[[], bool] | None = None
    hush: re.Pattern[str] | None = None
    explain: Callable[[int, str], str] | None = None
    grace: float = 10.0
    one_shot: bool = False

    running: ChildCommand | None = field(default=None, init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    reader: threading.Thread | None = field(default=None, init=False)
    last_words: deque[str] = field(default_factory=lambda: deque(maxlen=30), init=False)
    is_ready: bool = field(default=False, init=False)
    was_ready: bool = field(default=False, init=False)
    exit_code: int | None = field(default=None, init=False)
    deaths: deque[float] = field(default_factory=deque, init=False)
    restart_at: float | None = field(default=None, init=False)

    def tail(self) -> str:
        """The last lines it wrote, each on a line of its own below what is said of them; empty if there are none."""
        return "".join(f"\n  {line}" for line in list(self.last_words)[-_TAIL_LINES:])

    def account_for(self, code: int) -> str:
        """A sentence about how it ended, with what it wrote last."""
        if self.reader:
            self.reader.join(timeout=0.5)
        if self.explain:
            return self.explain(code, "\n".join(self.last_words))
        tail = self.tail()
        hint = " Somebody killed it, or the system did for want of memory." if code == -signal.SIGKILL else ""
        return f"{self.name} stopped with {describe_exit(code)}.{hint}" + (f" Its last words:{tail}" if tail else "")


class Supervisor:
    """Runs children and keeps them running. Use it from the main thread only: children live as long as that does.

    Args:
        console: shows their output.
        data_dir: named when a child says that the disk is full.
        most_deaths: a child that dies this often within `window` isn't restarted any more.
        window: seconds.
    """

    def __init__(
        self, console: Console, *, data_dir: Path | None = None, most_deaths: int = 5, window: float = 60.0
    ) -> None:
        self.console = console
        self.children: list[Child] = []
        self._most_deaths = most_deaths
        self._window = window
        self._stop_signals = 0
        self._last_signal = float("-inf")
        self.data_dir = data_dir
        self._disk_mentioned = float("-inf")

    def install_signal_handlers(self) -> None:
        """Let Ctrl-C, SIGTERM and a closed terminal stop everything; a second Ctrl-C does so without waiting."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def request_stop(self) -> None:
        """Stop everything, or, asked again, without waiting; what Ctrl-C does."""
        self._stop_signals += 1

    def start(self, child: Child) -> None:
        """Start a child; it is stopped after all that are started later.

        Raises:
            LaunchError: its program can't be run.
        """
        self._spawn(child)
        self.children.append(child)

    def wait_ready(self, *children: Child, limit: float) -> None:
        """Wait until all of them are ready.

        Args:
            limit: seconds.

        Raises:
            LaunchError: one died or the time is up.
            StopRequested: by a signal.
        """
        deadline = time.monotonic() + limit
        while waiting := [child for child in children if not child.is_ready]:
            self.tick()
            if time.monotonic() > deadline:
                child = waiting[0]
                tail = child.tail()
                raise LaunchError(
                    f"{child.name} runs but hasn't become ready within {limit:.0f} s."
                    + (f" Its last words:{tail}" if tail else " It wrote nothing.")
                )

    def wait_done(self, child: Child, *, limit: float) -> None:
        """Wait until a one-shot child has ended well.

        Args:
            limit: seconds.

        Raises:
            LaunchError: it failed or the time is up.
            StopRequested: by a signal.
        """
        deadline = time.monotonic() + limit
        while child.exit_code is None:
            self.tick()
            if time.monotonic() > deadline:
                raise LaunchError(f"{child.name} hasn't finished within {limit:.0f} s.")
        self.children.remove(child)

    def run(self) -> None:
        """Keep the children running until a signal asks to stop.

        Raises:
            LaunchError: a child died too often.
        """
        try:
            while True:
                self.tick()
        except StopRequested:
            return

    def tick(self) -> None:
        """Look at every child once, restart what is due, then sleep a little."""
        if self._stop_signals:
            raise StopRequested
        for child in list(self.children):
            self._look_at(child)
        time.sleep(_TICK)

    def stop_all(self) -> None:
        """Stop the children, the last started first. Another Ctrl-C kills what is left."""
        already = self._stop_signals
        for child in reversed(self.children):
            self._stop(child, already)
        self.children.clear()

    # Parts

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now > self._last_signal + 0.5:  # `make` passes a SIGTERM on that may have reached us already
            self.request_stop()
        self._last_signal = now

    def _spawn(self, child: Child) -> None:
        child.running = child.command()
        try:
            child.process = spawn(child.running)
        except OSError as error:
            raise LaunchError(f"{child.name} can't be started: {error}.") from None
        child.restart_at = None
        child.is_ready = False
        child.last_words.clear()
        child.reader = threading.Thread(target=self._read, args=(child, child.process), daemon=True, name=child.name)
        child.reader.start()

    def _read(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as pipe:
            while raw := pipe.readline(1 << 16):
                line = raw.decode(errors="replace").rstrip()
                child.last_words.append(line)
                if line and not (child.hush and child.hush.search(line)):
                    self.console.from_child(child.name, line)
                if "No space left on device" in line:
                    self._mention_disk()

    def _mention_disk(self) -> None:
        now = time.monotonic()
        if now > self._disk_mentioned + 60:  # a full disk makes many lines
            self._disk_mentioned = now
            self.console.say(disk_full_sentence(self.data_dir or "the data"))

    def _look_at(self, child: Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                self._restart(child)
            return
        assert child.process is not None
        code = child.process.poll()
        if code is None:
            if not child.is_ready and not child.one_shot and (child.ready is None or child.ready()):
                child.is_ready = True
                if child.was_ready:
                    self.console.say(f"{child.name} is back (pid {child.process.pid}).")
                child.was_ready = True
        elif not child.one_shot:
            self._bury(child, code)
        elif child.exit_code is None:
            if code:
                raise LaunchError(child.account_for(code))
            child.exit_code = code

    def _bury(self, child: Child, code: int) -> None:
        """Decide what follows a child's death."""
        if not child.was_ready:  # it never worked: starting it again would only hide why
            raise LaunchError(child.account_for(code))
        self._schedule_restart(child, f"{child.name} has died ({describe_exit(code)})", lambda: child.account_for(code))

    def _restart(self, child: Child) -> None:
        try:
            self._spawn(child)
        except LaunchError as error:
            sentence = str(error)
            self._schedule_restart(child, f"{child.name} can't be started again: {sentence}", lambda: sentence)

    def _schedule_restart(self, child: Child, what: str, why: Callable[[], str]) -> None:
        now = time.monotonic()
        child.deaths.append(now)
        while child.deaths[0] < now - self._window:
            child.deaths.popleft()
        if len(child.deaths) >= self._most_deaths:
            raise LaunchError(
                f"{child.name} has died {len(child.deaths)} times within {self._window:.0f} s; giving up. {why()}\n"
                f"Once that is put right, start again: the data is kept."
            )
        delay = _BACK_OFF[min(len(child.deaths), len(_BACK_OFF)) - 1]
        child.restart_at = now + delay
        child.is_ready = False
        self.console.say(f"{what}. Starting it again in {delay:g} s; nothing needs to be done.")

    def _stop(self, child: Child, signals_before: int) -> None:
        process, command = child.process, child.running
        if process is None or command is None:
            return
        for stop_signal in command.stop_signals:
            if process.poll() is not None:
                break
            signal_group(process, stop_signal, whole_group=False)
            deadline = time.monotonic() + child.grace / len(command.stop_signals)
            while process.poll() is None and time.monotonic() < deadline and self._stop_signals <= signals_before:
                time.sleep(0.01)
        if process.poll() is None:
            self.console.say(f"{child.name} didn't stop when asked; killing it.")
        signal_group(process, signal.SIGKILL)  # and what it may have left behind in its group
        process.wait()
        if child.reader:
            child.reader.join(timeout=1)
