"""Conversations: begun."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction

from agents.models import Agent
from conversations.models import Conversation
from switchboard.kernel.problems import Conflict, Invalid


def begin_conversation(
    *,
    agent_id: uuid.UUID,
    channel: str = Conversation.Channel.API,
    contact: str = "",
    idempotency_key: str | None = None,
) -> Conversation:
    """A new conversation with an agent; the same one again for the same contact and idempotency key.

    Args:
        contact: who talks, by the tenant's own name for them; empty where nobody says.

    Raises:
        Invalid: `unknown_agent`; `idempotency_key_reused`, for another agent.
        Conflict: `agent_not_live`, an agent without a live release.
    """
    if idempotency_key:
        earlier = Conversation.objects.filter(contact=contact, idempotency_key=idempotency_key).first()
        if earlier is not None:
            return _same(earlier, agent_id)
    live = Agent.objects.filter(pk=agent_id).values_list("live_release_id", flat=True).first()
    if live is None:
        if not Agent.objects.filter(pk=agent_id).exists():
            raise Invalid("unknown_agent", "There is no such agent.", field="agent")
        raise Conflict("agent_not_live", "The agent has no live release yet.")
    try:
        with transaction.atomic():
            return Conversation.objects.create(
                agent_id=agent_id, channel=channel, contact=contact, idempotency_key=idempotency_key
            )
    except IntegrityError:
        return _same(Conversation.objects.get(contact=contact, idempotency_key=idempotency_key), agent_id)


def _same(earlier: Conversation, agent_id: uuid.UUID) -> Conversation:
    if earlier.agent_id != agent_id:
        raise Invalid("idempotency_key_reused", "This Idempotency-Key began a conversation with another agent.")
    return earlier
