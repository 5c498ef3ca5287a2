"""Somebody in a meeting without an agent: work that was accepted, and that a process looks after until it is done.

Every open meeting has a lease, which no process holds: whoever finds it due looks at the room (`meetings/watch.py`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from django.utils import timezone

from tenants.domain import leases
from voice_worker.models import Meeting, VoiceSession

LEASE_KIND: Final = "meeting"
# So long a worker is given to come, before another is called.
COMING_SECONDS: Final = 8.0
# Workers may all be full, or be starting; after so long nobody waits in the room any more.
GIVE_UP: Final = dt.timedelta(minutes=5)
# A room that a worker was lost in so often is left alone.
MOST_ATTEMPTS: Final = 3
# As `VoiceSession.end_reason`: whom the agent listened to has left. Others may be there, and they may come back.
LISTENER_LEFT: Final = "participant_disconnected"


def watch_meeting(*, meeting_id: uuid.UUID, seconds: float) -> None:
    """Have a new meeting looked at in so many seconds, and again until it is over. In the caller's transaction."""
    leases.open_lease(kind=LEASE_KIND, object_id=meeting_id, owner="", seconds=seconds)


def look_again(*, meeting_id: uuid.UUID, seconds: float) -> None:
    """Have a meeting looked at in so many seconds, instead of when that was due."""
    leases.postpone(kind=LEASE_KIND, object_id=meeting_id, seconds=seconds)


def stop_watching(*, meeting_id: uuid.UUID) -> None:
    """A meeting is over, or was never one."""
    leases.close(kind=LEASE_KIND, object_id=meeting_id, owner=None)


def await_agent(*, meeting_id: uuid.UUID, seconds: float = COMING_SECONDS) -> None:
    """Somebody is in a meeting and nobody answers there. Who waits already goes on waiting.

    Args:
        seconds: until a worker is called. LiveKit sends for one of its own accord when it makes the room.
    """
    if VoiceSession.objects.filter(meeting_id=meeting_id, status=VoiceSession.Status.LIVE).exists():
        return
    waiting = Meeting.objects.filter(pk=meeting_id, status__in=Meeting.OPEN, agent_awaited_since=None)
    if waiting.update(agent_awaited_since=timezone.now()):
        look_again(meeting_id=meeting_id, seconds=seconds)


def await_no_agent(*, meeting_id: uuid.UUID) -> None:
    """The agent is there, or nobody is left who waits for one."""
    Meeting.objects.filter(pk=meeting_id).exclude(agent_awaited_since=None).update(agent_awaited_since=None)
