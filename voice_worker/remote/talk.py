"""What goes on where a call came from: its conversation, release and session, in the tenant in force.

What is read for each question of a worker's is remembered for a moment, so that a question costs no query while a call
lasts. What is written to is looked up each time.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, Subquery

from agents.models import Agent, PersonalityVersion, Release
from conversations.models import Conversation
from knowledge.models import Collection, Document
from switchboard.kernel.database import in_database
from switchboard.kernel.memory import Memory
from switchboard.kernel.problems import Invalid, NotFound
from tenants.context import current_tenant
from voice_worker.domain.sessions import session_elsewhere
from voice_worker.models import Meeting, VoiceSession
from voice_worker.remote.whose import Place

# What goes live, and which personality is the default, is heard of by every process within this time.
_MEMORY_SECONDS: Final = 2.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Talk:
    """What goes on in a room: its conversation, the release that serves it, and the agent's latest session there."""

    conversation_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None
    release_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What a call names besides its room, the most exact of which says by which release it is served."""

    release_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None


async def talk_in(place: Place | None) -> Talk:
    """What goes on where a call came from; nothing where it names no room."""
    return await _talks.find_async((current_tenant().schema_name, place)) if place is not None else Talk()


async def release_for(named: Named, place: Place | None) -> uuid.UUID | None:
    """The release that a call is about; None where it names nothing that has one. A release that it names itself isn't
    looked up here.

    Raises:
        NotFound: no such conversation or agent.
    """
    if named.release_id is not None:
        return named.release_id
    schema = current_tenant().schema_name
    if named.conversation_id is not None:
        return await _releases_of_conversations.find_async((schema, named.conversation_id))
    talk = Talk() if named.agent_id is not None else await talk_in(place)
    agent_id = named.agent_id or talk.agent_id
    if talk.release_id is None and agent_id is not None:
        return await _live_releases.find_async((schema, agent_id))
    return talk.release_id


async def personality_of(personality_id: uuid.UUID | None, release_id: uuid.UUID | None) -> PersonalityVersion:
    """A personality's latest version, or the one that a release pins, or else that of the tenant's default.

    Raises:
        NotFound: there is none.
    """
    return await _personalities.find_async((current_tenant().schema_name, personality_id, release_id))


async def all_collections() -> Sequence[uuid.UUID]:
    """Those of the tenant."""
    return await _collections.find_async(current_tenant().schema_name)


async def categories_of(document_ids: Sequence[uuid.UUID]) -> list[str]:
    """The slug of each document's collection; "" for one that is gone."""
    schema = current_tenant().schema_name
    known = [_categories.recall((schema, document_id)) for document_id in document_ids]
    if None not in known:
        return [slug or "" for slug in known]
    return await in_database(lambda: [_categories.find((schema, document_id)) for document_id in document_ids])


def session_in(place: Place | None, session_id: uuid.UUID | None) -> VoiceSession:
    """The session that a call names, or else the latest of its room, which begins where there is none. One query.

    Raises:
        Invalid: `session_not_named`.
        NotFound: there is none, or it is of another room than the one that was named.
    """
    meeting_id = place.meeting_id if place is not None else None
    if session_id is None:
        if meeting_id is None:
            raise Invalid("session_not_named", "Name the session or its room.", field="session_id")
        return session_elsewhere(meeting_id=meeting_id)
    rows = VoiceSession.objects.filter(pk=session_id)
    row = (rows if meeting_id is None else rows.filter(meeting_id=meeting_id)).first()
    if row is None:
        raise NotFound("session")
    return row


def release_of_conversation(conversation_id: uuid.UUID) -> uuid.UUID | None:
    """The release that serves a conversation. Raises `NotFound`."""
    row = Conversation.objects.filter(pk=conversation_id).values_list(*_served_by()).first()
    if row is None:
        raise NotFound("conversation")
    return _serving(*row)


def forget() -> None:
    """Ask the database again from here on."""
    for memory in (_talks, _releases_of_conversations, _live_releases, _personalities, _collections, _categories):
        memory.forget()


