"""Who may call the data plane: a program with an API key, a contact with a token, or a signed-in member of staff (the
Playground).

Every operation says what it asks for: `auth=asks(Permission.CONVERSATIONS_READ)`. One that says nothing is refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from ninja.utils import check_csrf

from conversations import queries
from conversations.models import Conversation
from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.problems import NotFound, Problem
from tenants.api.authentication import ApiKeyCaller, ContactCaller, key_of, token_of
from tenants.middleware import admit_async, credentials
from tenants.permissions import Permission, allows, require
from tenants.staff.models import User
from tenants.staff.sessions import member_of

Caller = ApiKeyCaller | ContactCaller | User
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(Problem):
    def __init__(self) -> None:
        super().__init__(
            "not_authenticated",
            "Send `Authorization: Bearer KEY`, an API key or a token.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="switchboard"'},
        )


async def undeclared(request: HttpRequest) -> None:
    """The API's own `auth`, which an operation takes over with `asks`.

    Raises:
        Problem: always.
    """
    await _caller(request)
    raise Problem("forbidden", "Nobody has said who may do this.", status=403)


def asks(permission: Permission, *, of_some: bool = False) -> Callable[[HttpRequest], Awaitable[Caller]]:
    """An operation's `auth`: the caller, if they have the permission, at all or on the conversation in the address.

    Args:
        of_some: let in whoever has any grant on single objects; the operation itself asks about its object.
    """

    async def admitted(request: HttpRequest) -> Caller:
        caller = await _caller(request)
        request.asked = permission  # type: ignore[attr-defined]
        if isinstance(caller, ApiKeyCaller):
            require(caller, permission)
        elif isinstance(caller, ContactCaller):
            require(caller, permission)
            await _check_own(request, caller)
        else:
            await in_database(_require, request, caller, permission, of_some)
        return caller

    return admitted


async def _check_own(request: HttpRequest, caller: ContactCaller) -> None:
    """A contact's address leads to a conversation of their own, or to none. Raises `NotFound`."""
    match = request.resolver_match
    wanted = match.kwargs.get("conversation_id") if match else None
    if wanted is None:
        return
    try:
        conversation_id = uuid.UUID(str(wanted))
    except ValueError:
        raise NotFound("conversation") from None
    await queries.check_contact(conversation_id, caller.token)


def _require(request: HttpRequest, member: User, permission: Permission, of_some: bool) -> None:
    if allows(member, permission) or (of_some and member.has_grants):
        return
    require(member, permission, on=_conversation(request) if member.has_grants else None)


def _conversation(request: HttpRequest) -> Conversation | None:
    match = request.resolver_match
    wanted: uuid.UUID | None = match.kwargs.get("conversation_id") if match else None
    return Conversation.objects.select_related("agent").filter(pk=wanted).first() if wanted else None


async def _caller(request: HttpRequest) -> Caller:
    """The caller, or a 401.

    Raises:
        Problem: `not_authenticated`, `csrf_failed`.
    """
    key = key_of(request)
    if key is not None:
        return ApiKeyCaller(key)
    token = token_of(request)
    if token is not None:
        return ContactCaller(token)
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    tenant: Any = getattr(request, "tenant", None)
    if not session_key or tenant is None or tenant.is_public:
        raise NotSignedIn
    if request.method not in _SAFE and check_csrf(request, _caller):
        raise Problem("csrf_failed", "Send the CSRF token in X-CSRFToken.", status=403)
    user = await in_database(member_of, session_key)
    if user is None:
        raise NotSignedIn
    return user


async def still_admitted(request: HttpRequest) -> bool:
    """Whether whoever sent a request, and still hears its answer, would be let in now. A database that is away turns
    nobody out.
    """
    try:
        await admit_async(*credentials(request))
        if key_of(request) is not None or token_of(request) is not None:
            return True
        return await in_database(_still_may, request)
    except OUTAGES:
        return True
    except Problem:
        return False


def _still_may(request: HttpRequest) -> bool:
    member = member_of(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    permission: Permission = request.asked  # type: ignore[attr-defined]
    if member is None or allows(member, permission):
        return member is not None
    return allows(member, permission, on=_conversation(request))
