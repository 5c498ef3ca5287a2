"""What is read of meetings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final, Literal

from django.db.models import QuerySet
from django.utils import timezone

from voice_worker.domain.places import is_full
from voice_worker.domain.waiting import GIVE_UP, MOST_ATTEMPTS
from voice_worker.models import Meeting, TimelineEntry, VoiceSession

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


AgentState = Literal["expected", "coming", "busy", "present", "unavailable", "gone"]


def agent_of(meeting: Meeting) -> AgentState:
    """Whether a meeting's agent is there: `expected` once somebody comes, `coming` to whoever waits, `busy` where
    the company's places are taken and it comes when one is free, `unavailable` where none could be found or it can't
    speak, `gone` where it has left.
    """
    states = list(VoiceSession.objects.filter(meeting=meeting).order_by("-id").values_list("status", flat=True))
    if VoiceSession.Status.LIVE in states:
        return "present"
    if not meeting.is_open:
        return "gone"
    since = meeting.agent_awaited_since
    if since is not None:
        if timezone.now() - since >= GIVE_UP:
            return "unavailable"
        return "busy" if is_full() else "coming"
    if not states:
        return "expected"
    is_lost = states[0] == VoiceSession.Status.LOST and states.count(VoiceSession.Status.LOST) > MOST_ATTEMPTS
    return "unavailable" if is_lost or states[0] == VoiceSession.Status.FAILED else "gone"


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
