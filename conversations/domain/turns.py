"""Turns: accepted, claimed, finished, cancelled. Each step is one transaction together with the lease on the work."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from agents.domain.traces import keep_trace
from agents.engine.gateway import Role
from agents.engine.images import LabelledImage, Look
from billing.domain.usage import Usage, record_usages
from conversations.domain import turn_sql
from conversations.domain.handoff import request_handoff
from conversations.domain.notices import number_waiting
from conversations.events.record import Record
from conversations.models import Conversation, Message, Turn
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, Invalid, NotFound, Problem
from tenants.domain import lease_sql, leases

LEASE_KIND: Final = "turn"
# A contact may write on while the agent answers, within reason.
MOST_WAITING: Final = 5
# The window of past messages a model is given.
MOST_SHOWN: Final = 20
# A turn whose process died again and again is closed rather than tried for ever.
MOST_ATTEMPTS: Final = 3
_ACCEPT_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Job:
    """A turn that this process holds the lease of.

    Args:
        last_event: number of the conversation's last kept event.
        attempt: 1 the first time.
        has_waited: its id was known before it ran, so that somebody may have cancelled it.
        images: what the contact shows. Only the process that took the message has them; they are kept nowhere.
        look: takes a look at what the contact shows, in that process alone.
        is_spoken: somebody listens to the answer. This too only that process knows.
    """

    conversation_id: uuid.UUID
    turn_id: uuid.UUID
    release_id: uuid.UUID
    history: tuple[tuple[Role, str], ...]
    question: str
    last_event: int
    attempt: int
    contact: str = ""
    has_waited: bool = False
    images: tuple[LabelledImage, ...] = ()
    look: Look | None = field(default=None, compare=False, repr=False)
    is_spoken: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was taken in.

    Args:
        job: the turn to run now; None where it waits its turn or runs already.
        is_new: False where an idempotency key brought back an earlier one.
        after: events of the turn come after this number.
    """

    turn_id: uuid.UUID
    message_id: uuid.UUID
    job: Job | None
    is_new: bool
    after: int


class TooManyWaiting(Problem):
    def __init__(self) -> None:
        super().__init__(
            "too_many_waiting",
            f"{MOST_WAITING} messages of this conversation wait for an answer already.",
            status=429,
            headers={"Retry-After": "5"},
        )


def accept_message(*, conversation_id: uuid.UUID, content: str, idempotency_key: str | None = None) -> Accepted:
    """Take a message in: from here on it is answered, or its failure is told, whatever dies.

    Raises:
        NotFound: no such conversation.
        Conflict: `agent_not_live`.
        Invalid: `idempotency_key_reused`, for another message.
        TooManyWaiting: 429.
    """
    turn_id, message_id = uuid7(), uuid7()
    parameters = {
        "conversation": conversation_id,
        "turn": turn_id,
        "message": message_id,
        "content": content,
        "title": " ".join(content.split())[:120],
        "key": idempotency_key,
        "digest": hashlib.sha256(content.encode()).hexdigest() if idempotency_key else "",
        "most_waiting": MOST_WAITING,
        "history": MOST_SHOWN,
        **lease_sql.parameters(LEASE_KIND),
    }
    row = _accept(parameters)
    if row is None:
        raise NotFound("conversation")
    last_event, release_id, is_ours, earlier_id, earlier_digest, first_event, earlier_message, said, contact = row
    if earlier_id is not None:
        if earlier_digest != parameters["digest"]:
            raise Invalid("idempotency_key_reused", "This Idempotency-Key came with another message before.")
        return Accepted(earlier_id, earlier_message, None, is_new=False, after=(first_event or 1) - 1)
    if release_id is None:
        raise Conflict("agent_not_live", "The agent has no live release any more.")
    if is_ours is None:
        raise TooManyWaiting
    job = None
    if is_ours:
        history = tuple((role_of(role), text) for role, text in reversed(said or ()))
        job = Job(conversation_id, turn_id, release_id, history, content, last_event, attempt=1, contact=contact)
    return Accepted(turn_id, message_id, job, is_new=True, after=last_event)


def _accept(parameters: dict[str, Any]) -> Any:
    """The row that the statement answers with; None where there is no such conversation."""
    for attempt in range(1, _ACCEPT_TRIES + 1):
        try:
            with connection.cursor() as cursor:
                cursor.execute(turn_sql.ACCEPT, parameters)
                return cursor.fetchone()
        except IntegrityError:
            # Another message of the conversation was accepted at the same moment.
            if attempt == _ACCEPT_TRIES:
                raise
    raise AssertionError("unreachable")


def role_of(role: str) -> Role:
    """Who said a message, as the engine calls them."""
    return "contact" if role == Message.Role.CONTACT else "agent"


