"""What the data plane takes and gives."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field


class Problem(Schema):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = []


class NewConversation(Schema):
    model_config = ConfigDict(extra="forbid")

    agent: uuid.UUID = Field(description="The agent's id.")
    channel: Literal["api", "playground"] = "api"
    contact: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Who talks, by your own name for them. A canary's choice sticks to it."
    )
    contact_attributes: dict[Annotated[str, Field(max_length=60)], str | int | float | bool] = Field(
        default_factory=dict, max_length=50, description="What feature flags may look at; not kept."
    )
    release: uuid.UUID | None = Field(
        default=None, description="One of the agent's releases, a preview perhaps. Without it the agent chooses."
    )


class Conversation(Schema):
    id: uuid.UUID
    agent: uuid.UUID
    release: uuid.UUID | None = Field(description="The release it began with, and stays on unless that is withdrawn.")
    contact: str
    channel: str
    title: str
    created_at: dt.datetime
    last_event: int = Field(description="Number of the last event of a finished turn: `?after=` of what is to come.")
    events: str = Field(description="Where the conversation's events are streamed.")


class NewMessage(Schema):
    model_config = ConfigDict(extra="forbid")

    content: Annotated[str, Field(description="What the contact says; 32 KB at most.", examples=["When is breakfast?"])]


class AcceptedMessage(Schema):
    turn: uuid.UUID
    message: uuid.UUID
    events: str


class Message(Schema):
    id: uuid.UUID
    turn: uuid.UUID
    role: str
    text: str
    citations: list[dict[str, Any]]
    created_at: dt.datetime


class Turn(Schema):
    id: uuid.UUID
    status: str
    release: uuid.UUID | None = Field(description="The release that served it.")
    error_code: str
    first_event: int | None
    last_event: int | None


class Thread(Schema):
    messages: list[Message]
    earlier: str | None = Field(description="Where the messages before these are.")
    open_turns: list[uuid.UUID] = Field(description="Turns that are waiting or running.")


class SearchRequest(Schema):
    model_config = ConfigDict(extra="forbid")

    query: str
    collections: list[uuid.UUID] = Field(min_length=1, max_length=50)
    limit: int = Field(default=6, ge=1, le=20)


class Passage(Schema):
    document: uuid.UUID
    title: str
    page: int
    text: str
    similarity: float
    url: str


class SearchResult(Schema):
    passages: list[Passage]
