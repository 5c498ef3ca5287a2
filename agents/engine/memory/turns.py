"""After a turn: what no longer fits into the window is summed up, and facts are kept where that was agreed to.

Beside the conversation, never in its way. Doing it twice, at once or after a crash, comes to the same: a summary moves
on only from the message that its writer read it at.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.content.runtime import MemoryPolicy, ModelChoice
from agents.engine.gateway import Role
from agents.engine.memory import facts, summaries
from agents.engine.memory.recall import tokens_of
from agents.models import ConversationSummary
from billing.domain.usage import Usage
from switchboard.kernel.database import in_database

logger = logging.getLogger(__name__)

# Summed up once so much of the window is filled with what no summary covers, down to the lower mark: so a summary
# lasts several turns, and is there before anything falls out of the window.
_FULL: Final = 0.75
_DOWN_TO: Final = 0.4


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the thread. Ids follow time."""

    id: uuid.UUID
    role: Role
    text: str


def is_due(*, texts: Sequence[str], policy: MemoryPolicy, most_messages: int) -> bool:
    """Whether a summary may be due, judged by the last messages alone.

    Args:
        texts: what the last turn was shown, its question and its answer.
        most_messages: how many messages a turn is shown at most.
    """
    if not policy.summarise:
        return False
    return len(texts) >= _FULL * most_messages or sum(map(tokens_of, texts)) >= _FULL * policy.window_tokens


async def covered_until(conversation_id: uuid.UUID) -> uuid.UUID | None:
    """The last message that the conversation's summary covers; None without one."""
    rows = ConversationSummary.objects.filter(conversation_id=conversation_id)
    return await in_database(lambda: rows.values_list("covered_until", flat=True).first())


async def remember_turn(
    *,
    conversation_id: uuid.UUID,
    contact: str,
    turn_id: uuid.UUID,
    said: Sequence[Said],
    policy: MemoryPolicy,
    chain: Sequence[ModelChoice],
    most_messages: int,
) -> tuple[Usage, ...]:
    """Remember a turn that is over.

    Args:
        said: the thread's messages that no summary covers (`covered_until`), oldest first, this turn's included.
        chain: the release's models; the first that answers writes. Without one, or with the local model alone, the
            summary is made of first sentences, and no fact is found.
        most_messages: how many messages a turn is shown at most.

    Returns:
        What the models used, to be metered.
    """
    used: list[Usage] = []
    models = [choice for choice in chain if choice.endpoint]
    if policy.summarise:
        older = _older(said, policy, most_messages)
        if older:
            used += await _sum_up(conversation_id, contact, older, policy, models)
    if policy.contact_facts and contact and models:
        question = next((one.text for one in reversed(said) if one.role == "contact"), "")
        used += await facts.learn(contact=contact, turn_id=turn_id, text=question, policy=policy, chain=models)
    return tuple(used)


def _older(said: Sequence[Said], policy: MemoryPolicy, most_messages: int) -> Sequence[Said]:
    """The messages to be summed up now; none while the window has room."""
    tokens = [tokens_of(one.text) for one in said]
    filled = sum(tokens)
    if filled < _FULL * policy.window_tokens and len(said) < _FULL * most_messages:
        return ()
    count = 0
    # The last question and its answer stay as they are.
    while count < len(said) - 2 and (
        filled > _DOWN_TO * policy.window_tokens or len(said) - count > _DOWN_TO * most_messages
    ):
        filled -= tokens[count]
        count += 1
    return said[:count]


async def _sum_up(
    conversation_id: uuid.UUID,
    contact: str,
    older: Sequence[Said],
    policy: MemoryPolicy,
    chain: Sequence[ModelChoice],
) -> list[Usage]:
    before = await in_database(_summary, conversation_id)
    if before is not None:
        # What another has summed up meanwhile is left out.
        older = [one for one in older if one.id > before.covered_until]
        if not older:
            return []
    said = [(one.role, one.text) for one in older]
    text, used = await summaries.sum_up(
        before=before.text if before else "", said=said, most_tokens=policy.window_tokens // 4, chain=chain
    )
    await in_database(_keep, conversation_id, contact, before, text, older)
    return used


def _summary(conversation_id: uuid.UUID) -> ConversationSummary | None:
    return ConversationSummary.objects.filter(conversation_id=conversation_id).first()


def _keep(
    conversation_id: uuid.UUID, contact: str, before: ConversationSummary | None, text: str, older: Sequence[Said]
) -> bool:
    """Whether it was kept: not where another came first, or it was erased meanwhile."""
    last, count = older[-1].id, len(older)
    if before is None:
        try:
            with transaction.atomic():
                ConversationSummary.objects.create(
                    conversation_id=conversation_id,
                    contact=contact,
                    text=text,
                    covered_until=last,
                    covered_messages=count,
                )
        except IntegrityError:
            return False
        return True
    unchanged = ConversationSummary.objects.filter(pk=before.pk, covered_until=before.covered_until)
    return bool(
        unchanged.update(
            text=text,
            covered_until=last,
            covered_messages=before.covered_messages + count,
            updated_at=timezone.now(),
        )
    )
