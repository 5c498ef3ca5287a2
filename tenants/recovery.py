"""The watch over leases, beside the requests of every web process: renew ours, recover what others let lapse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable

from django.db import connection

from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from tenants.checks import refuse_transaction_pooling
from tenants.context import use_public, use_tenant
from tenants.domain import leases

logger = logging.getLogger(__name__)
_watch: asyncio.Task[None] | None = None


async def start() -> None:
    """Begin the watch; refuse to begin where tenants would not be safe."""
    global _watch
    await in_database(refuse_transaction_pooling)
    _watch = lifespan.spawn(_keep_watch(), name="lease watch")


async def start_renewing() -> None:
    """Renew what this process holds, and leave to others what others let lapse: for a voice worker's jobs."""
    global _watch
    _watch = lifespan.spawn(_keep_watch(recovers=False), name="lease watch")


async def stop() -> None:
    """End the watch."""
    if _watch is not None:
        _watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await _watch


class Patience:
    """While the database is away nobody can renew anything. Whoever lives gets the time for it afterwards, before any
    of them is taken for dead: a call would have two agents, each with a session of its own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._away_since: float | None = None
        self._until = 0.0

    def asks(self) -> None:
        """The database is about to be asked; it may be long before it answers."""
        if self._away_since is None:
            self._away_since = self._clock()

    def answered(self) -> bool:
        """It has answered. Returns whether those who have renewed nothing by now are dead."""
        now = self._clock()
        if self._away_since is not None and now - self._away_since > leases.RENEW_SECONDS:
            self._until = now + leases.LEASE_SECONDS
        self._away_since = None
        return now >= self._until


def _renew() -> None:
    leases.renew()
    with connection.cursor() as cursor:  # a process that holds nothing has to know too whether the database is there
        cursor.execute("SELECT 1")


async def _keep_watch(*, recovers: bool = True) -> None:
    patience = Patience()
    with use_public():
        while True:
            try:
                patience.asks()
                await in_database(_renew)
                may_recover = patience.answered() and recovers
                for work in await in_database(leases.take_abandoned) if may_recover else ():
                    await recover(work)
            except Exception:
                # The database may be restarting; the watch must outlive that.
                logger.warning("the lease watch missed a round", exc_info=True)
            # Jitter keeps many processes from asking at the same moment.
            await asyncio.sleep(leases.RENEW_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311


async def recover(work: leases.Abandoned) -> None:
    """Hand one piece of abandoned work to the app that owns its kind."""
    # What nobody has begun only waits for its turn, and is looked at again every few seconds.
    level = logging.WARNING if work.attempts else logging.DEBUG
    extra = {"work": str(work.object_id), "attempts": work.attempts}
    logger.log(level, "recovering an abandoned %s", work.kind, extra=extra)
    with use_tenant(work.scope):
        try:
            await leases.recoverer(work.kind)(work)
        except Exception:
            logger.exception("an abandoned %s could not be recovered; it is tried again", work.kind)
