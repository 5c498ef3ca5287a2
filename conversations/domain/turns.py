"""Turns: accepted, claimed, finished, cancelled. Each step is one transaction together with the lease on the work."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Final, Literal

from django.db import transaction
from django.utils import timezone

from agents.engine.gateway import Role
from billing.domain.usage import Usage, record_usage
from conversations.events.record import Record
from conversations.models import Conversation, Message, Turn
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, NotFound, Problem
from tenants.domain import leases

LEASE_KIND: Final = "turn"
# A contact may write on while the agent answers, within reason.
MOST_WAITING: Final = 5
# The window of past messages a model is given.
_HISTORY: Final = 20
# A turn whose process died again and again is closed rather than tried for ever.
MOST_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Job:
    """A turn that this process holds the lease of.

    Args:
        last_event: number of the conversation's last kept event.
        attempt: 1 the first time.
    """

    conversation_id: uuid.UUID
    turn_id: uuid.UUID
    release_id: uuid.UUID
    history: tuple[tuple[Role, str], ...]
    question: str
    last_event: int
    attempt: int
    cancel_requested: bool = False


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
        Conflict: `agent_not_live`, `idempotency_key_reused`.
        TooManyWaiting: 429.
    """
    digest = hashlib.sha256(content.encode()).hexdigest() if idempotency_key else ""
    with transaction.atomic():
        # The lock puts messages of one conversation in a row.
        thread = (
            Conversation.objects.select_for_update(of=("self",))
            .select_related("agent")
            .only("last_event", "title", "agent__live_release_id")
            .filter(pk=conversation_id)
            .first()
        )
        if thread is None:
            raise NotFound("conversation")
        if idempotency_key and (earlier := _earlier(conversation_id, idempotency_key, digest)):
            return earlier
        release_id = thread.agent.live_release_id
        if release_id is None:
            raise Conflict("agent_not_live", "The agent has no live release any more.")
        waiting = (
            Turn.objects.filter(conversation_id=conversation_id, status__in=Turn.OPEN).count() if thread.title else 0
        )
        if waiting > MOST_WAITING:
            raise TooManyWaiting
        turn = Turn(
            id=uuid7(),
            conversation_id=conversation_id,
            release_id=release_id,
            idempotency_key=idempotency_key,
            content_digest=digest,
        )
        if not waiting:
            turn.status = Turn.Status.RUNNING
            turn.started_at = timezone.now()
        history = _history(conversation_id) if thread.title and not waiting else ()
        turn.save(force_insert=True)
        message = Message(conversation_id=conversation_id, turn=turn, role=Message.Role.CONTACT, text=content)
        message.save(force_insert=True)
        leases.open_lease(kind=LEASE_KIND, object_id=turn.id, owner="" if waiting else leases.PROCESS)
        if not thread.title:
            title = " ".join(content.split())[:120]
            Conversation.objects.filter(pk=conversation_id).update(title=title, updated_at=timezone.now())
    job = None
    if not waiting:
        job = Job(conversation_id, turn.id, release_id, history, content, thread.last_event, attempt=1)
    return Accepted(turn.id, message.id, job, is_new=True, after=thread.last_event)


def _earlier(conversation_id: uuid.UUID, idempotency_key: str, digest: str) -> Accepted | None:
    turn = Turn.objects.filter(conversation_id=conversation_id, idempotency_key=idempotency_key).first()
    if turn is None:
        return None
    if turn.content_digest != digest:
        raise Problem("idempotency_key_reused", "This Idempotency-Key came with another message before.", status=422)
    message = Message.objects.get(turn=turn, role=Message.Role.CONTACT)
    return Accepted(turn.id, message.id, None, is_new=False, after=(turn.first_event or 1) - 1)


def _history(conversation_id: uuid.UUID, *, before: uuid.UUID | None = None) -> tuple[tuple[Role, str], ...]:
    said = Message.objects.filter(conversation_id=conversation_id)
    if before is not None:
        said = said.filter(turn_id__lt=before)
    rows = said.order_by("-turn_id", "-id").values_list("role", "text")[:_HISTORY]
    return tuple(("contact" if role == Message.Role.CONTACT else "agent", text) for role, text in reversed(rows))


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
            _history(conversation_id, before=turn.pk),
            question,
            thread.last_event,
            attempt,
            turn.cancel_requested,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended.

    Args:
        records: every event of it, `done` included and last.
        answer: what the agent said; empty leaves no message.
    """

    status: Literal["done", "failed", "cancelled"]
    message_id: uuid.UUID | None
    answer: str
    citations: list[dict[str, object]]
    usage: Usage | None
    error_code: str
    records: list[Record]


def finish_turn(*, job: Job, outcome: Outcome) -> bool:
    """Keep how a turn ended. False, and nothing kept, where its lease is another's by now."""
    last = outcome.records[-1].number
    with transaction.atomic():
        if not leases.close(kind=LEASE_KIND, object_id=job.turn_id):
            return False
        Turn.objects.filter(pk=job.turn_id).update(
            status=outcome.status,
            error_code=outcome.error_code,
            finished_at=timezone.now(),
            first_event=outcome.records[0].number,
            last_event=last,
            events=[record.as_json() for record in outcome.records],
        )
        if outcome.message_id is not None:
            Message(
                id=outcome.message_id,
                conversation_id=job.conversation_id,
                turn_id=job.turn_id,
                role=Message.Role.AGENT,
                text=outcome.answer,
                citations=outcome.citations,
            ).save(force_insert=True)
        Conversation.objects.filter(pk=job.conversation_id).update(last_event=last, updated_at=timezone.now())
        if outcome.usage is not None:
            record_usage(
                usage=outcome.usage,
                idempotency_key=f"turn:{job.turn_id}:llm",
                conversation_id=job.conversation_id,
                turn_id=job.turn_id,
                release_id=job.release_id,
            )
    return True


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


def conversation_of(*, turn_id: uuid.UUID) -> uuid.UUID | None:
    """The conversation of an open turn."""
    return Turn.objects.filter(pk=turn_id, status__in=Turn.OPEN).values_list("conversation_id", flat=True).first()
