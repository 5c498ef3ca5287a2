"""Somebody on an audio websocket, who speaks with espeak-ng's voice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from channels.testing import WebsocketCommunicator

from switchboard.asgi import application
from tests.conversations.caller import Caller
from tests.voice_worker.speech import silence, spoken

RATE = 16_000
FRAME = RATE * 2 // 50  # 20 ms


def socket(host: str, *, key: str = "", **headers: str) -> WebsocketCommunicator:
    """A websocket that nobody has opened yet."""
    if key:
        headers["authorization"] = f"Bearer {key}"
    sent = [(b"host", host.encode())] + [(name.encode(), value.encode()) for name, value in headers.items()]
    return WebsocketCommunicator(application, "/api/v1/voice/stream", headers=sent)


class Call:
    """Hears all the time, and keeps what it heard."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.ws = communicator
        self.events: list[dict[str, Any]] = []
        self.audio = bytearray()
        self.closed: dict[str, Any] | None = None
        self._came = asyncio.Event()
        self._hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        while self.closed is None:
            message = await self.ws.output_queue.get()
            if message["type"] == "websocket.close":
                self.closed = message
            elif message.get("bytes"):
                self.audio += message["bytes"]
            elif message.get("text"):
                self.events.append(json.loads(message["text"]))
            self._came.set()

    async def tell(self, **value: Any) -> None:
        """A request."""
        await self.ws.send_to(json.dumps(value))

    async def say(self, text: str, *, after: float = 1.2) -> None:
        """Speak at the speed of speech, then be silent."""
        await self.send(spoken(text, rate=RATE)[0] + silence(after, rate=RATE))

    async def send(self, pcm: bytes) -> None:
        """Sound at the speed of sound."""
        began = time.monotonic()
        for number, at in enumerate(range(0, len(pcm), FRAME)):
            await self.ws.send_to(bytes_data=pcm[at : at + FRAME])
            await asyncio.sleep(max(0.0, began + number * 0.02 - time.monotonic()))

    async def wait(self, reached: Callable[[Call], object], seconds: float = 60) -> Any:
        """Until something is true of what was heard."""
        deadline = time.monotonic() + seconds
        while not (found := reached(self)):
            left = deadline - time.monotonic()
            assert left > 0, [event for event in self.events if event["event"] != "delta"]
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), min(left, 0.5))
            except TimeoutError:
                continue
        return found

    async def heard(self, event: str, seconds: float = 60, **data: Any) -> dict[str, Any]:
        """The first event of a name, with these values in it."""

        def found(call: Call) -> Any:
            for one in call.events:
                if one["event"] == event and data.items() <= one.get("data", {}).items():
                    return one["data"] or {"": None}
            return None

        return dict(await self.wait(found, seconds))

    def all(self, event: str) -> list[dict[str, Any]]:
        """What every event of a name told so far."""
        return [one["data"] for one in self.events if one["event"] == event]

    @property
    def loudness(self) -> float:
        """Of what was heard: 0 for silence."""
        samples = np.frombuffer(bytes(self.audio[: len(self.audio) // 2 * 2]), np.int16).astype(float)
        return float(np.sqrt((samples**2).mean())) if len(samples) else 0.0

    async def aclose(self) -> None:
        """Be gone without a word."""
        self._hearing.cancel()
        await self.ws.disconnect(timeout=30)


@asynccontextmanager
async def calling(caller: Caller, **start: Any) -> AsyncIterator[Call]:
    """A call with the caller's agent, once it is ready; `start` goes with the request."""
    communicator = socket(caller.http.host, key=caller.http.key)
    accepted, code = await communicator.connect(timeout=30)
    assert accepted, code
    call = Call(communicator)
    try:
        wanted = {"agent": str(caller.agent.pk), "sample_rate": RATE, **start}
        await call.tell(type="start", **{name: value for name, value in wanted.items() if value is not None})
        await call.heard("ready", 60)
        yield call
    finally:
        await call.aclose()
