"""What the launcher says when it can't go on: sentences for the person at the terminal, never a traceback."""

from __future__ import annotations


class LaunchError(Exception):
    """A reason not to start, or to stop, as a sentence that says what to do about it.

    Args:
        sentence: the text to print, as it is.
        exit_code: what the process exits with (2 for a faulty configuration, 1 for everything else).
    """

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def disk_full_sentence(folder: object) -> str:
    """The one sentence for ENOSPC, wherever it came from."""
    return f"The disk that holds {folder} is full. Free some space, or choose a folder on another disk with DATA_DIR=…"
