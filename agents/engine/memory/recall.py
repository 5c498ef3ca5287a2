"""What a turn is told of before: the last messages that fit, the summary of earlier ones, facts about the contact."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from agents.content.runtime import MemoryPolicy
from agents.engine.gateway import Role, estimate_tokens
from agents.models import ContactFact, ConversationSummary
from switchboard.kernel.database import in_database

# A message more than its text: its role and its place.
_TOKENS_AROUND: Final = 4
_MOST_FACTS: Final = 30


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the contact, such as `allergy`: `nuts`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered. All of it is what people and models said: data, never instructions.

    Args:
        summary: what was said before the window; "" where nothing was, or nothing was summed up yet.
        window: the last messages, oldest first.
        facts: about the contact, by their consent; the newest first.
    """

    summary: str
    window: Sequence[tuple[Role, str]]
    facts: Sequence[Fact]


async def remembered(
    *, conversation_id: uuid.UUID, contact: str, history: Sequence[tuple[Role, str]], policy: MemoryPolicy
) -> Memory:
    """What a turn may know of before.

    No query where there can be nothing: a new conversation has no summary, and who isn't named has no facts.
    """
    shown = window(history, policy.window_tokens)
    wants_summary = policy.summarise and bool(history)
    wants_facts = policy.contact_facts and bool(contact)
    if not wants_summary and not wants_facts:
        return Memory("", shown, ())
    summary, facts = await in_database(
        _read, conversation_id if wants_summary else None, contact if wants_facts else ""
    )
    return Memory(summary, shown, facts)


def window(history: Sequence[tuple[Role, str]], tokens: int) -> Sequence[tuple[Role, str]]:
    """The last messages that fit into so many tokens. Whole messages, or one's end."""
    left = tokens
    start = len(history)
    for _, text in reversed(history):
        left -= tokens_of(text)
        if left < 0:
            break
        start -= 1
    if start == len(history) and history:
        role, text = history[-1]
        return [(role, text[-4 * (tokens - _TOKENS_AROUND) :])]
    return history[start:]


def tokens_of(text: str) -> int:
    """About how many tokens a message takes."""
    return estimate_tokens(len(text)) + _TOKENS_AROUND


def _read(conversation_id: uuid.UUID | None, contact: str) -> tuple[str, tuple[Fact, ...]]:
    summary = ""
    if conversation_id is not None:
        rows = ConversationSummary.objects.filter(conversation_id=conversation_id)
        summary = rows.values_list("text", flat=True).first() or ""
    if not contact:
        return summary, ()
    kept = ContactFact.objects.filter(contact=contact, consent__is_given=True, expires_at__gt=timezone.now())
    found = kept.order_by("-updated_at").values_list("key", "value")[:_MOST_FACTS]
    return summary, tuple(Fact(key, value) for key, value in found)
