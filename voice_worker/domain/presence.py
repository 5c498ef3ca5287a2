"""What LiveKit says of a room, brought together with what we believe: for the webhooks that never came."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from voice_worker.domain.meetings import end_meeting, note_joined, note_started
from voice_worker.domain.places import is_full
from voice_worker.domain.waiting import (
    COMING_SECONDS,
    GIVE_UP,
    LISTENER_LEFT,
    MOST_ATTEMPTS,
    await_agent,
    await_no_agent,
    look_again,
    stop_watching,
)
from voice_worker.models import Meeting, Participant, VoiceSession

# A meeting where all is as it should be is looked at so often, in seconds: webhooks tell of it sooner.
LOOK_SECONDS: Final = 60.0
# A LiveKit server that was restarted has no rooms until everybody's clients have come back.
MISSING_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is in a room now, as LiveKit has them.

    Args:
        kind: one of `Participant.Kind`.
    """

    livekit_id: str
    identity: str
    name: str
    kind: str
    joined_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Believed:
    """What stood here before LiveKit was asked. What was written since is newer than its answer.

    Args:
        is_live: whether somebody had come.
        there: LiveKit's ids of those who hadn't left.
    """

    meeting_id: uuid.UUID
    room: str
    is_live: bool
    there: frozenset[str]


def believe(*, meeting_id: uuid.UUID) -> Believed | None:
    """What is believed of a meeting; None where it is over, and watched no more."""
    meeting = Meeting.objects.filter(pk=meeting_id, status__in=Meeting.OPEN).first()
    if meeting is None:
        stop_watching(meeting_id=meeting_id)
        return None
    there = Participant.objects.filter(meeting=meeting, left_at=None).values_list("livekit_id", flat=True)
    return Believed(meeting.pk, meeting.room, meeting.status == Meeting.Status.LIVE, frozenset(there))


def settle(*, believed: Believed, people: Sequence[Person] | None) -> bool:
    """Bring a meeting in line with LiveKit's answer, and say when it is looked at next.

    Args:
        people: who is in the room; None where there is no such room.

    Returns:
        Whether an agent must be sent for.
    """
    meeting_id = believed.meeting_id
    if people is None:
        _settle_without_room(believed)
        return False
    Meeting.objects.filter(pk=meeting_id).exclude(missing_since=None).update(missing_since=None)
    if people:
        note_started(meeting_id=meeting_id, at=min(person.joined_at for person in people))
    for person in people:
        if person.livekit_id not in believed.there:
            note_joined(
                meeting_id=meeting_id,
                livekit_id=person.livekit_id,
                identity=person.identity,
                kind=person.kind,
                name=person.name,
                at=person.joined_at,
            )
    gone = believed.there - {person.livekit_id for person in people}
    Participant.objects.filter(meeting_id=meeting_id, livekit_id__in=gone, left_at=None).update(left_at=timezone.now())
    is_wanted = _wants_agent(meeting_id, people)
    if is_wanted:
        await_agent(meeting_id=meeting_id)
    else:
        await_no_agent(meeting_id=meeting_id)
    since = Meeting.objects.values_list("agent_awaited_since", flat=True).filter(pk=meeting_id).first()
    is_in_time = is_wanted and since is not None and timezone.now() - since < GIVE_UP
    look_again(meeting_id=meeting_id, seconds=COMING_SECONDS if is_in_time else LOOK_SECONDS)
    # A worker that is sent while there is no place would leave again; it is looked for one as often.
    return is_in_time and not is_full()


def _settle_without_room(believed: Believed) -> None:
    now = timezone.now()
    meeting = Meeting.objects.filter(pk=believed.meeting_id, status__in=Meeting.OPEN).first()
    if meeting is None:
        return
    if not believed.is_live:
        if meeting.status == Meeting.Status.PLANNED and meeting.joinable_until < now:
            end_meeting(meeting_id=meeting.pk, at=now)
            return
        look_again(meeting_id=meeting.pk, seconds=LOOK_SECONDS / 2)
    elif meeting.missing_since is None:
        Meeting.objects.filter(pk=meeting.pk).update(missing_since=now)
        look_again(meeting_id=meeting.pk, seconds=MISSING_SECONDS)
    elif now - meeting.missing_since < dt.timedelta(seconds=MISSING_SECONDS):
        look_again(meeting_id=meeting.pk, seconds=MISSING_SECONDS)
    else:
        end_meeting(meeting_id=meeting.pk, at=meeting.missing_since)


def _wants_agent(meeting_id: uuid.UUID, people: Sequence[Person]) -> bool:
    """Whether somebody is there whom nobody answers, though somebody could."""
    waiting = [person for person in people if person.kind != Participant.Kind.AGENT]
    if not waiting:
        return False
    sessions = VoiceSession.objects.filter(meeting_id=meeting_id)
    if sessions.filter(status=VoiceSession.Status.LIVE).exists():
        return False
    latest = sessions.order_by("-id").first()
    if latest is not None and latest.status == VoiceSession.Status.LOST:
        return sessions.filter(status=VoiceSession.Status.LOST).count() <= MOST_ATTEMPTS
    if len(waiting) < len(people):  # an agent of somebody's own needn't tell us of itself
        return False
    if latest is None or latest.end_reason == LISTENER_LEFT:
        return True
    # An agent that ended of its own accord, or can't speak, is called again by whoever comes later, and by them once.
    return latest.ended_at is not None and any(person.joined_at > latest.ended_at for person in waiting)
