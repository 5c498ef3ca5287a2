"""How the server and its children talk: frames of a kind, a length and a payload, on a socket."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

LISTEN, AUDIO, FINALIZE, CLOSE, SPEAK = b"L", b"A", b"F", b"C", b"S"  # to a child
MESSAGE, DONE, SOUND, UNKNOWN_VOICE = b"M", b"D", b"P", b"U"  # from a child

_HEAD = struct.Struct("<cI")
_LARGEST = 64 * 1024 * 1024


def packed(kind: bytes, payload: bytes = b"") -> bytes:
    """A frame."""
    return _HEAD.pack(kind, len(payload)) + payload


def packed_json(kind: bytes, value: Any) -> bytes:
    """A frame that carries a value."""
    return packed(kind, json.dumps(value, separators=(",", ":")).encode())


def read(file: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next frame's kind and payload; None at the end."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    payload = file.read(length)
    return (kind, payload) if len(payload) == length else None


async def receive(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next frame's kind and payload.

    Raises:
        asyncio.IncompleteReadError, ConnectionError: there is none.
    """
    kind, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if length > _LARGEST:
        raise ConnectionError("a frame that is too large")
    return kind, await reader.readexactly(length)
