"""The watch over open meetings: LiveKit is asked who is there, so that nobody stays without an agent and no meeting
stays open because a webhook was lost.

Every web process takes its share of what is due (`tenants.recovery`); the asking is done beside that watch, which has
leases to renew meanwhile. LiveKit is asked for all of them at once; what follows is done in each tenant's own scope.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Final

from django.conf import settings

from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem
from tenants.context import Scope, use_public, use_tenant
from tenants.domain.leases import Abandoned
from voice_worker.domain.presence import LOOK_SECONDS, Believed, Person, believe, settle
from voice_worker.domain.waiting import look_again
from voice_worker.meetings import livekit

logger = logging.getLogger(__name__)

# Of one look, LiveKit's answers and the database's included: a longer one would be begun a second time elsewhere.
_LONGEST_SECONDS: Final = 60.0

_due: dict[uuid.UUID, Scope] = {}
_looking: asyncio.Task[None] | None = None


async def look(work: Abandoned) -> None:
    """Have a meeting looked at soon, together with the others that are due. In its own tenant's scope."""
    global _looking
    if not settings.LIVEKIT_URL:
        await in_database(look_again, meeting_id=work.object_id, seconds=LOOK_SECONDS)
        return
    _due[work.object_id] = work.scope
    if _looking is None or _looking.done() or _looking.get_loop() is not asyncio.get_running_loop():
        _looking = lifespan.spawn(_look_at_all(), name="look at meetings")


async def _look_at_all() -> None:
    with use_public():
        while _due:
            batch = dict(_due)
            _due.clear()
            try:
                async with asyncio.timeout(_LONGEST_SECONDS):
                    await _look_at(batch)
            except (Problem, TimeoutError) as error:
                # They stay due: their leases lapse again in a few seconds.
                logger.warning("meetings could not be looked at: %s", type(error).__name__)


async def _look_at(batch: dict[uuid.UUID, Scope]) -> None:
    open_ones: list[tuple[Scope, Believed]] = []
    for meeting_id, scope in batch.items():
        with use_tenant(scope):
            try:
                believed = await in_database(believe, meeting_id=meeting_id)
            except Exception:
                logger.exception("a meeting could not be read", extra={"meeting": str(meeting_id)})
                continue
        if believed is not None:
            open_ones.append((scope, believed))
    there = await livekit.people_in(*(believed.room for _, believed in open_ones))
    for scope, believed in open_ones:
        with use_tenant(scope):
            try:
                await _settle(believed, there.get(believed.room))
            except Problem as problem:
                logger.warning("no agent could be sent for: %s", problem.code)
            except Exception:
                # One tenant's trouble is not another's.
                logger.exception("a meeting could not be seen to", extra={"meeting": str(believed.meeting_id)})


async def _settle(believed: Believed, people: list[Person] | None) -> None:
    if await in_database(settle, believed=believed, people=people):
        logger.info("an agent is sent for", extra={"meeting": str(believed.meeting_id)})
        await livekit.send_agent(believed.room)
