"""A client of the ASGI application in this process, for streams: it reads as the server writes, and can leave
half-way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from switchboard.asgi import application


@dataclass
class Event:
    """A server-sent event as a browser would see it."""

    id: int
    kind: str
    data: dict[str, Any]


@dataclass
class Answer:
    """The head of a response, and what has been read of its body."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    _parts: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)

    def json(self) -> Any:
        return json.loads(self.body)

    async def events(self) -> AsyncIterator[Event]:
        """Events until the server ends the stream; keep-alive comments are passed over."""
        text = ""
        while (part := await self._parts.get()) is not None:
            text += part.decode()
            while "\n\n" in text:
                block, text = text.split("\n\n", 1)
                if not block.startswith(":"):
                    fields = dict(line.split(": ", 1) for line in block.split("\n"))
                    yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))


class AsgiClient:
    """Speaks to the application on one tenant's host."""

    def __init__(self, host: str, key: str = "") -> None:
        self.host = host
        self.key = key

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A whole response."""
        async with self.stream(method, path, body, **headers) as answer:
            while (part := await answer._parts.get()) is not None:
                answer.body += part
            return answer

    @asynccontextmanager
    async def stream(self, method: str, path: str, body: Any = None, **headers: str) -> AsyncIterator[Answer]:
        """A response while it arrives. Leaving the block disconnects the client."""
        gone = asyncio.Event()
        sent = False
        started: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": content, "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                found = {name.decode().lower(): value.decode() for name, value in message["headers"]}
                started.set_result(Answer(message["status"], found))
            elif message["type"] == "http.response.body":
                answer = started.result()
                if message.get("body"):
                    answer._parts.put_nowait(message["body"])
                if not message.get("more_body"):
                    answer._parts.put_nowait(None)

        serving = asyncio.create_task(application(self._scope(method, path, headers), receive, send))
        try:
            await asyncio.wait([serving, started], return_when=asyncio.FIRST_COMPLETED)
            if not started.done():
                await serving
            yield started.result()
        finally:
            gone.set()
            await asyncio.wait([serving], timeout=5)

    def _scope(self, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = path.partition("?")
        sent = {"host": self.host, "content-type": "application/json"}
        if self.key:
            sent["authorization"] = f"Bearer {self.key}"
        sent |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 50_000),
            "server": (self.host, 80),
        }
