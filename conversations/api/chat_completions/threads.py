"""Which conversation a request belongs to.

OpenAI's protocol has none: a program sends the whole talk each time. A request goes on with a conversation of ours
where it names one, or where all that it sends as said before is, word for word, what that conversation came to.
Otherwise a conversation is begun, and what was said before is brought into it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Final

from redis.exceptions import RedisError

from agents.engine.gateway import Role
from agents.models import Agent
from conversations.api.chat_completions.requests import Asked, Refused
from conversations.domain.history import begin_with_history
from conversations.models import Conversation
from switchboard.kernel.database import in_database
from switchboard.kernel.redis import async_redis
from tenants.context import tenant_key

_REMEMBERED_SECONDS: Final = 24 * 3600


async def conversation_for(agent: Agent, asked: Asked, *, caller: str, idempotency_key: str | None) -> uuid.UUID:
    """The conversation that a request goes on with, or a new one.

    Args:
        caller: who asks; nobody goes on with what another has said.

    Raises:
        Refused: `conversation_of_another_agent`.
        NotFound: no such conversation.
        Problem: what `begin_conversation` raises.
    """
    if asked.conversation_id is not None:
        await in_database(_check, agent, asked.conversation_id)
        return asked.conversation_id
    # A repeated request has to meet the conversation that its key began.
    if asked.history and idempotency_key is None:
        known = await _recall(_place(agent, caller, asked.contact, asked.history))
        if known is not None and await in_database(Conversation.objects.filter(pk=known, agent=agent).exists):
            return known
    begun = await in_database(
        begin_with_history,
        agent_id=agent.pk,
        contact=asked.contact,
        said=asked.history,
        idempotency_key=idempotency_key,
    )
    return begun.pk


async def remember(agent: Agent, asked: Asked, answer: str, conversation_id: uuid.UUID, *, caller: str) -> None:
    """Note what a conversation came to, for the request that goes on from there."""
    said = (*asked.history, ("contact", asked.question), ("agent", answer))
    place = _place(agent, caller, asked.contact, said)
    with contextlib.suppress(RedisError, OSError):
        await async_redis().set(place, str(conversation_id), ex=_REMEMBERED_SECONDS)


async def _recall(place: str) -> uuid.UUID | None:
    """Taken out: of two requests that go on from the same place, an answer that is asked for anew, the second is
    another talk.
    """
    with contextlib.suppress(RedisError, OSError, ValueError):
        found = await async_redis().getdel(place)
        return uuid.UUID(found) if found else None
    return None


def _check(agent: Agent, conversation_id: uuid.UUID) -> None:
    found = Conversation.objects.filter(pk=conversation_id).values_list("agent_id", flat=True).first()
    if found != agent.pk:
        raise Refused(
            "conversation_not_found", "There is no such conversation with this agent.", field="conversation_id"
        )


def _place(agent: Agent, caller: str, contact: str, said: Sequence[tuple[str | Role, str]]) -> str:
    told = json.dumps([str(agent.pk), caller, contact, [[role, text.strip()] for role, text in said]])
    return tenant_key("chat-completions", hashlib.sha256(told.encode()).hexdigest())
