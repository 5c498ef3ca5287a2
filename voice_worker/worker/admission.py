"""Whether a call may go on, asked again every few seconds as for everything that stays open."""

from __future__ import annotations

import asyncio
import uuid
from typing import Final

from conversations.events.stream import READMIT_SECONDS
from switchboard.kernel.database import OUTAGES, in_database
from voice_worker.directory.domain import look_up_room
from voice_worker.models import VoiceSession

# As reasons for the end of a session.
NOT_SERVED: Final = "tenant_not_served"
MEETING_OVER: Final = "meeting_ended"
REPLACED: Final = "replaced"


async def until_refused(*, room: str, session_id: uuid.UUID) -> str:
    """Wait until an agent may not stay in its room, in its tenant's scope. A database that is away turns nobody out.

    Returns:
        Why: one of the reasons above.
    """
    while True:
        await asyncio.sleep(READMIT_SECONDS)
        try:
            reason = await in_database(refusal, room=room, session_id=session_id)
        except OUTAGES:
            continue
        if reason:
            return reason


def refusal(*, room: str, session_id: uuid.UUID) -> str:
    """Why an agent may not stay in its room; empty where it may."""
    entry = look_up_room(room)
    if entry is None or not entry.tenant.is_ready:
        return NOT_SERVED
    if not entry.is_open:
        return MEETING_OVER
    # It was taken for dead, and another has come in its place: two would speak at once.
    is_live = VoiceSession.objects.filter(pk=session_id, status=VoiceSession.Status.LIVE).exists()
    return "" if is_live else REPLACED
