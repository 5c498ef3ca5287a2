"""Who failed lately, and is tried after the others."""

from __future__ import annotations

import time
from typing import Final

REST_SECONDS: Final = 30.0


class Resting:
    """Which of several are passed over for a while, as long as another can be had.

    Args:
        several: how many there are.
    """

    def __init__(self, several: int) -> None:
        self._until = [0.0] * several

    def fail(self, index: int) -> None:
        """One has failed."""
        self._until[index] = time.monotonic() + REST_SECONDS

    def order(self) -> list[int]:
        """Those that may be well, then those that failed lately, each in the order they were given."""
        now = time.monotonic()
        return sorted(range(len(self._until)), key=lambda index: self._until[index] > now)
