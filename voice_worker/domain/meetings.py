"""Meetings: begun, joined, left, ended."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations.domain.notices import tell
from conversations.events.record import MEETING_ENDED, UPGRADED
from conversations.models import Conversation
from switchboard.kernel.problems import Conflict, Invalid, NotFound
from voice_worker.directory.domain import close_room, register_room
from voice_worker.domain.sessions import end_elsewhere
from voice_worker.domain.timeline import Entry, record_entries
from voice_worker.domain.waiting import COMING_SECONDS, await_agent, await_no_agent, stop_watching, watch_meeting
from voice_worker.models import Meeting, Participant, TimelineEntry, VoiceSession


@dataclass(frozen=True, slots=True)
class Begun:
    """A meeting.

    Args:
        is_new: False where it is one that was under way, or came back by its idempotency key.
    """

    meeting: Meeting
    is_new: bool


def begin_meeting(
    *,
    conversation_id: uuid.UUID,
    joinable_until: dt.datetime,
    consents_to_recording: bool = False,
    idempotency_key: str | None = None,
) -> Begun:
    """The meeting of a conversation: a new one, or the one that is under way. A conversation has one at a time.

    Args:
        joinable_until: when the token that is made for it ends.
        consents_to_recording: whether the contact agrees that it is recorded.

    Raises:
        NotFound: no such conversation.
        Invalid: `idempotency_key_reused`, for other wishes.
        Conflict: `meeting_under_way`, with another answer to whether it is recorded; `meeting_ended`, the one that
            this idempotency key began.
    """
    with transaction.atomic():
        thread = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if thread is None:
            raise NotFound("conversation")
        earlier = _earlier(thread, idempotency_key, consents_to_recording)
        if earlier is not None:
            extend(meeting=earlier, joinable_until=joinable_until)
            return Begun(earlier, is_new=False)
        meeting = Meeting.objects.create(
            conversation=thread,
            room=f"m-{secrets.token_urlsafe(24)}",
            consents_to_recording=consents_to_recording,
            idempotency_key=idempotency_key,
            joinable_until=joinable_until,
        )
        register_room(name=meeting.room, meeting_id=meeting.pk)
        watch_meeting(meeting_id=meeting.pk, seconds=COMING_SECONDS)
        tell(conversation_id=thread.pk, kind=UPGRADED, data={"meeting": str(meeting.pk), "room": meeting.room})
    return Begun(meeting, is_new=True)


def _earlier(thread: Conversation, idempotency_key: str | None, consents: bool) -> Meeting | None:
    if idempotency_key is not None:
        same = Meeting.objects.filter(conversation=thread, idempotency_key=idempotency_key).first()
        if same is not None:
            if same.consents_to_recording != consents:
                raise Invalid("idempotency_key_reused", "This Idempotency-Key began a meeting with other wishes.")
            if not same.is_open:
                raise Conflict("meeting_ended", "The meeting that this Idempotency-Key began is over.")
            return same
    under_way = Meeting.objects.filter(conversation=thread, status__in=Meeting.OPEN).first()
    if under_way is None:
        return None
    if under_way.status == Meeting.Status.PLANNED and under_way.joinable_until < timezone.now():
        end_meeting(meeting_id=under_way.pk)
        return None
    if under_way.consents_to_recording != consents:
        wanted = "is recorded" if under_way.consents_to_recording else "isn't recorded"
        raise Conflict("meeting_under_way", f"The conversation's meeting {wanted}; end it first.")
    return under_way


def extend(*, meeting: Meeting, joinable_until: dt.datetime) -> None:
    """Note that another token was made for a meeting."""
    Meeting.objects.filter(pk=meeting.pk, joinable_until__lt=joinable_until).update(joinable_until=joinable_until)


def note_started(*, meeting_id: uuid.UUID, at: dt.datetime) -> None:
    """Somebody is there. What is over stays over."""
    Meeting.objects.filter(pk=meeting_id, status=Meeting.Status.PLANNED).update(
        status=Meeting.Status.LIVE, started_at=at
    )


def end_meeting(*, meeting_id: uuid.UUID, at: dt.datetime | None = None) -> bool:
    """End a meeting: nobody is let in any more, whoever was there has left, and the conversation is told.

    Returns:
        Whether it was under way until now.
    """
    ended_at = at or timezone.now()
    with transaction.atomic():
        # The conversation first, as whoever begins a meeting does: two that wait for each other would wait for ever.
        Conversation.objects.select_for_update().filter(meetings=meeting_id).first()
        meeting = Meeting.objects.select_for_update().filter(pk=meeting_id, status__in=Meeting.OPEN).first()
        if meeting is None:
            return False
        meeting.status, meeting.ended_at = Meeting.Status.ENDED, ended_at
        meeting.save(update_fields=["status", "ended_at"])
        Participant.objects.filter(meeting=meeting, left_at=None).update(left_at=ended_at)
        end_elsewhere(meeting_id=meeting.pk, at=ended_at)
        close_room(name=meeting.room)
        stop_watching(meeting_id=meeting.pk)
        tell(conversation_id=meeting.conversation_id, kind=MEETING_ENDED, data={"meeting": str(meeting.pk)})
    return True


def note_joined(
    *, meeting_id: uuid.UUID, livekit_id: str, identity: str, kind: str, name: str = "", at: dt.datetime
) -> None:
    """Somebody came in. Told again, or after they have left, nothing changes.

    Args:
        livekit_id: LiveKit's sid of this stay.
        kind: one of `Participant.Kind`.
    """
    note_started(meeting_id=meeting_id, at=at)
    try:
        with transaction.atomic():
            # Events overtake each other: what is told after the end of a meeting was before it.
            rows = Meeting.objects.select_for_update().filter(pk=meeting_id)
            ended_at = rows.values_list("ended_at", flat=True).first()
            Participant.objects.create(
                meeting_id=meeting_id,
                livekit_id=livekit_id,
                identity=identity[:200],
                name=name[:200],
                kind=kind,
                joined_at=at,
                left_at=max(ended_at, at) if ended_at else None,
            )
    except IntegrityError:
        return
    if kind != Participant.Kind.AGENT:
        await_agent(meeting_id=meeting_id)


def note_left(
    *,
    meeting_id: uuid.UUID,
    livekit_id: str,
    identity: str,
    kind: str,
    name: str = "",
    joined_at: dt.datetime,
    at: dt.datetime,
    was_removed: bool = False,
) -> None:
    """Somebody left, be it that their coming was never told. The first time that is told counts.

    Args:
        was_removed: whether they were turned out. That counts although their leaving was known.
    """
    note_joined(meeting_id=meeting_id, livekit_id=livekit_id, identity=identity, kind=kind, name=name, at=joined_at)
    Participant.objects.filter(livekit_id=livekit_id, meeting_id=meeting_id, left_at=None).update(left_at=at)
    if was_removed:
        Participant.objects.filter(livekit_id=livekit_id, meeting_id=meeting_id).update(was_removed=True)
    there = Participant.objects.filter(meeting_id=meeting_id, left_at=None).exclude(kind=Participant.Kind.AGENT)
    if not there.exists():
        await_no_agent(meeting_id=meeting_id)


def note_track(
    *, meeting_id: uuid.UUID, entry_id: uuid.UUID, source: str, is_on: bool, identity: str, at: dt.datetime
) -> None:
    """Somebody turned their microphone, camera or screen on or off: on the time axis of the agent's session, where
    there is one.

    Args:
        entry_id: of the entry; the same again is there once.
        source: `microphone`, `camera`, `screen_share`.
    """
    session = VoiceSession.objects.filter(meeting_id=meeting_id, status=VoiceSession.Status.LIVE).last()
    if session is None:
        return
    data = {"state": f"{source}_{'on' if is_on else 'off'}", "identity": identity}
    moment = int((at - session.started_at).total_seconds() * 1000)
    entry = Entry(kind=TimelineEntry.Kind.STATE, at_ms=max(0, moment), data=data, id=entry_id)
    record_entries(session_id=session.pk, entries=[entry])