def said_before(conversation_id: uuid.UUID, *, before: uuid.UUID | None = None) -> tuple[tuple[Role, str], ...]:
    """The last of what was said, oldest first; of what came before a turn where one is given."""
    said = Message.objects.filter(conversation_id=conversation_id)
    if before is not None:
        said = said.filter(turn_id__lt=before)
    rows = said.order_by("-turn_id", "-id").values_list("role", "text")[:MOST_SHOWN]
    return tuple((role_of(role), text) for role, text in reversed(rows))


def claim_next(*, conversation_id: uuid.UUID) -> Job | None:
    """The conversation's oldest waiting turn, if none is running and its lease is to be had."""
    with transaction.atomic():
        thread = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if thread is None:
            return None
        turn = Turn.objects.filter(conversation_id=conversation_id, status__in=Turn.OPEN).order_by("id").first()
        if turn is None:
            return None
        attempt = leases.claim(kind=LEASE_KIND, object_id=turn.pk)
        if not attempt:
            return None
        if turn.status == Turn.Status.QUEUED:
            Turn.objects.filter(pk=turn.pk).update(status=Turn.Status.RUNNING, started_at=timezone.now())
        question = Message.objects.get(turn=turn, role=Message.Role.CONTACT).text
        assert turn.release_id is not None
        return Job(
            conversation_id,
            turn.pk,
            turn.release_id,
            said_before(conversation_id, before=turn.pk),
            question,
            thread.last_event,
            attempt,
            contact=thread.contact,
            has_waited=True,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended.

    Args:
        records: every event of it, `done` included and last.
        escalation: why a person is asked to take over; empty where nobody is.
        answer: what the agent said; empty leaves no message.
        steps: what the engine did for it, for Replay; empty where it did nothing.
    """

    status: Literal["done", "failed", "cancelled"]
    message_id: uuid.UUID | None
    answer: str
    citations: list[dict[str, object]]
    usages: list[Usage]
    error_code: str
    records: list[Record]
    escalation: str = ""
    steps: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """What keeping an outcome came to.

    Args:
        is_kept: False, and nothing kept, where the turn's lease is another's by now.
        others_wait: whether further messages of the conversation wait for their turn.
        notices: what was to be told of the conversation and waited for the turn's end, numbered now.
    """

    is_kept: bool
    others_wait: bool
    notices: tuple[Record, ...] = ()


def finish_turn(*, job: Job, outcome: Outcome) -> Finished:
    """Keep how a turn ended, all of it or nothing."""
    parameters = {
        "conversation": job.conversation_id,
        "status": outcome.status,
        "error_code": outcome.error_code,
        "first_event": outcome.records[0].number,
        "last_event": outcome.records[-1].number,
        "events": Jsonb([record.as_json() for record in outcome.records]),
        "message": outcome.message_id,
        "answer": outcome.answer,
        "citations": Jsonb(outcome.citations),
        **lease_sql.parameters(LEASE_KIND, job.turn_id),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(turn_sql.FINISH, parameters)
            row = cursor.fetchone()
        if row is None:
            return Finished(is_kept=False, others_wait=False)
        told = number_waiting(conversation_id=job.conversation_id) if row[1] else ()
        if outcome.steps:
            keep_trace(
                turn_id=job.turn_id,
                conversation_id=job.conversation_id,
                release_id=job.release_id,
                contact=job.contact,
                steps=outcome.steps,
            )
        if outcome.escalation:
            request_handoff(conversation_id=job.conversation_id, reason=outcome.escalation)
        if outcome.usages:
            record_usages(
                usages={f"turn:{job.turn_id}:{number}": used for number, used in enumerate(outcome.usages)},
                conversation_id=job.conversation_id,
                turn_id=job.turn_id,
                release_id=job.release_id,
            )
    return Finished(is_kept=True, others_wait=bool(row[0]), notices=told)


def still_held(*, turn_id: uuid.UUID) -> bool:
    """Whether this process holds a turn's lease."""
    return leases.is_held(kind=LEASE_KIND, object_id=turn_id)


def request_cancel(*, conversation_id: uuid.UUID, turn_id: uuid.UUID) -> bool:
    """Note that a turn is to stop. False where it is over already. Raises `NotFound`."""
    noted = Turn.objects.filter(pk=turn_id, conversation_id=conversation_id, status__in=Turn.OPEN).update(
        cancel_requested=True
    )
    if not noted and not Turn.objects.filter(pk=turn_id, conversation_id=conversation_id).exists():
        raise NotFound("turn")
    return bool(noted)


def is_cancel_requested(*, turn_id: uuid.UUID) -> bool:
    """Whether somebody wants an open turn to stop."""
    return Turn.objects.filter(pk=turn_id, cancel_requested=True).exists()


def conversation_of(*, turn_id: uuid.UUID) -> uuid.UUID | None:
    """The conversation of an open turn."""
    return Turn.objects.filter(pk=turn_id, status__in=Turn.OPEN).values_list("conversation_id", flat=True).first()
