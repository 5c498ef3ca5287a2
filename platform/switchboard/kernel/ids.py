"""Identifiers that sort by time and can't be guessed."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Final

_STEPS: Final = 4096
"""In a millisecond: the 12 bits of `rand_a` hold them, so a step is 244 ns."""

_SET_BACK: Final = 10_000 * _STEPS
"""How far a clock may go back, in steps, before it is believed: no correction of a running clock is as much as 10 s."""

_lock = threading.Lock()
_latest = 0


def uuid7(*, earlier: int = 0) -> uuid.UUID:
    """A version 7 UUID (RFC 9562 §5.7) that sorts after every other that this process has made.

    48 bits of Unix milliseconds, 12 of a millisecond's fraction (§6.2, method 3), then 62 random bits. New rows land at
    the end of their index, as with a serial number, yet an id tells nobody how many there are. Where the clock stands
    still or goes back a little, ids go on from the latest: what was written later is listed later all the same.

    Args:
        earlier: milliseconds by which it sorts before one of this moment, for rows that are made together in an order.
    """
    global _latest
    with _lock:
        now = time.time_ns() * _STEPS // 1_000_000
        _latest = now if not _latest - _SET_BACK < now <= _latest else _latest + 1
        milliseconds, step = divmod(_latest, _STEPS)
    chance = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=(milliseconds - earlier) << 80 | 0x7 << 76 | step << 64 | 0b10 << 62 | chance)
