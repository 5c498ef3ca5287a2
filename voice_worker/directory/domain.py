"""Whose a room or a number is: asked before anything else is known, and never guessed from a name."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.models import Agent
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Conflict, Invalid
from tenants import context
from tenants.context import scope_of, use_public, use_tenant
from tenants.directory import Entry
from tenants.models import Tenant
from voice_worker.directory.models import PhoneNumber, Room, valid_number


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """A room of ours.

    Args:
        is_open: whether anybody may still come in.
    """

    name: str
    tenant: Entry
    meeting_id: uuid.UUID
    is_open: bool


@dataclass(frozen=True, slots=True)
class NumberEntry:
    """A number that is answered."""

    number: str
    tenant: Entry
    agent_id: uuid.UUID


def register_room(*, name: str, meeting_id: uuid.UUID) -> None:
    """Enter a room of the tenant in force.

    Raises:
        Conflict: `room_taken`.
    """
    owner = context.tenant_id()
    try:
        with use_public(), transaction.atomic():
            Room.objects.create(name=name, tenant_id=owner, meeting_id=meeting_id)
    except IntegrityError:
        raise Conflict("room_taken", "There is a room of this name.") from None


def close_room(*, name: str) -> None:
    """Let nobody in any more. A room that is closed, or unknown, stays so."""
    with use_public():
        Room.objects.filter(name=name, closed_at=None).update(closed_at=timezone.now())


def find_room(name: str) -> RoomEntry | None:
    """The room, where somebody may come in: it is known, open, and its tenant is served."""
    entry = look_up_room(name)
    return entry if entry is not None and entry.is_open and entry.tenant.is_ready else None


async def find_room_async(name: str) -> RoomEntry | None:
    """The same from async code."""
    return await in_database(find_room, name)


def look_up_room(name: str) -> RoomEntry | None:
    """The room, though it be closed: for what is told of it afterwards."""
    with use_public():
        row = Room.objects.select_related("tenant").filter(name=name).first()
    if row is None or row.tenant.status == Tenant.Status.DELETED:
        return None
    return RoomEntry(row.name, _entry(row.tenant), row.meeting_id, is_open=row.closed_at is None)


def find_number(number: str) -> NumberEntry | None:
    """Who answers a number, where its tenant is served."""
    with use_public():
        row = PhoneNumber.objects.select_related("tenant").filter(number=number).first()
    if row is None or row.tenant.status != Tenant.Status.READY:
        return None
    return NumberEntry(row.number, _entry(row.tenant), row.agent_id)


def _entry(tenant: Tenant) -> Entry:
    return Entry(scope_of(tenant), tenant.status)


def assign_number(*, number: str, tenant_id: uuid.UUID, agent_id: uuid.UUID) -> PhoneNumber:
    """Have a number answered by a tenant's agent.

    Raises:
        Invalid: `invalid_number`, `unknown_tenant`, `unknown_agent`.
        Conflict: `number_taken`.
    """
    name = "".join(number.split())
    try:
        valid_number(name)
    except ValidationError as error:
        raise Invalid("invalid_number", error.messages[0], field="number") from None
    with use_public():
        tenant = Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.READY).first()
    if tenant is None:
        raise Invalid("unknown_tenant", "There is no such tenant that is ready.", field="tenant")
    with use_tenant(tenant):
        if not Agent.objects.filter(pk=agent_id, deleted_at=None).exists():
            raise Invalid("unknown_agent", "The tenant has no such agent.", field="agent")
    try:
        with use_public(), transaction.atomic():
            return PhoneNumber.objects.create(number=name, tenant=tenant, agent_id=agent_id)
    except IntegrityError:
        raise Conflict("number_taken", "This number is answered already.") from None


def withdraw_number(*, number: PhoneNumber) -> None:
    """Have a number answered by nobody."""
    with use_public():
        number.delete()
