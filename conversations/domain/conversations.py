"""Conversations: begun."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Agent, Release
from agents.serving import release_for
from conversations.models import Conversation
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, Invalid
from tenants.flags.evaluation import Context


def begin_conversation(
    *,
    agent_id: uuid.UUID,
    channel: str = Conversation.Channel.API,
    contact: str = "",
    contact_attributes: Mapping[str, Any] | None = None,
    release_id: uuid.UUID | None = None,
    idempotency_key: str | None = None,
) -> Conversation:
    """A new conversation with an agent; the same one again for the same contact and idempotency key.

    Args:
        contact: who talks, by the tenant's own name for them; empty where nobody says.
        contact_attributes: what the flag of a canary may look at; not kept.
        release_id: one of the agent's releases to talk with, a preview perhaps; None lets the agent choose.

    Raises:
        Invalid: `unknown_agent`; `unknown_release`; `idempotency_key_reused`, for another agent.
        Conflict: `agent_not_live`, an agent without a live release; `agent_paused`.
    """
    if idempotency_key:
        earlier = Conversation.objects.filter(contact=contact, idempotency_key=idempotency_key).first()
        if earlier is not None:
            return _same(earlier, agent_id)
    agent = Agent.objects.filter(pk=agent_id, deleted_at=None).first()
    if agent is None:
        raise Invalid("unknown_agent", "There is no such agent.", field="agent")
    conversation_id = uuid7()
    if release_id is None:
        context = Context(
            contact=contact,
            contact_attributes=contact_attributes or {},
            agent=agent.slug,
            channel=channel,
            unit=str(conversation_id),
        )
        release_id = _chosen(agent, unit=contact or str(conversation_id), context=context)
    elif not Release.objects.filter(pk=release_id, agent=agent).exists():
        raise Invalid("unknown_release", "The agent has no such release.", field="release")
    try:
        with transaction.atomic():
            return Conversation.objects.create(
                id=conversation_id,
                agent=agent,
                release_id=release_id,
                channel=channel,
                contact=contact,
                idempotency_key=idempotency_key,
            )
    except IntegrityError:
        return _same(Conversation.objects.get(contact=contact, idempotency_key=idempotency_key), agent_id)


def _chosen(agent: Agent, *, unit: str, context: Context) -> uuid.UUID:
    chosen = release_for(agent, unit=unit, context=context)
    if chosen is not None:
        return chosen
    if agent.status == Agent.Status.PAUSED:
        raise Conflict("agent_paused", "The agent is paused.")
    raise Conflict("agent_not_live", "The agent has no live release yet.")


def _same(earlier: Conversation, agent_id: uuid.UUID) -> Conversation:
    if earlier.agent_id != agent_id:
        raise Invalid("idempotency_key_reused", "This Idempotency-Key began a conversation with another agent.")
    return earlier
