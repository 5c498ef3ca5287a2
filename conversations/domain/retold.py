"""Turns that took place while the conversation couldn't be reached, told afterwards."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from billing.domain.usage import Usage, record_usages
from conversations.events.keys import event_key
from conversations.events.log import append_now
from conversations.events.record import DONE, encode
from conversations.models import Conversation, Message, Turn
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class RetoldTurn:
    """What was asked and answered, and what that used."""

    id: uuid.UUID
    release_id: uuid.UUID
    question: str
    answer: str
    asked_at: dt.datetime
    answered_at: dt.datetime
    usages: Sequence[Usage]


def retell(*, conversation_id: uuid.UUID, turn: RetoldTurn) -> None:
    """Keep a turn that is over, and tell it to who follows the conversation. A second call with the same turn changes
    nothing.

    Raises:
        NotFound: no such conversation.
        Conflict: `turn_running`; its events are numbered, and these come after them.
    """
    with transaction.atomic():
        thread = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if thread is None:
            raise NotFound("conversation")
        if Turn.objects.filter(pk=turn.id).exists():
            return
        if Turn.objects.filter(conversation_id=conversation_id, status__in=Turn.OPEN).exists():
            raise Conflict("turn_running", "Another message of the conversation is being answered.")
        # A thread is read in the order of its ids: the question first, though both are written at once.
        question_id, answer_id = uuid7(earlier=1), uuid7()
        first = thread.last_event + 1
        done = {"status": Turn.Status.DONE.value, "message": str(answer_id), "turn": str(turn.id)}
        events = [
            encode(first, "delta", {"text": turn.answer, "turn": str(turn.id)}),
            encode(first + 1, DONE, done),
        ]
        Turn.objects.create(
            id=turn.id,
            conversation=thread,
            status=Turn.Status.DONE,
            release_id=turn.release_id,
            first_event=first,
            last_event=first + 1,
            events=[event.as_json() for event in events],
            started_at=turn.asked_at,
            finished_at=turn.answered_at,
        )
        contact, agent = Message.Role.CONTACT, Message.Role.AGENT
        for row_id, role, text in ((question_id, contact, turn.question), (answer_id, agent, turn.answer)):
            Message.objects.create(id=row_id, conversation=thread, turn_id=turn.id, role=role, text=text)
        Conversation.objects.filter(pk=conversation_id).update(last_event=first + 1)
        record_usages(
            usages={f"turn:{turn.id}:{number}": used for number, used in enumerate(turn.usages)},
            conversation_id=conversation_id,
            turn_id=turn.id,
            release_id=turn.release_id,
        )
        for event in events:
            transaction.on_commit(functools.partial(append_now, event_key(thread.pk), event))
