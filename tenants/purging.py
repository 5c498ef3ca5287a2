"""The watch over deleted tenants, beside the requests of every web process: whose time is up is removed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Final

from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from tenants.context import use_public
from tenants.domain import removal

logger = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 3600.0
_watch: asyncio.Task[None] | None = None


async def start() -> None:
    """Begin the watch."""
    global _watch
    _watch = lifespan.spawn(_keep_watch(), name="purge watch")


async def stop() -> None:
    """End the watch. A purge that is cut off is taken up again."""
    if _watch is not None:
        _watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await _watch


async def _keep_watch() -> None:
    with use_public():
        while True:
            # Not at once: a server that starts has better things to do; and not all servers at the same moment.
            await asyncio.sleep(_EVERY_SECONDS * random.uniform(0.1, 1.0))  # noqa: S311
            try:
                for tenant in await in_database(removal.due_for_purge):
                    await in_database(removal.purge_tenant, tenant=tenant)
            except Exception:
                logger.warning("a deleted tenant could not be purged; it is tried again", exc_info=True)
