"""Somebody who speaks to the client in the platform's place, on loopback: as slow, rude or absent as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from switchboard.launcher.ports import free_port


@dataclass
class Heard:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any


@dataclass
class Double:
    """Answers each path as told: a status, or a list of them in turn, the last for ever.

    Args:
        delay: seconds before each answer.
        swallow: answers that are not sent though the request was heard: the connection is closed instead.
    """

    port: int
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    delay: float = 0.0
    swallow: int = 0
    heard: list[Heard] = field(default_factory=list)
    opened: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> set[str]:
        """What was told, by its keys: as a platform that keeps each once would have it."""
        return {one.body.get("idempotency_key") or one.body.get("event_id") for one in self.heard if one.body}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
                sent = await reader.readexactly(int(headers.get("content-length", 0)))
                self.heard.append(Heard(method, target, headers, json.loads(sent) if sent else None))
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.swallow:
                    self.swallow -= 1
                    break
                writer.write(self._answer(target.partition("?")[0]))
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    def _answer(self, path: str) -> bytes:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        content = self.answers.get(path, {"recorded": True}) if status < 400 else {"code": "no", "detail": "No."}
        body = self.raw if self.raw is not None else json.dumps(content).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"HTTP/1.1 {status} Any\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@contextlib.asynccontextmanager
async def platform_double() -> AsyncIterator[Double]:
    """One for the length of a block."""
    double = Double(free_port())
    await double.start()
    try:
        yield double
    finally:
        await double.stop()
