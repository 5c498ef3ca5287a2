"""Events of a conversation that belong to no turn, in the one gapless numbering of its events.

A turn that runs has the numbers after the last kept event to itself. A notice of that time is numbered when the turn is
finished, in the same transaction; whoever tells it and whoever finishes the turn both hold the conversation's row.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from conversations.events.keys import event_key
from conversations.events.log import append_now
from conversations.events.record import Record, encode
from conversations.models import Conversation, Notice, Turn
from switchboard.kernel.problems import NotFound


def tell(*, conversation_id: uuid.UUID, kind: str, data: Mapping[str, Any]) -> Record | None:
    """Put an event among a conversation's. Who follows it hears of it once the transaction is over.

    Args:
        kind: the event's name; none that a turn uses.
        data: plain values.

    Returns:
        The event; None where it waits for the end of a turn.

    Raises:
        NotFound: there is no such conversation.
    """
    with transaction.atomic():
        thread = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if thread is None:
            raise NotFound("conversation")
        Notice.objects.create(conversation=thread, kind=kind, data=dict(data))
        if Turn.objects.filter(conversation=thread, status=Turn.Status.RUNNING).exists():
            Conversation.objects.filter(pk=thread.pk).update(has_waiting_notices=True)
            return None
        # Those of a turn that could not be finished may wait still.
        records = number_waiting(conversation_id=thread.pk)
        for record in records:
            transaction.on_commit(functools.partial(append_now, event_key(thread.pk), record))
    return records[-1]


def number_waiting(*, conversation_id: uuid.UUID) -> tuple[Record, ...]:
    """Give those notices their numbers that have none. For whoever holds the conversation's row."""
    thread = Conversation.objects.get(pk=conversation_id)
    records = []
    for number, notice in enumerate(
        Notice.objects.filter(conversation_id=conversation_id, number=None).order_by("created_at", "id"),
        thread.last_event + 1,
    ):
        Notice.objects.filter(pk=notice.pk).update(number=number)
        records.append(encode(number, notice.kind, notice.data))
    Conversation.objects.filter(pk=conversation_id).update(
        last_event=thread.last_event + len(records), has_waiting_notices=False
    )
    return tuple(records)
