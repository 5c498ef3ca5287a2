"""What the small processes beside the platform share: ASGI without a framework, refusals in OpenAI's words, a server.

The embedder and the speech server are made of it. Nothing here imports Django, so that they stay small.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeVar

import uvicorn

_GRACE_SECONDS = 5
_PATIENCE_SECONDS = 30
_T = TypeVar("_T")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Refused(Exception):
    """A request that is answered with an error object of OpenAI's shape.

    Args:
        status: the answer's HTTP status.
        code: stable, for programs; `param` names the field at fault.
        retry_after: whole seconds after which to try again.
    """

    def __init__(
        self, status: int, message: str, *, code: str, param: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        self.headers = {} if retry_after is None else {"retry-after": str(retry_after)}


class ClientGone(Exception):
    """Whoever asked has hung up; there is nobody to answer."""


def header(scope: Message, name: bytes) -> bytes:
    """The value of a header, empty where it is absent."""
    value: bytes = dict(scope["headers"]).get(name, b"")
    return value


def content_type(scope: Message) -> bytes:
    """The body's media type in lower case, without parameters."""
    return header(scope, b"content-type").split(b";")[0].strip().lower()


async def read_body(receive: Receive, *, most: int) -> bytes:
    """The request's body.

    Raises:
        Refused: it has more than `most` bytes, or no more of it came for half a minute.
        ClientGone: it never came to its end.
    """
    body = bytearray()
    more = True
    while more:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                message = await receive()
        except TimeoutError:
            raise Refused(408, "The request did not come to its end.", code="request_timeout") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            raise Refused(413, f"The request is larger than {most:,} bytes.", code="request_too_large")
    return bytes(body)


async def unless_gone(work: Awaitable[_T], receive: Receive) -> _T:
    """The result of `work`, which is dropped when the client hangs up.

    Raises:
        ClientGone: it did.
    """
    working = asyncio.ensure_future(work)
    listening = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        listening.cancel()
        if not working.done():
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working


async def send_json(send: Send, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """A whole answer."""
    data = json.dumps(body, separators=(",", ":")).encode()
    every = {"content-type": "application/json", "content-length": str(len(data)), **headers}
    await send({"type": "http.response.start", "status": status, "headers": raw_headers(every)})
    await send({"type": "http.response.body", "body": data})


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI wants them."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def end_quietly_when_told() -> None:
    """Being told to stop is not a failure: SIGTERM and SIGINT end the process with status 0."""
    # uvicorn finishes what it has begun, then raises the signal again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))


def serve(app: Application, *, host: str, port: int, largest_frame: int = 64 * 1024) -> None:
    """Listen until SIGTERM or SIGINT.

    Args:
        largest_frame: bytes of a websocket's message beyond which its connection is closed.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=largest_frame,
        server_header=False,
        date_header=False,
        backlog=512,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run()
