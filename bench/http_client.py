"""An HTTP/1.1 client that costs next to nothing, so that a benchmark measures the server and not itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httptools

# Servers close connections that are idle; uvicorn after 5 s.
_IDLE_SECONDS = 4.0

OnBody = Callable[[bytes, int], None]
"""Takes a piece of a body and the monotonic microsecond at which it arrived."""


@dataclass(slots=True)
class Response:
    """A response that has ended."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class BrokenConnectionError(OSError):
    """The server closed the connection before the response had ended."""


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time.

    Args:
        host: the Host header of every request.
        key: an API key, sent with every request.
    """

    def __init__(self, *, port: int, host: str = "127.0.0.1", key: str = "") -> None:
        self.port = port
        self.host = host
        self._common = f"Host: {host}\r\n" + (f"Authorization: Bearer {key}\r\n" if key else "")
        self._transport: Any = None
        self._parser: Any = None
        self._answer = Response()
        self._parts: list[bytes] = []
        self._on_body: OnBody | None = None
        self._ended: asyncio.Future[Response] | None = None
        self._used = 0.0

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        on_body: OnBody | None = None,
        limit: float = 60.0,
    ) -> Response:
        """Send a request and wait until its response has ended.

        Args:
            body: bytes as they are, anything else as JSON.
            on_body: is given the body as it arrives, for 2xx answers; the response's own is then empty.
            limit: seconds for the whole of it.

        Raises:
            BrokenConnectionError: the server hung up.
            TimeoutError: it took too long; the connection is closed.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing() or loop.time() - self._used > _IDLE_SECONDS:
            self.close()
            await loop.create_connection(lambda: self, "127.0.0.1", self.port)
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        if body is not None and not isinstance(body, bytes):
            lines += "Content-Type: application/json\r\n"
        self._parser = httptools.HttpResponseParser(self)
        self._answer, self._parts, self._on_body = Response(), [], on_body
        self._ended = loop.create_future()
        head = f"{method} {path} HTTP/1.1\r\n{self._common}{lines}Content-Length: {len(content)}\r\n\r\n"
        self._transport.write(head.encode() + content)
        try:
            async with asyncio.timeout(limit):
                answer = await self._ended
                self._used = loop.time()
                return answer
        except (TimeoutError, asyncio.CancelledError):
            self.close()
            raise

    def close(self) -> None:
        """Hang up, in the middle of a response too."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # --- asyncio's and httptools' callbacks ---------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BrokenConnectionError(f"what came was not understood: {error.__context__ or error!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(BrokenConnectionError("the server closed the connection"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if self._on_body is not None and self._answer.status < 300:
            self._on_body(body, time.monotonic_ns() // 1000)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        self._answer.body = b"".join(self._parts)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(self._answer)

    def _fail(self, error: OSError) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)


class EventParser:
    """Cuts a body into server-sent events (WHATWG HTML, "Server-sent events"); comments are passed over.

    Args:
        on_event: takes id, name, data text and the monotonic microsecond at which its last byte arrived.
    """

    def __init__(self, on_event: Callable[[str, str, str, int], None]) -> None:
        self._on_event = on_event
        self._rest = b""

    def feed(self, data: bytes, arrived: int) -> None:
        """The next piece of the body."""
        blocks = (self._rest + data).split(b"\n\n")
        self._rest = blocks.pop()
        for block in blocks:
            identity, name, text = "", "message", ""
            for line in block.decode().split("\n"):
                label, _, value = line.partition(": ")
                if label == "data":
                    text = value
                elif label == "event":
                    name = value
                elif label == "id":
                    identity = value
            if text:
                self._on_event(identity, name, text, arrived)
