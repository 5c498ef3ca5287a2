"""A call whose worker died: its room is given to another, which goes on where the thread ends."""

from __future__ import annotations

from typing import Final

from switchboard.kernel.database import in_database
from tenants.domain import leases
from tenants.domain.leases import Abandoned
from voice_worker.domain.sessions import lose_session
from voice_worker.meetings.livekit import send_agent

# So long a worker is given to come, before another is called.
_COMING_SECONDS: Final = 8.0


async def recover(work: Abandoned) -> None:
    """See to a session whose lease lapsed, in its own tenant's scope. Raises what `send_agent` does.

    The lease is kept until another agent is there: a dispatch that no worker was free to take is forgotten. Should two
    be sent, the second finds the first at work, and leaves.
    """
    room = await in_database(lose_session, session_id=work.object_id)
    if not room:
        await in_database(leases.close, kind=work.kind, object_id=work.object_id, owner=None)
        return
    await send_agent(room)
    await in_database(leases.postpone, kind=work.kind, object_id=work.object_id, seconds=_COMING_SECONDS)
