"""What is read of conversations."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Final

from django.db.models import Count, Max, Q, Value
from django.utils import timezone

from agents.traffic import WINDOW, Traffic
from conversations.events.record import Record, encode, from_json
from conversations.models import Conversation, Message, Notice, Turn
from switchboard.kernel.memory import Memory
from switchboard.kernel.problems import NotFound
from tenants.context import Scope, current_tenant, use_tenant
from tenants.tokens.entries import TokenEntry

# Turns whose events are read at once: a long conversation is told from its beginning in pieces, for each reader of it
# would hold all of it in memory otherwise.
MOST_TURNS: Final = 20


def conversation(conversation_id: uuid.UUID) -> Conversation:
    """A conversation of the tenant in force. Raises `NotFound`."""
    try:
        return Conversation.objects.select_related("agent").get(pk=conversation_id)
    except Conversation.DoesNotExist:
        raise NotFound("conversation") from None


async def check_contact(conversation_id: uuid.UUID, token: TokenEntry) -> None:
    """Whether a conversation is the token's contact's own, and with the agent they are limited to, if they are.

    Raises:
        NotFound: it isn't, or there is none; nobody is told which.
    """
    contact, agent = await owners.find_async((current_tenant(), conversation_id))
    if contact != token.contact or token.agent not in {None, agent}:
        raise NotFound("conversation")


def _owner(name: tuple[Scope, uuid.UUID]) -> tuple[str, uuid.UUID]:
    scope, conversation_id = name
    with use_tenant(scope):
        row = Conversation.objects.filter(pk=conversation_id).values_list("contact", "agent_id").first()
    if row is None:
        raise NotFound("conversation")
    return row


# A conversation's contact and agent never change, so that only whether it is still there is asked anew by its readers.
owners: Memory[tuple[Scope, uuid.UUID], tuple[str, uuid.UUID]] = Memory(_owner, seconds=600)


def turn(conversation_id: uuid.UUID, turn_id: uuid.UUID) -> Turn:
    """A turn of a conversation. Raises `NotFound`."""
    try:
        return Turn.objects.get(pk=turn_id, conversation_id=conversation_id)
    except Turn.DoesNotExist:
        raise NotFound("turn") from None


def latest_messages(conversation_id: uuid.UUID, *, before: uuid.UUID | None = None, limit: int) -> list[Message]:
    """The last messages of a conversation, oldest first.

    Args:
        before: only what was said before this message.
        limit: most messages.
    """
    said = Message.objects.filter(conversation_id=conversation_id)
    if before is not None:
        said = said.filter(id__lt=before)
    return list(reversed(said.order_by("-id")[:limit]))


def kept_events(conversation_id: uuid.UUID, after: int) -> tuple[list[Record], bool]:
    """The events of finished turns and the notices after a number, in order, `MOST_TURNS` of them at most; and whether
    that is all.
    """
    turns = Turn.objects.filter(conversation_id=conversation_id, last_event__gt=after)
    notices = Notice.objects.filter(conversation_id=conversation_id, number__gt=after)
    rows = (
        turns.order_by()
        .values_list("first_event", "events", Value(""))
        .union(notices.order_by().values_list("number", "data", "kind"), all=True)
        .order_by("first_event")[:MOST_TURNS]
    )
    records: list[Record] = []
    found = 0
    for first, kept, kind in rows:
        found += 1
        records += [encode(first, kind, kept)] if kind else map(from_json, kept)
    return [record for record in records if record.number > after], found < MOST_TURNS


def traffic(release_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Traffic]:
    """What these releases served within the last day; those that served nobody are left out."""
    rows = (
        Turn.objects.filter(release_id__in=release_ids, created_at__gte=timezone.now() - WINDOW)
        .order_by()
        .values("release_id")
        .annotate(
            talks=Count("conversation_id", distinct=True),
            turns=Count("pk"),
            failed=Count("pk", filter=Q(status=Turn.Status.FAILED)),
            last=Max("created_at"),
        )
        .values_list("release_id", "talks", "turns", "failed", "last")
    )
    return {pk: Traffic(talks, turns, failed, last) for pk, talks, turns, failed, last in rows if pk is not None}
