"""Members of staff: made, given a role, let go. There is always somebody left who may put things right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from switchboard.kernel.problems import Conflict, Invalid, NotFound
from tenants.actor import doing
from tenants.context import PUBLIC_SCHEMA, current_scope
from tenants.staff.models import ObjectGrant, Role, User

_CHANGEABLE: Final = frozenset({"first_name", "last_name", "email", "role", "is_active"})


def create_member(*, username: str, password: str | None, role: str = Role.VIEWER, **fields: Any) -> User:
    """Somebody who may sign in, in the scope in force.

    Args:
        username: what they sign in with.
        password: None where they will sign in by single sign-on alone.
        role: what they may do.
        fields: `email`, `first_name`, `last_name`.

    Raises:
        Conflict: `member_exists`.
    """
    member = User(username=username, role=check_role(role), is_staff=True, **fields)
    member.set_password(password)
    try:
        with transaction.atomic(), doing("member.created"):
            member.save(force_insert=True)
    except IntegrityError:
        raise Conflict("member_exists", f"Somebody signs in as {username} already.") from None
    return member


def change_member(*, member: User, message: str = "", **changes: Any) -> User:
    """Change a member's name, address, role, or whether they may sign in.

    Args:
        message: why, for the audit trail.
        changes: any of `first_name`, `last_name`, `email`, `role`, `is_active`.

    Raises:
        Conflict: `last_owner`: nobody would be left who may give roles.
    """
    unknown = set(changes) - _CHANGEABLE
    if unknown:
        raise TypeError(f"A member has no {', '.join(sorted(unknown))} to change.")
    if "role" in changes:
        changes["role"] = check_role(changes["role"])
    with transaction.atomic(), doing(_deed(changes), message):
        in_charge = _lock_those_in_charge()
        row = User.objects.select_for_update(no_key=True).get(pk=member.pk)
        for name, value in changes.items():
            setattr(row, name, value)
        if member.pk in in_charge and len(in_charge) == 1 and not _is_in_charge(row):
            raise Conflict("last_owner", "This is the last owner. Make somebody else an owner first.")
        row.save(update_fields=sorted(changes))
    return row


def grant_on_object(*, member: User, object_type: str, object_id: UUID, role: str) -> ObjectGrant:
    """Give a member a role on one object, beside the role they have everywhere. Given twice it is one grant.

    Args:
        object_type: a key of `grantable()`.
        object_id: of the object, which need not know of it.

    Raises:
        Invalid: `unknown_object_type`, `unknown_role`.
        NotFound: the tenant has no such object.
    """
    if object_type not in _grantable:
        names = ", ".join(sorted(_grantable))
        raise Invalid("unknown_object_type", f"Grants are given on: {names}.", field="object_type")
    if not _grantable[object_type].objects.filter(pk=object_id).exists():
        raise NotFound("object")
    with doing("member.grant_added"):
        row, _ = ObjectGrant.objects.get_or_create(
            member=member, object_type=object_type, object_id=object_id, role=check_role(role)
        )
    return row


def revoke_grant(*, grant: ObjectGrant) -> None:
    """Take a grant back; the member keeps their role."""
    with doing("member.grant_revoked"):
        grant.delete()


_grantable: dict[str, Any] = {}


def grants_on(model: Any) -> None:
    """Let members be given roles on single rows of a model. Called by the app that has it, when it is ready."""
    _grantable[model._meta.label_lower] = model


def grantable() -> Mapping[str, Any]:
    """The models whose rows grants can be given on, by label."""
    return _grantable


def check_role(role: str) -> str:
    """A role that there is. Raises `Invalid`: `unknown_role`."""
    if role not in Role.values:
        raise Invalid("unknown_role", f"The roles are: {', '.join(Role.values)}.", field="role")
    return str(role)


def _deed(changes: Mapping[str, Any]) -> str:
    if "is_active" in changes:
        return "member.activated" if changes["is_active"] else "member.deactivated"
    return "member.role_changed" if "role" in changes else "member.changed"


def _lock_those_in_charge() -> set[UUID]:
    """Who could put things right, locked: of two who are demoted at once, the second finds the first gone."""
    rows = User.objects.select_for_update(no_key=True).filter(is_active=True, is_staff=True).order_by("pk")
    if not _among_operators():
        rows = rows.filter(role=Role.OWNER)
    return set(rows.values_list("pk", flat=True))


def _is_in_charge(row: User) -> bool:
    return row.is_active and row.is_staff and (_among_operators() or row.role == Role.OWNER)


def _among_operators() -> bool:
    scope = current_scope()
    return scope is not None and scope.schema_name == PUBLIC_SCHEMA
