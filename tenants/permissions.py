"""What may be done, as one vocabulary for people and programs: a role is a set of permissions, an API key's scopes are
another.

Interfaces ask `allows(caller, permission, on=row)` and nothing else, so the admin, the REST API and the data plane
cannot disagree. Which address asks for which permission is declared in tests/guards/test_roles.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

from django.db.models import Model

from switchboard.kernel.problems import Problem


class Permission(StrEnum):
    """One thing that may be done; also an API key's scope."""

    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"  # drafts, releases in preview, test cases and their runs
    AGENTS_PUBLISH = "agents:publish"  # publish versions, put releases live, canaries, rollbacks
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_WRITE = "knowledge:write"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"  # talk
    FLAGS_READ = "flags:read"
    FLAGS_WRITE = "flags:write"
    SECRETS_READ = "secrets:read"  # that they exist, never what they are
    SECRETS_WRITE = "secrets:write"  # secrets and model endpoints
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    TOKENS_MINT = "tokens:mint"
    SETTINGS_READ = "settings:read"  # single sign-on, token issuers, allowed origins
    SETTINGS_WRITE = "settings:write"
    AUDIT_READ = "audit:read"
    USAGE_READ = "usage:read"
    TENANTS_READ = "tenants:read"  # operators and the platform's own keys only
    TENANTS_WRITE = "tenants:write"
    WORKER_OPERATE = "worker:operate"  # a voice worker elsewhere, for whichever tenant's room it serves


OPERATORS_ONLY: Final = frozenset({Permission.TENANTS_READ, Permission.TENANTS_WRITE, Permission.WORKER_OPERATE})
# What the platform's own keys may have: on the platform's host the flags are the operators', for all tenants.
PLATFORM_SCOPES: Final = OPERATORS_ONLY | {Permission.FLAGS_READ, Permission.FLAGS_WRITE}


class Role(StrEnum):
    """What a member of staff is for."""

    OWNER = "owner"
    BUILDER = "builder"
    SUPPORTER = "supporter"
    ANALYST = "analyst"
    VIEWER = "viewer"


_P = Permission
_LOOKS_AROUND: Final = frozenset({_P.AGENTS_READ, _P.KNOWLEDGE_READ, _P.CONVERSATIONS_READ, _P.FLAGS_READ})
ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission) - OPERATORS_ONLY,
    Role.BUILDER: _LOOKS_AROUND
    | {_P.AGENTS_WRITE, _P.AGENTS_PUBLISH, _P.KNOWLEDGE_WRITE, _P.CONVERSATIONS_WRITE, _P.FLAGS_WRITE}
    | {_P.SECRETS_READ, _P.SECRETS_WRITE, _P.MEMBERS_READ, _P.AUDIT_READ, _P.USAGE_READ},
    Role.SUPPORTER: _LOOKS_AROUND | {_P.CONVERSATIONS_WRITE},
    Role.ANALYST: _LOOKS_AROUND | {_P.AUDIT_READ, _P.USAGE_READ},
    Role.VIEWER: _LOOKS_AROUND,
}


class Caller(Protocol):
    """Whoever asks for something: a member of staff, an operator, an API key, a contact with a token."""

    def may(self, permission: Permission, on: Model | None) -> bool:
        """Whether the caller has a permission, at all or on one row."""
        ...


def allows(caller: object, permission: Permission, *, on: Model | None = None) -> bool:
    """Whether a caller may do something.

    Args:
        caller: anything with `may`; whoever has none, such as an anonymous visitor, may nothing.
        on: the row it would be done to, for whoever has more rights on single objects.
    """
    may = getattr(caller, "may", None)
    return bool(may is not None and may(permission, on))


def require_whole_role(caller: object, role: str) -> None:
    """Refuse to give a role, or to see to somebody who has it, to whoever may less than it may: a key that may manage
    members must not make itself an owner of one.

    Raises:
        Problem: 403 `role_not_held`.
    """
    lacking = sorted(permission for permission in ROLE_PERMISSIONS[Role(role)] if not allows(caller, permission))
    if lacking:
        raise Problem("role_not_held", f"This role may what you may not: {', '.join(lacking)}.", status=403)


def require(caller: object, permission: Permission, *, on: Model | None = None) -> None:
    """`allows`, or a refusal: for what a declaration at the interface doesn't cover, such as a second permission.

    Raises:
        Problem: 403 `forbidden`.
    """
    if not allows(caller, permission, on=on):
        raise Problem("forbidden", f"This needs the permission {permission}.", status=403)
