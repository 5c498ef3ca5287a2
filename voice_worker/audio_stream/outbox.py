"""What goes to the client of an audio websocket, in order, at the speed at which it takes it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from voice_worker.audio_stream.protocol import Form

_MOST_WAITING: Final = 2_000
SLOWEST_SECONDS: Final = 10.0  # for one message


def dumps(event: str, data: dict[str, Any]) -> str:
    """An event as it travels, in the shape that a conversation's socket has."""
    return json.dumps({"event": event, "data": data}, ensure_ascii=False)


class ClientTooSlow(Exception):
    """The client doesn't take what is sent to it."""


@dataclass(frozen=True, slots=True)
class _Audio:
    segment: int
    data: bytes


class Outbox:
    """Messages that wait for the client.

    Args:
        send: sends a text or a binary message, and waits while the connection is full.
        form: how audio travels.
        slowest: seconds that a client may take over one message.
    """

    def __init__(
        self, send: Callable[[str | bytes], Awaitable[None]], *, form: Form, slowest: float = SLOWEST_SECONDS
    ) -> None:
        self._send = send
        self._form = form
        self._slowest = slowest
        self._waiting: deque[str | _Audio] = deque()
        self._filled = asyncio.Event()

    def say(self, event: str, data: dict[str, Any]) -> None:
        """An event of the session's."""
        self.forward(dumps(event, data))

    def forward(self, text: str) -> None:
        """A message as it is."""
        self._waiting.append(text)
        self._filled.set()

    def play(self, segment: int, data: bytes) -> None:
        """A piece of the agent's speech."""
        self._waiting.append(_Audio(segment, data))
        self._filled.set()

    def drop_audio(self) -> None:
        """Take back what was not sent yet of the agent's speech."""
        kept = [message for message in self._waiting if isinstance(message, str)]
        self._waiting.clear()
        self._waiting.extend(kept)

    async def run(self) -> None:
        """Send, until cancelled.

        Raises:
            ClientTooSlow: it takes too long over a message, or too many wait.
            OSError: it is gone.
        """
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                if len(self._waiting) > _MOST_WAITING:
                    raise ClientTooSlow
                await self._send_one(self._waiting.popleft())

    async def flush(self) -> None:
        """Send what is left now. Raises as `run` does."""
        while self._waiting:
            await self._send_one(self._waiting.popleft())

    async def _send_one(self, message: str | _Audio) -> None:
        try:
            async with asyncio.timeout(self._slowest):
                await self._send(message if isinstance(message, str) else self._written(message))
        except TimeoutError:
            raise ClientTooSlow from None

    def _written(self, audio: _Audio) -> str | bytes:
        if self._form == "binary":
            return audio.data
        data = {"segment": audio.segment, "audio": base64.b64encode(audio.data).decode()}
        return dumps("audio", data)
