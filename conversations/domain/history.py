"""What was said elsewhere, brought into a conversation of its own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone

from agents.engine.gateway import Role
from conversations.domain.conversations import begin_conversation
from conversations.models import Conversation, Message, Turn
from switchboard.kernel.ids import uuid7

# Earlier ones are left out: no turn is shown more.
MOST_BROUGHT: Final = 60


def begin_with_history(
    *,
    agent_id: uuid.UUID,
    contact: str = "",
    said: Sequence[tuple[Role, str]] = (),
    idempotency_key: str | None = None,
) -> Conversation:
    """A new conversation that goes on from what was said elsewhere, oldest first: the engine sees it as said here.

    Raises what `begin_conversation` does.
    """
    with transaction.atomic():
        conversation = begin_conversation(agent_id=agent_id, contact=contact, idempotency_key=idempotency_key)
        if said and not conversation.title:
            _bring(conversation, said[-MOST_BROUGHT:])
    return conversation


def _bring(conversation: Conversation, said: Sequence[tuple[Role, str]]) -> None:
    """Turns and messages that are over. They have no events and no release: nothing of ours answered."""
    now = timezone.now()
    turns: list[Turn] = []
    messages: list[Message] = []
    for place, (role, text) in enumerate(said):
        # Ids follow time: each is a millisecond after the one before, and all before the question that follows.
        moment = len(said) - place
        if role == "contact" or not turns:
            turns.append(
                Turn(
                    id=uuid7(earlier=moment),
                    conversation=conversation,
                    status=Turn.Status.DONE,
                    started_at=now,
                    finished_at=now,
                )
            )
        messages.append(
            Message(
                id=uuid7(earlier=moment),
                conversation=conversation,
                turn=turns[-1],
                role=Message.Role.CONTACT if role == "contact" else Message.Role.AGENT,
                text=text,
            )
        )
    Turn.objects.bulk_create(turns)
    Message.objects.bulk_create(messages)
    title = " ".join(said[0][1].split())[:120] or "…"
    Conversation.objects.filter(pk=conversation.pk).update(title=title)
