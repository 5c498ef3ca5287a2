"""The ASGI entry point: HTTP through Django, websockets through Channels, and the work beside them through lifespan."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")

import django

django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import URLResolver, get_resolver

from conversations import routing as conversations
from switchboard.body_limit import BodyLimit
from switchboard.handler import Handler
from switchboard.kernel import heap, lifespan
from tenants.sockets import TenantSocketMiddleware
from voice_worker import routing as voice_worker

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def load_addresses() -> None:
    """Import every view, which Django would do with the first request."""
    waiting = [get_resolver()]
    while waiting:
        waiting += [found for found in waiting.pop().url_patterns if isinstance(found, URLResolver)]


async def _lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI lifespan protocol (asgi.readthedocs.io, "Lifespan Protocol")."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await lifespan.start()
                # Before the first visitor has to wait for it.
                load_addresses()
                heap.settle()
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await lifespan.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": BodyLimit(
            Handler(), upload=settings.UPLOAD_LIMIT_BYTES, elsewhere=settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        ),
        "websocket": TenantSocketMiddleware(URLRouter([*conversations.websocket_urls, *voice_worker.websocket_urls])),
        "lifespan": _lifespan,
    }
)
