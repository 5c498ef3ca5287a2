"""The most bytes a request may have, held before Django sees it: its ASGI handler spools a whole body to disk first."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agents.configuration.reading import MOST_BYTES
from switchboard.kernel.parsers import FORM_BYTES
from switchboard.kernel.problems import CONTENT_TYPE, TRPC_PATHS, Problem, trpc_error

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
DOCUMENTS: Final = ("/api/v1/config/",)
UPLOADS: Final = ("/api/v1/documents", "/admin/knowledge/document/add/")
App = Callable[..., Awaitable[Any]]


class BodyLimit:
    """Refuses a request whose body is, or turns out to be, too large.

    Args:
        app: what comes behind.
        upload: most bytes of uploaded files in one request, where files are uploaded.
        elsewhere: most bytes anywhere else, the sign-in page included.
    """

    def __init__(self, app: App, *, upload: int, elsewhere: int) -> None:
        self.app = app
        self._upload = upload + FORM_BYTES
        self._elsewhere = elsewhere

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Any:
        limit = self._elsewhere
        if scope["path"].startswith(UPLOADS):
            limit = self._upload
        elif scope["path"].startswith(DOCUMENTS):
            limit = max(limit, MOST_BYTES)
        if _announced(scope) > limit:
            return await _refuse(send, limit, scope["path"])
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
            return await _refuse(send, limit, scope["path"])


class _TooLarge(Exception):
    pass


def _announced(scope: dict[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, limit: int, path: str) -> None:
    problem = Problem("too_large", f"The request has more than {limit:,} bytes.", status=413)
    content_type, body = CONTENT_TYPE, problem.as_dict()
    if path.startswith(TRPC_PATHS):
        content_type, body = "application/json", {"error": trpc_error(problem, path.removeprefix(TRPC_PATHS))}
    headers = [(b"content-type", content_type.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
