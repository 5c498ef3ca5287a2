"""What the meetings' REST takes and gives."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from voice_worker.meetings.queries import AgentState
from voice_worker.meetings.tokens import DEFAULT_SECONDS, LONGEST_SECONDS, SHORTEST_SECONDS

Name = Annotated[str, Field(max_length=100, description="Shown to the others.")]
Ttl = Annotated[
    int,
    Field(
        ge=SHORTEST_SECONDS,
        le=LONGEST_SECONDS,
        description="Seconds in which the token lets its holder in. Who is in stays.",
    ),
]
Kind = Literal["contact", "guest", "staff"]


class NewMeeting(Schema):
    model_config = ConfigDict(extra="forbid")

    conversation: uuid.UUID | None = Field(default=None, description="The conversation that goes on by voice.")
    agent: uuid.UUID | None = Field(default=None, description="Or: begin a new conversation, with this agent.")
    contact: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Who talks in a new conversation, by your own name for them."
    )
    display_name: Name = ""
    consents_to_recording: bool = Field(default=False, description="Without consent nothing is recorded.")
    ttl: Ttl = DEFAULT_SECONDS


class NewToken(Schema):
    model_config = ConfigDict(extra="forbid")

    kind: Kind | None = Field(
        default=None,
        description="Who comes in: the contact, a guest, a member of staff. Without it, what the caller is.",
    )
    display_name: Name = ""
    ttl: Ttl = DEFAULT_SECONDS


class Joining(Schema):
    id: uuid.UUID = Field(description="The meeting's.")
    conversation: uuid.UUID
    room: str
    url: str = Field(description="Of the LiveKit server.")
    token: str = Field(description="LiveKit's, for this room alone.")
    identity: str
    expires_at: dt.datetime
    page: str = Field(description="Our own page for it, opened with a token in its fragment or by staff.")


class Participant(Schema):
    id: uuid.UUID
    identity: str
    name: str
    kind: str
    joined_at: dt.datetime
    left_at: dt.datetime | None
    was_removed: bool = Field(description="Turned out of the room with LiveKit's own tools.")


class Session(Schema):
    id: uuid.UUID
    status: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    end_reason: str
    is_recorded: bool


class Line(Schema):
    session: uuid.UUID
    speaker: Literal["contact", "agent"]
    text: str
    at_ms: int = Field(description="Milliseconds from the session's start.")
    until_ms: int | None
    turn: uuid.UUID | None


class Meeting(Schema):
    id: uuid.UUID
    conversation: uuid.UUID
    room: str
    status: str
    consents_to_recording: bool
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


class MeetingDetail(Meeting):
    agent: AgentState = Field(
        description="`expected` once somebody comes, `coming` to whoever waits for it, `busy` where it comes once "
        "one of the company's places is free, `present`, `unavailable` where none could be found or it can't speak, "
        "`gone` where it has left."
    )
    participants: list[Participant]
    sessions: list[Session]
    transcript: list[Line] = Field(description="What was said, at most 2,000 lines, in the order in which it was.")


class StateQuestion(Schema):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(
        min_length=1, max_length=8_000, description="LiveKit's, for this meeting's room, or the last answer's."
    )


class MeetingState(Schema):
    status: str
    agent: AgentState = Field(description="As `GET /api/v1/meetings/{id}` has it.")
    token: str = Field(description="For the next question, within ten minutes; empty where the meeting is over.")


class Meetings(Schema):
    results: list[Meeting]
    next: str | None = Field(description="Where the meetings before these are.")


class Participants(Schema):
    results: list[Participant]
