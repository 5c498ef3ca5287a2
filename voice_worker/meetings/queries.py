"""What is read of meetings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from django.db.models import QuerySet
from django.utils import timezone

from switchboard.kernel.problems import Problem
from voice_worker.domain.places import is_full
from voice_worker.domain.waiting import GIVE_UP, MOST_ATTEMPTS
from voice_worker.meetings.tokens import bearer_of, pass_for
from voice_worker.models import Meeting, Participant, TimelineEntry, VoiceSession

MOST_LINES: Final = 2_000
_SPEAKERS: Final[dict[str, Literal["contact", "agent"]]] = {
    TimelineEntry.Kind.TRANSCRIPT: "contact",
    TimelineEntry.Kind.AGENT_SPEECH: "agent",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said."""

    session: uuid.UUID
    speaker: Literal["contact", "agent"]
    text: str
    at_ms: int
    until_ms: int | None
    turn: uuid.UUID | None


def transcript(meeting_id: uuid.UUID) -> list[Line]:
    """What was heard and what was said in a meeting's sessions, the sessions one after the other."""
    entries = (
        TimelineEntry.objects.filter(session__meeting_id=meeting_id, kind__in=_SPEAKERS)
        .order_by("session_id", "at_ms", "id")
        .only("session_id", "kind", "at_ms", "until_ms", "turn_id", "data")[:MOST_LINES]
    )
    return [
        Line(
            session=entry.session_id,
            speaker=_SPEAKERS[entry.kind],
            text=str(entry.data["text"]),
            at_ms=entry.at_ms,
            until_ms=entry.until_ms,
            turn=entry.turn_id,
        )
        for entry in entries
        if entry.data.get("text")
    ]


class AgentState(StrEnum):
    """Whether a meeting's agent is there."""

    EXPECTED = "expected"  # once somebody comes
    COMING = "coming"  # to whoever waits
    BUSY = "busy"  # the company's places are taken; it comes when one is free
    PRESENT = "present"
    UNAVAILABLE = "unavailable"  # none could be found, or it can't speak
    GONE = "gone"  # it has left


@dataclass(frozen=True, slots=True)
class MeetingState:
    """How a meeting stands, for somebody who is nobody to the API.

    Args:
        token: for the next question; empty where the meeting is over.
    """

    status: str
    agent: AgentState
    token: str


class NotInvited(Problem):
    """Whoever asks how a meeting stands wasn't invited to it, or isn't any more."""

    def __init__(self) -> None:
        detail = "This link doesn't tell of this meeting, or not any more. Ask for a new one."
        super().__init__("not_authenticated", detail, status=401)


def state_for(*, meeting_id: uuid.UUID, token: str) -> MeetingState:
    """How a meeting of the tenant in force stands, for whoever brings a token into its room or our last answer's.

    Raises:
        NotInvited: the token is another meeting's, has ended, or is none; there is no such meeting; or its bearer was
            removed from the room.
    """
    meeting = Meeting.objects.filter(pk=meeting_id).first()
    identity = bearer_of(token, meeting) if meeting is not None else None
    if meeting is None or identity is None or _was_removed(meeting, identity):
        raise NotInvited
    return MeetingState(meeting.status, agent_of(meeting), pass_for(meeting, identity) if meeting.is_open else "")


def _was_removed(meeting: Meeting, identity: str) -> bool:
    """Whether somebody was turned out of a room, and hasn't been let in again since."""
    stays = Participant.objects.filter(meeting=meeting, identity=identity[:200]).order_by("-joined_at", "-id")
    return bool(stays.values_list("was_removed", flat=True).first())


def agent_of(meeting: Meeting) -> AgentState:
    """Whether a meeting's agent is there."""
    states = list(VoiceSession.objects.filter(meeting=meeting).order_by("-id").values_list("status", flat=True))
    if VoiceSession.Status.LIVE in states:
        return AgentState.PRESENT
    if not meeting.is_open:
        return AgentState.GONE
    since = meeting.agent_awaited_since
    if since is not None:
        if timezone.now() - since >= GIVE_UP:
            return AgentState.UNAVAILABLE
        return AgentState.BUSY if is_full() else AgentState.COMING
    if not states:
        return AgentState.EXPECTED
    is_lost = states[0] == VoiceSession.Status.LOST and states.count(VoiceSession.Status.LOST) > MOST_ATTEMPTS
    is_failed = is_lost or states[0] == VoiceSession.Status.FAILED
    return AgentState.UNAVAILABLE if is_failed else AgentState.GONE


def meetings(
    *, conversation_id: uuid.UUID | None = None, status: str | None = None, contact: str | None = None
) -> QuerySet[Meeting]:
    """Meetings, newest first.

    Args:
        contact: only those in this contact's conversations.
    """
    rows = Meeting.objects.order_by("-id")
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    if status is not None:
        rows = rows.filter(status=status)
    if contact is not None:
        rows = rows.filter(conversation__contact=contact)
    return rows


def open_meeting(conversation_id: uuid.UUID) -> Meeting | None:
    """The meeting that is under way in a conversation."""
    return Meeting.objects.filter(conversation_id=conversation_id, status__in=Meeting.OPEN).first()
