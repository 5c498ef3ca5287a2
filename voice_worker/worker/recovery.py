"""A call whose worker died: its room is given to another, which goes on where the thread ends."""

from __future__ import annotations

from switchboard.kernel.database import in_database
from tenants.domain import leases
from tenants.domain.leases import Abandoned
from voice_worker.domain.sessions import lose_session
from voice_worker.meetings.livekit import send_agent


async def recover(work: Abandoned) -> None:
    """See to a session whose lease lapsed, in its own tenant's scope. Raises what `send_agent` does."""
    room = await in_database(lose_session, session_id=work.object_id)
    if room:
        # Should this process die before the lease is closed, a second agent is sent, and finds the first at work.
        await send_agent(room)
    await in_database(leases.close, kind=work.kind, object_id=work.object_id, owner=None)
