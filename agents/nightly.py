"""The watch that has what is past its time removed: each night, in every tenant, by a task of the tenant's own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Final

from django.utils import timezone
from redis.exceptions import RedisError

from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from switchboard.kernel.redis import redis_client
from tenants.context import tenant_key, use_public, use_tenant
from tenants.models import Tenant

logger = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 3600.0
_NIGHT_HOURS: Final = range(1, 5)  # UTC; a server that is down at one is asked again at two
_NOTED_SECONDS: Final = 20 * 3600
_watch: asyncio.Task[None] | None = None


async def start() -> None:
    """Begin the watch, beside the requests of a web process."""
    global _watch
    _watch = lifespan.spawn(_keep_watch(), name="nightly purge")


async def stop() -> None:
    """End the watch."""
    if _watch is not None:
        _watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await _watch


async def _keep_watch() -> None:
    while True:
        await asyncio.sleep(_EVERY_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311
        if timezone.now().hour in _NIGHT_HOURS:
            try:
                await in_database(announce)
            except Exception:
                logger.warning("the nightly purge could not be announced; it is tried again", exc_info=True)


def announce() -> int:
    """Send the task for every tenant whose night it still is; how many were sent. One process of many sends it."""
    from agents.tasks import purge_memory

    with use_public():
        tenants = list(Tenant.objects.filter(status=Tenant.Status.READY))
    sent = 0
    for tenant in tenants:
        with use_tenant(tenant):
            place = tenant_key("nightly-purge", timezone.now().date().isoformat())
            try:
                if not redis_client().set(place, "sent", nx=True, ex=_NOTED_SECONDS):
                    continue
                purge_memory.apply_async(retry=False)
            except (RedisError, OSError):
                logger.warning("the broker is away; what is past its time stays until the next hour")
                return sent
            sent += 1
    return sent
