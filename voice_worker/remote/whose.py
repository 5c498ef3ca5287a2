"""Whose room it is that a worker speaks of, and what goes on in it: by the directory, never by what a name looks like.

A platform key may work for every tenant, so each call says for which: by room, by number, or by the tenant's id as
an earlier answer gave it. From there on everything is looked up in that tenant's schema alone: a session of another
tenant's is as unknown as one that never was, found missing by the same query.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, Subquery

from agents.models import Agent
from conversations.models import Conversation
from switchboard.kernel.memory import Memory
from switchboard.kernel.problems import Invalid, NotFound
from tenants.context import Scope, current_tenant, scope_of, use_public
from tenants.directory import MEMORY_SECONDS, Entry
from tenants.middleware import TenantNotReady
from tenants.models import Tenant
from voice_worker.directory.domain import find_number, look_up_room
from voice_worker.models import Meeting, VoiceSession

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a room or a number leads.

    Args:
        meeting_id: of a room.
        agent_id: of a number: who answers it.
        is_open: whether anybody is let in still.
    """

    tenant_id: uuid.UUID
    meeting_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Whose:
    """The tenant of a call, and the room or number it came by, if it came by one."""

    scope: Scope
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """What goes on in a room: its conversation, the release that serves it, and the agent's session there."""

    conversation_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None
    release_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None


async def whose(
    *, room: str | None = None, number: str | None = None, tenant_id: uuid.UUID | None = None, to_enter: bool = False
) -> Whose:
    """The tenant that a call is for. What names it twice must agree with itself.

    Args:
        to_enter: whether somebody is to be let in: a room that is closed is none then. What happened in it before may
            be told afterwards.

    Raises:
        Invalid: `tenant_not_named`.
        NotFound: no such room, number or tenant; or not the one that was named besides.
        Problem: 403 `tenant_suspended`, 503 `tenant_not_ready`.
    """
    place = None
    if room is not None:
        place = await rooms.find_async(room)
    if number is not None:
        answered = await numbers.find_async(number)
        if place is not None and place.tenant_id != answered.tenant_id:
            raise NotFound("number")
        place = place or answered
    named = tenant_id or (place.tenant_id if place else None)
    if named is None:
        raise Invalid("tenant_not_named", "Name the room, the number or the tenant.", field="room")
    entry = await tenants.find_async(named)
    if place is not None and (place.tenant_id != named or (to_enter and not place.is_open)):
        raise NotFound("room")
    if entry.is_deleted:
        raise NotFound("tenant")
    if not entry.is_ready:
        raise TenantNotReady(entry)
    return Whose(entry.scope, place)


def talk_in(place: Place | None) -> Talk:
    """What goes on where a call came from, in the tenant in force; nothing where it names no room. One query."""
    if place is None:
        return Talk()
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


def _served_by(conversation: str = "") -> tuple[str, str, str]:
    """The columns that `_serving` asks for."""
    agent = f"{conversation}agent__"
    return f"{conversation}release_id", f"{agent}withdrawn_release_ids", f"{agent}live_release_id"


def _serving(begun_with: uuid.UUID | None, withdrawn: list[uuid.UUID], live: uuid.UUID | None) -> uuid.UUID | None:
    """A conversation stays on the release it began with, unless that is withdrawn."""
    return live if begun_with is None or begun_with in withdrawn else begun_with


def session_in(place: Place | None, session_id: uuid.UUID | None) -> VoiceSession:
    """The session that a call names, or else the latest of its room. One query.

    Raises:
        NotFound: there is none, or it is of another room than the one that was named.
    """
    rows = VoiceSession.objects.all()
    if session_id is not None:
        rows = rows.filter(pk=session_id)
    elif place is None or place.meeting_id is None:
        raise Invalid("session_not_named", "Name the session or its room.", field="session_id")
    if place is not None and place.meeting_id is not None:
        rows = rows.filter(meeting_id=place.meeting_id)
    row = rows.order_by("-id").first()
    if row is None:
        raise NotFound("session")
    return row


def release_of_conversation(conversation_id: uuid.UUID) -> uuid.UUID | None:
    """The release that serves a conversation. Raises `NotFound`."""
    row = Conversation.objects.filter(pk=conversation_id).values_list(*_served_by()).first()
    if row is None:
        raise NotFound("conversation")
    return _serving(*row)


def live_release_of(agent_id: uuid.UUID) -> uuid.UUID | None:
    """The release that an agent is live with. Raises `NotFound`."""
    row = Agent.objects.filter(pk=agent_id, deleted_at=None).values_list("live_release_id").first()
    if row is None:
        raise NotFound("agent")
    return row[0]


def forget() -> None:
    """Ask the database again from here on."""
    for memory in (rooms, numbers, tenants, talks):
        memory.forget()


def _room(name: str) -> Place:
    entry = look_up_room(name)
    if entry is None or entry.tenant.scope.tenant_id is None:
        raise NotFound("room")
    return Place(entry.tenant.scope.tenant_id, meeting_id=entry.meeting_id, is_open=entry.is_open)


def _number(number: str) -> Place:
    entry = find_number(number)
    if entry is None or entry.tenant.scope.tenant_id is None:
        raise NotFound("number")
    return Place(entry.tenant.scope.tenant_id, agent_id=entry.agent_id)


def _tenant(tenant_id: uuid.UUID) -> Entry:
    with use_public():
        row = Tenant.objects.filter(pk=tenant_id).first()
    if row is None:
        raise NotFound("tenant")
    return Entry(scope_of(row), row.status)


def _talk(name: tuple[str, Place]) -> Talk:
    return talk_in(name[1])


async def talk_async(place: Place | None) -> Talk:
    """`talk_in`, remembered for a moment."""
    return await talks.find_async((current_tenant().schema_name, place)) if place else Talk()


# What isn't there is not remembered: a worker may ask for a room in the second that it is made.
rooms: Memory[str, Place] = Memory(_room, seconds=MEMORY_SECONDS, most=_MOST)
numbers: Memory[str, Place] = Memory(_number, seconds=MEMORY_SECONDS, most=_MOST)
tenants: Memory[uuid.UUID, Entry] = Memory(_tenant, seconds=MEMORY_SECONDS, most=_MOST)
talks: Memory[tuple[str, Place], Talk] = Memory(_talk, seconds=MEMORY_SECONDS, most=_MOST)
