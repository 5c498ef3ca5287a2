"""What the person at the terminal sees: numbered steps, and every child's lines under its name."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)  # ECMA-48 foreground colours
_CLEAR_LINE = "\r\x1b[K"


class Step:
    """A step under way; set `result` to what the line shall say when it is done."""

    result = "done"


class Console:
    """Writes whole lines from several threads, coloured on a terminal and plain elsewhere.

    Args:
        stream: where to write; None: standard output.
        names: of the children, so that all prefixes are equally wide.
    """

    def __init__(self, stream: TextIO | None = None, names: tuple[str, ...] = ()) -> None:
        self._stream = stream or sys.stdout
        self._colourful = self._stream.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org
        self._width = max((len(name) for name in names), default=8)
        self._lock = threading.RLock()
        self._palette: dict[str, int] = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
        self._unfinished = ""
        self._steps_begun = 0
        self.steps_expected = 0

    def say(self, text: str) -> None:
        """Write a line of the launcher's own."""
        with self._lock:
            self._write(text)

    def from_child(self, name: str, line: str) -> None:
        """Write a line that the child `name` wrote."""
        with self._lock:
            colour = self._palette.setdefault(name, _COLOURS[len(self._palette) % len(_COLOURS)])
            self._write(f"{self._paint(f'{name:<{self._width}} |', colour)} {line}")

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Number a step, show it while it lasts, and end its line with its result and its duration."""
        step = Step()
        self._steps_begun += 1
        head = f"[{self._steps_begun}/{self.steps_expected}] {title} …"
        begun = time.monotonic()
        with self._lock:
            self._unfinished = head
            if self._colourful:
                self._emit(head)
        try:
            yield step
        except BaseException as error:
            self._finish(f"{head} {'failed' if isinstance(error, Exception) else 'interrupted'}")
            raise
        self._finish(f"{head} {step.result} ({time.monotonic() - begun:.1f} s)")

    def _finish(self, line: str) -> None:
        with self._lock:
            self._emit(_CLEAR_LINE if self._colourful else "")
            self._unfinished = ""
            self._write(line)

    def _write(self, line: str) -> None:
        if self._unfinished and self._colourful:
            self._emit(f"{_CLEAR_LINE}{line}\n{self._unfinished}")
        else:
            self._emit(f"{line}\n")

    def _emit(self, text: str) -> None:
        # The terminal may be gone (closed window, `| head`); the children still have to be stopped in order.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def _paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colourful else text


def box(lines: list[str]) -> str:
    """The lines in a frame."""
    width = max(len(line) for line in lines)
    middle = [f"│ {line:<{width}} │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *middle, f"└{'─' * (width + 2)}┘"])
