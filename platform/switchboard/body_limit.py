"""The most bytes a request may have, held before Django sees it: its ASGI handler spools a whole body to disk first."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from switchboard.kernel.parsers import FORM_BYTES
from switchboard.kernel.problems import CONTENT_TYPE, Problem
from switchboard.middleware import is_data_plane

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[..., Awaitable[Any]]


class BodyLimit:
    """Refuses a request whose body is, or turns out to be, too large.

    Args:
        app: what comes behind.
        data_plane: most bytes on the data plane, whose bodies are JSON.
        upload: most bytes of uploaded files in one request elsewhere.
    """

    def __init__(self, app: App, *, data_plane: int, upload: int) -> None:
        self.app = app
        self._data_plane = data_plane
        self._elsewhere = upload + FORM_BYTES

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Any:
        limit = self._data_plane if is_data_plane(scope["path"]) else self._elsewhere
        if _announced(scope) > limit:
            return await _refuse(send, limit)
        received = 0

        async def counted() -> dict[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge
            return message

        try:
            return await self.app(scope, counted, send)
        except _TooLarge:
            return await _refuse(send, limit)


class _TooLarge(Exception):
    pass


def _announced(scope: dict[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, limit: int) -> None:
    problem = Problem("too_large", f"The request has more than {limit:,} bytes.", status=413)
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem.as_dict()).encode()})
