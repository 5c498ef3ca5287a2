"""How much of one web process audio websockets may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

from switchboard.kernel.problems import Problem

_BURST_SECONDS: Final = 4.0  # that a client may be ahead of the clock, such as after its network was away
_open = 0


@contextmanager
def one_of_few() -> Iterator[None]:
    """Take one of this process's places.

    Raises:
        Problem: 503 `too_many_streams`.
    """
    global _open
    if _open >= settings.AUDIO_STREAMS:
        detail = "All places for voice conversations are taken. Try again in a moment."
        raise Problem("too_many_streams", detail, status=503, headers={"Retry-After": "5"})
    _open += 1
    try:
        yield
    finally:
        _open -= 1


class Pace:
    """Nobody speaks faster than time passes.

    Args:
        bytes_a_second: what somebody who speaks sends at most.
    """

    def __init__(self, bytes_a_second: int) -> None:
        self._rate = bytes_a_second
        self._credit = _BURST_SECONDS * bytes_a_second
        self._at = time.monotonic()

    def take(self, size: int) -> None:
        """Account for a message.

        Raises:
            Problem: 429 `audio_too_fast`.
        """
        now = time.monotonic()
        # A little more than time passes: two clocks are never quite alike.
        self._credit = min(self._credit + (now - self._at) * self._rate * 1.05, _BURST_SECONDS * self._rate)
        self._at = now
        self._credit -= size
        if self._credit < 0:
            raise Problem("audio_too_fast", "Send audio as fast as it is spoken, and no faster.", status=429)
