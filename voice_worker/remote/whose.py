"""Whose room it is that a worker speaks of: by the directory, never by what a name looks like.

A platform key may work for every tenant, so each call says for which: by room, by number, or by the tenant's id as
an earlier answer gave it. From there on everything is looked up in that tenant's schema alone: a session of another
tenant's is as unknown as one that never was, found missing by the same query.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from switchboard.kernel.memory import Memory
from switchboard.kernel.problems import Invalid, NotFound
from tenants.context import Scope, scope_of, use_public
from tenants.directory import MEMORY_SECONDS, Entry
from tenants.middleware import TenantNotReady
from tenants.models import Tenant
from voice_worker.directory.domain import find_number, look_up_room

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


async def whose(
    *,
    room: str | None = None,
    number: str | None = None,
    tenant_id: uuid.UUID | None = None,
    to_enter: bool = False,
    to_tell: bool = False,
) -> Whose:
    """The tenant that a call is for. What names it twice must agree with itself.

    Args:
        to_enter: whether somebody is to be let in: a room that is closed is none then. What happened in it before may
            be told afterwards.
        to_tell: whether something is told that has happened: it has, though the tenant was suspended in the middle of a
            call.

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
    if not entry.is_ready and not (to_tell and entry.status == Tenant.Status.SUSPENDED):
        raise TenantNotReady(entry)
    return Whose(entry.scope, place)


def forget() -> None:
    """Ask the database again from here on."""
    for memory in (rooms, numbers, tenants):
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


# What isn't there is not remembered: a worker may ask for a room in the second that it is made.
rooms: Memory[str, Place] = Memory(_room, seconds=MEMORY_SECONDS, most=_MOST)
numbers: Memory[str, Place] = Memory(_number, seconds=MEMORY_SECONDS, most=_MOST)
tenants: Memory[uuid.UUID, Entry] = Memory(_tenant, seconds=MEMORY_SECONDS, most=_MOST)