def _served_by(conversation: str = "") -> tuple[str, str, str]:
    """The columns that `_serving` asks for."""
    agent = f"{conversation}agent__"
    return f"{conversation}release_id", f"{agent}withdrawn_release_ids", f"{agent}live_release_id"


def _serving(begun_with: uuid.UUID | None, withdrawn: list[uuid.UUID], live: uuid.UUID | None) -> uuid.UUID | None:
    """A conversation stays on the release it began with, unless that is withdrawn."""
    return live if begun_with is None or begun_with in withdrawn else begun_with


# --- what is remembered -----------------------------------------------------------------------------------------------


def _talk(name: tuple[str, Place]) -> Talk:
    place = name[1]
    if place.meeting_id is None:
        return Talk(agent_id=place.agent_id)
    latest = VoiceSession.objects.filter(meeting_id=OuterRef("pk")).order_by("-id")
    found = (
        Meeting.objects.filter(pk=place.meeting_id)
        .annotate(session=Subquery(latest.values("pk")[:1]))
        .values_list("conversation_id", "conversation__agent_id", "session", *_served_by("conversation__"))
        .first()
    )
    if found is None:
        return Talk()
    conversation_id, agent_id, session_id, *served = found
    return Talk(conversation_id, agent_id, _serving(*served), session_id)


def _release_of_conversation(name: tuple[str, uuid.UUID]) -> uuid.UUID | None:
    return release_of_conversation(name[1])


def _live_release(name: tuple[str, uuid.UUID]) -> uuid.UUID | None:
    row = Agent.objects.filter(pk=name[1], deleted_at=None).values_list("live_release_id").first()
    if row is None:
        raise NotFound("agent")
    return row[0]


def _personality(name: tuple[str, uuid.UUID | None, uuid.UUID | None]) -> PersonalityVersion:
    _, personality_id, release_id = name
    versions = PersonalityVersion.objects.select_related("component").order_by("-number")
    row: PersonalityVersion | None
    if personality_id is not None:
        row = versions.filter(component=personality_id, component__deleted_at=None).first()
    else:
        pinned = None
        if release_id is not None:
            found = Release.objects.filter(pk=release_id).values_list("personality_id").first()
            if found is None:
                raise NotFound("release")
            pinned = found[0]
        chosen = versions.filter(component__is_default=True, component__deleted_at=None)
        row = (versions.filter(pk=pinned) if pinned is not None else chosen).first()
    if row is None:
        raise NotFound("personality")
    return row


def _all_collections(schema: str) -> tuple[uuid.UUID, ...]:
    return tuple(Collection.objects.values_list("pk", flat=True))


def _category(name: tuple[str, uuid.UUID]) -> str:
    row = Document.objects.filter(pk=name[1]).values_list("collection__slug").first()
    return row[0] if row is not None else ""


# The schema is part of each name: ids of two tenants are no strangers to each other in one process.
_talks: Memory[tuple[str, Place], Talk] = Memory(_talk, seconds=_MEMORY_SECONDS, most=_MOST)
_releases_of_conversations: Memory[tuple[str, uuid.UUID], uuid.UUID | None] = Memory(
    _release_of_conversation, seconds=_MEMORY_SECONDS, most=_MOST
)
_live_releases: Memory[tuple[str, uuid.UUID], uuid.UUID | None] = Memory(
    _live_release, seconds=_MEMORY_SECONDS, most=_MOST
)
_personalities: Memory[tuple[str, uuid.UUID | None, uuid.UUID | None], PersonalityVersion] = Memory(
    _personality, seconds=_MEMORY_SECONDS, most=_MOST
)
_collections: Memory[str, tuple[uuid.UUID, ...]] = Memory(_all_collections, seconds=_MEMORY_SECONDS, most=_MOST)
# A document stays in its collection, whose slug hardly changes.
_categories: Memory[tuple[str, uuid.UUID], str] = Memory(_category, seconds=60.0, most=_MOST)
