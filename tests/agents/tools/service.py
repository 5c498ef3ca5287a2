"""Somebody's HTTP service on loopback, which keeps what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """What is answered to all, until it is changed; `before` is awaited first."""

    port: int = 0
    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[], Awaitable[None]] | None = None
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(Asked(method, target, headers, body))
            if self.before is not None:
                await self.before()
            more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
            length = f"Content-Length: {len(self.body)}\r\n"
            writer.write(f"HTTP/1.1 {self.status} Any\r\n{length}{more}Connection: close\r\n\r\n".encode() + self.body)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def service() -> AsyncIterator[Service]:
    """A service for the length of a block."""
    made = Service()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        made.port = server.sockets[0].getsockname()[1]
        yield made
