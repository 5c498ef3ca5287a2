"""The door for websockets: the tenant is settled at the handshake and stays for the socket's life."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.sessions import CookieMiddleware, SessionMiddleware

from switchboard.kernel.database import OUTAGES, DatabaseUnavailable
from switchboard.kernel.problems import Problem
from tenants.context import use_tenant
from tenants.middleware import admit_async, bearer_of, normal_host

App = Callable[[dict[str, Any], Any, Any], Awaitable[Any]]

# RFC 6455 leaves 4000 to 4999 to applications; ours follow HTTP's numbers.
CLOSE_OFFSET = 4000


class TenantSocketMiddleware:
    """Admits a socket as `TenantMiddleware` admits a request: key or token from the Authorization header
    or the `bearer.KEY` subprotocol.

    A browser can't set headers on a websocket; it can name subprotocols. A session cookie is honoured only for a page
    of the same host (Origin), since cookies are sent whoever opened the socket.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.with_session = CookieMiddleware(SessionMiddleware(app))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        host = normal_host(headers.get("host", ""))
        key = bearer_of(headers.get("authorization", "")) or _subprotocol_key(scope)
        try:
            admitted = await admit_async(host, key)
        except Problem as problem:
            return await _refuse(problem, receive, send)
        except OUTAGES:
            return await _refuse(DatabaseUnavailable(), receive, send)
        # A socket outlives the moment of its handshake: whoever serves it asks again by `readmit`.
        readmit = functools.partial(admit_async, host, key)
        found = {"tenant": admitted.scope, "api_key": admitted.key, "token": admitted.token}
        scope = {**scope, **found, "readmit": readmit}
        origin = headers.get("origin")
        same_origin = origin is None or normal_host(urlsplit(origin).netloc) == host
        with use_tenant(admitted.scope):
            if not key and same_origin:
                return await self.with_session(scope, receive, send)
            return await self.app(scope, receive, send)


def _subprotocol_key(scope: dict[str, Any]) -> str:
    for name in scope.get("subprotocols", ()):
        if name.startswith("bearer."):
            return str(name.removeprefix("bearer."))
    return ""


async def _refuse(problem: Problem, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": CLOSE_OFFSET + problem.status, "reason": problem.code})
