"""Identifiers that sort by time and can't be guessed."""

from __future__ import annotations

import os
import time
import uuid


def uuid7(*, earlier: int = 0) -> uuid.UUID:
    """A version 7 UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits.

    New rows land at the end of their index, as with a serial number, yet an id tells nobody how many there are.

    Args:
        earlier: milliseconds by which it sorts before one of this moment, for rows that are made together in an order.
    """
    milliseconds = time.time_ns() // 1_000_000 - earlier
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
