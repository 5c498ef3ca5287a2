"""Who may talk over a websocket: a program with an API key, a contact with a token, or a signed-in member of staff."""

from __future__ import annotations

import uuid
from typing import Any

from agents.models import Agent
from conversations import queries
from conversations.models import Conversation
from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.problems import Problem
from tenants.api.authentication import ApiKeyCaller, ContactCaller
from tenants.permissions import Permission, allows, require
from tenants.staff.sessions import member_of
from tenants.tokens.entries import TokenEntry


async def check_caller(
    scope: dict[str, Any],
    permission: Permission,
    *,
    conversation_id: uuid.UUID | None = None,
    agent_id: uuid.UUID | None = None,
) -> None:
    """Whether a socket's caller has a permission: on a conversation or an agent, or at all on any of them.

    Args:
        scope: the socket's, as `TenantSocketMiddleware` left it.

    Raises:
        Problem: they haven't.
        NotFound: the conversation isn't the contact's own.
    """
    if scope["tenant"].is_public:
        raise Problem("not_authenticated", "Send an API key.", status=401)
    session, key, token = scope.get("session"), scope["api_key"], scope["token"]
    if key is not None:
        require(ApiKeyCaller(key), permission)
    elif token is not None:
        await _check_contact(token, permission, conversation_id, agent_id)
    elif session is None:
        raise Problem("not_authenticated", "Send an API key, or sign in.", status=401)
    else:
        await in_database(_check_member, session.session_key, permission, conversation_id, agent_id)


async def is_admitted(
    scope: dict[str, Any],
    permission: Permission,
    *,
    conversation_id: uuid.UUID | None = None,
    agent_id: uuid.UUID | None = None,
) -> bool:
    """Whether the caller would be let in now. A database that is away turns nobody out."""
    try:
        await scope["readmit"]()
        await check_caller(scope, permission, conversation_id=conversation_id, agent_id=agent_id)
    except OUTAGES:
        return True
    except Problem:
        return False
    return True


async def _check_contact(
    token: TokenEntry, permission: Permission, conversation_id: uuid.UUID | None, agent_id: uuid.UUID | None
) -> None:
    require(ContactCaller(token), permission)
    if conversation_id is not None:
        await queries.check_contact(conversation_id, token)
    elif agent_id is not None and token.agent not in {None, agent_id}:
        raise Problem("forbidden", "This token is for another agent.", status=403)


def _check_member(
    session_key: str, permission: Permission, conversation_id: uuid.UUID | None, agent_id: uuid.UUID | None
) -> None:
    member = member_of(session_key)
    if member is None:
        raise Problem("not_authenticated", "Send an API key, or sign in.", status=401)
    if allows(member, permission):
        return
    if conversation_id is not None:
        row = Conversation.objects.select_related("agent").filter(pk=conversation_id).first()
        require(member, permission, on=row)
    elif agent_id is not None:
        require(member, permission, on=Agent.objects.filter(pk=agent_id).first())
    elif not member.has_grants:
        require(member, permission)
