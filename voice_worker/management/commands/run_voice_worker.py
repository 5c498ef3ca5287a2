"""`manage.py run_voice_worker`: an agent in every meeting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Registers at LiveKit and serves the rooms it is given, until it is told to stop."""

    help = "Serve meetings: register at LiveKit and send an agent into every room. Stop with SIGTERM; calls go on."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or Ctrl-C; a second one doesn't wait for the calls."""
        if not settings.LIVEKIT_URL:
            raise CommandError("Set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET to where rooms are.")
        asyncio.run(_serve())


async def _serve() -> None:
    from voice_worker.worker.health import Health
    from voice_worker.worker.server import build_server

    server = build_server()
    health = Health(server, host=settings.VOICE_HEALTH_HOST, port=settings.VOICE_HEALTH_PORT)
    await health.start()
    stopping = asyncio.Event()
    running = asyncio.ensure_future(server.run())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            running.cancel()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    told = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
    if stopping.is_set():
        hurried = asyncio.ensure_future(_drained(server))
        await asyncio.wait([running, hurried], return_when=asyncio.FIRST_COMPLETED)
        await server.aclose()
    await health.stop()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _drained(server: Any) -> None:
    try:
        await server.drain()
    except TimeoutError:
        logger.warning("calls that outlasted VOICE_DRAIN_SECONDS are ended")
