"""Django's ASGI handler, without a new thread for each request of the data plane."""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler

from switchboard.middleware import is_data_plane


class Handler(ASGIHandler):
    """Django gives each request a thread of its own for what is sync.

    On the data plane that is its signals and closing the response, microseconds both; starting and ending a thread for
    them is a tenth of a chat's processor time. There one thread serves all; the database has its own
    (`kernel.database`).
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if is_data_plane(scope["path"]):
            await self.handle(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
