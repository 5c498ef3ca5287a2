"""Sessions: begun by a worker, ended by it, or noted as lost with it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, Message
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, NotFound
from tenants.domain import leases
from voice_worker.domain.places import LEASE_KIND, take_place
from voice_worker.domain.waiting import LISTENER_LEFT, await_agent, await_no_agent
from voice_worker.models import Meeting, VoiceSession

# Where a process of ours would be named: a worker of somebody's own, under no lease.
ELSEWHERE: Final = "elsewhere"


@dataclass(frozen=True, slots=True)
class Begun:
    """A session at its beginning.

    Args:
        release_id: the release that the conversation stays on.
        last_said: what the contact said last, where the thread goes on; empty where it begins.
        was_lost: whether another worker was lost in the same meeting before.
        is_recorded: whether the contact agreed to that.
    """

    id: uuid.UUID
    conversation_id: uuid.UUID
    release_id: uuid.UUID
    contact: str
    last_said: str
    was_lost: bool
    is_recorded: bool = False


def begin_session(*, conversation_id: uuid.UUID, channel: str, meeting_id: uuid.UUID | None = None) -> Begun:
    """Begin a session; this process holds its lease from now on.

    Raises:
        NotFound: no such conversation, or it has no release.
        Conflict: `agent_present`, there is an agent at work in the meeting; `meeting_ended`.
        NoPlace: the tenant has as many sessions as it may.
    """
    with transaction.atomic():
        thread = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if thread is None or thread.release_id is None:
            raise NotFound("conversation")
        was_lost = bool(meeting_id and _take_the_place(meeting_id))
        take_place()
        session = VoiceSession.objects.create(
            id=uuid7(),
            conversation=thread,
            meeting_id=meeting_id,
            release_id=thread.release_id,
            channel=channel,
            worker=leases.this_process(),
        )
        leases.open_lease(kind=LEASE_KIND, object_id=session.pk)
        if meeting_id:
            Meeting.objects.filter(pk=meeting_id, status=Meeting.Status.PLANNED).update(
                status=Meeting.Status.LIVE, started_at=timezone.now()
            )
            await_no_agent(meeting_id=meeting_id)
        last = (
            Message.objects.filter(conversation=thread, role=Message.Role.CONTACT)
            .order_by("-turn_id", "-id")
            .values_list("text", flat=True)
            .first()
        )
        is_recorded = bool(meeting_id and Meeting.objects.filter(pk=meeting_id, consents_to_recording=True).exists())
    return Begun(session.pk, thread.pk, thread.release_id, thread.contact, last or "", was_lost, is_recorded)


def session_elsewhere(*, meeting_id: uuid.UUID) -> VoiceSession:
    """The latest session in a meeting, or one that begins now with what a worker of somebody's own tells of it. It ends
    with the meeting, or when a worker of ours takes the place.

    Raises:
        NotFound: the meeting is over, or never was, and had none.
    """
    latest = VoiceSession.objects.filter(meeting_id=meeting_id).order_by("-id")
    session = latest.first()
    if session is not None:
        return session
    with transaction.atomic():
        thread = Conversation.objects.select_for_update().filter(meetings=meeting_id).first()
        is_open = Meeting.objects.filter(pk=meeting_id, status__in=Meeting.OPEN).exists()
        session = latest.first()
        if session is None:
            if thread is None or not is_open:
                raise NotFound("session")
            session = VoiceSession.objects.create(
                conversation=thread,
                meeting_id=meeting_id,
                release_id=thread.release_id,
                channel=VoiceSession.Channel.ROOM,
                worker=ELSEWHERE,
            )
    return session


def end_elsewhere(*, meeting_id: uuid.UUID, at: dt.datetime) -> None:
    """End the sessions of workers of somebody's own in a meeting that is over: nobody else will."""
    VoiceSession.objects.filter(meeting_id=meeting_id, worker=ELSEWHERE, status=VoiceSession.Status.LIVE).update(
        status=VoiceSession.Status.ENDED, end_reason="meeting_ended", ended_at=at
    )


def _take_the_place(meeting_id: uuid.UUID) -> bool:
    """Make sure of being a meeting's only agent. Whether another was lost there before."""
    if not Meeting.objects.filter(pk=meeting_id).exclude(status=Meeting.Status.ENDED).exists():
        raise Conflict("meeting_ended", "The meeting has ended.")
    earlier = VoiceSession.objects.filter(meeting_id=meeting_id)
    for session_id in earlier.filter(status=VoiceSession.Status.LIVE).values_list("id", flat=True):
        if leases.is_fresh(kind=LEASE_KIND, object_id=session_id):
            raise Conflict("agent_present", "There is an agent in the meeting.")
        end_session(session_id=session_id, status=VoiceSession.Status.LOST, reason="worker_lost")
    return earlier.filter(status=VoiceSession.Status.LOST).exists()


def end_session(*, session_id: uuid.UUID, status: str = VoiceSession.Status.ENDED, reason: str = "") -> bool:
    """End a session. False where it was over already, such as for a worker that was taken for dead."""
    with transaction.atomic():
        live = VoiceSession.objects.filter(pk=session_id, status=VoiceSession.Status.LIVE)
        ended = live.update(status=status, end_reason=reason[:80], ended_at=timezone.now())
        leases.close(kind=LEASE_KIND, object_id=session_id, owner=None)
        if ended and reason == LISTENER_LEFT:
            # Others may be there still, or be back already; a look at the room tells.
            meeting_id = VoiceSession.objects.values_list("meeting_id", flat=True).get(pk=session_id)
            if meeting_id is not None:
                await_agent(meeting_id=meeting_id, seconds=0)
    return bool(ended)


def lose_session(*, session_id: uuid.UUID) -> uuid.UUID | None:
    """Note that a session's worker died. From now on its meeting waits for another.

    Returns:
        The meeting; None where it had none.
    """
    with transaction.atomic():
        session = VoiceSession.objects.filter(pk=session_id).first()
        end_session(session_id=session_id, status=VoiceSession.Status.LOST, reason="worker_lost")
        if session is None or session.meeting_id is None:
            return None
        await_agent(meeting_id=session.meeting_id, seconds=0)
    return session.meeting_id
