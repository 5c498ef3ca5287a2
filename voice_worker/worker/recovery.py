"""A call whose worker died: its room is given to another, which goes on where the thread ends."""

from __future__ import annotations

from switchboard.kernel.database import in_database
from tenants.domain.leases import Abandoned
from voice_worker.domain.sessions import lose_session
from voice_worker.domain.waiting import LEASE_KIND
from voice_worker.meetings import watch


async def recover(work: Abandoned) -> None:
    """See to a session whose lease lapsed, in its own tenant's scope. Should two agents be sent, the second finds the
    first at work, and leaves.
    """
    meeting_id = await in_database(lose_session, session_id=work.object_id)
    if meeting_id is not None:
        await watch.look(Abandoned(LEASE_KIND, meeting_id, work.scope, attempts=1))
