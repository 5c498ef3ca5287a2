"""What a voice worker tells of itself: whether it lives, whether it takes calls, and how many it has."""

from __future__ import annotations

import json

from aiohttp import web
from livekit.agents import AgentServer


class Health:
    """`/healthz`, `/readyz` and `/worker`, for a supervisor, a load balancer and a person."""

    def __init__(self, server: AgentServer, *, host: str, port: int) -> None:
        self._server = server
        self._address = (host, port)
        self._is_registered = False
        self._runner: web.AppRunner | None = None
        server.on("worker_registered", self._registered)

    async def start(self) -> None:
        """Begin to answer."""
        app = web.Application()
        app.add_routes(
            [web.get("/healthz", self._alive), web.get("/readyz", self._ready), web.get("/worker", self._all)]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._address).start()

    async def stop(self) -> None:
        """Answer no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _registered(self, *_: object) -> None:
        self._is_registered = True

    @property
    def _state(self) -> str:
        if self._server.draining:
            return "draining"
        return "ready" if self._is_registered else "registering"

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self._state == "ready" else 503, text=self._state)

    async def _all(self, _: web.Request) -> web.Response:
        told = {"state": self._state, "id": self._server.id, "calls": len(self._server.active_jobs)}
        return web.Response(text=json.dumps(told), content_type="application/json")
