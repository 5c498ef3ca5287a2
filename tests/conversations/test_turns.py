"""Turns as rows: accepted, claimed, finished and cancelled, each in one transaction with its lease."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction

from billing.domain.usage import Usage
from billing.models import UsageEvent
from conversations.domain import turns
from conversations.domain.turns import Job, Outcome
from conversations.events.record import encode
from conversations.models import Conversation, Message, Turn
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, NotFound, Problem
from tenants.domain import leases
from tenants.models import Tenant, WorkLease
from tests.factories import AgentFactory, ConversationFactory

ANOTHER = "another:process"


@pytest.fixture
def conversation(in_harbour: Tenant) -> Conversation:
    row: Conversation = ConversationFactory.create(agent=AgentFactory.create(), title="")
    return row


def accept(conversation: Conversation, content: str = "When is breakfast?", key: str | None = None) -> turns.Accepted:
    return turns.accept_message(conversation_id=conversation.pk, content=content, idempotency_key=key)


def ended(job: Job, *, answer: str = "At seven.", usage: Usage | None = None) -> Outcome:
    message_id = uuid7() if answer else None
    first = job.last_event + 1
    records = [encode(first, "delta", {"text": answer}), encode(first + 1, "done", {"status": "done"})]
    return Outcome("done", message_id, answer, [], [usage] if usage else [], "", records)


def job_of(accepted: turns.Accepted) -> Job:
    assert accepted.job is not None
    return accepted.job


def test_the_first_message_runs_at_once_and_names_the_conversation(conversation: Conversation) -> None:
    accepted = accept(conversation, "When is breakfast?\nAnd where?")

    assert accepted.job is not None
    assert Turn.objects.get(pk=accepted.turn_id).status == Turn.Status.RUNNING
    conversation.refresh_from_db()
    assert conversation.title == "When is breakfast? And where?"


def test_the_next_message_waits_and_is_claimed_when_the_first_is_over(conversation: Conversation) -> None:
    first, second = accept(conversation, "One"), accept(conversation, "Two")

    assert second.job is None
    assert turns.claim_next(conversation_id=conversation.pk) is None

    turns.finish_turn(job=job_of(first), outcome=ended(job_of(first)))
    claimed = turns.claim_next(conversation_id=conversation.pk)

    assert claimed is not None
    assert (claimed.turn_id, claimed.question, claimed.attempt) == (second.turn_id, "Two", 1)
    assert claimed.history == (("contact", "One"), ("agent", "At seven."))
    assert claimed.last_event == 2


def test_the_database_refuses_two_running_turns_of_one_conversation(conversation: Conversation) -> None:
    accept(conversation)

    with pytest.raises(IntegrityError), transaction.atomic():
        Turn.objects.create(conversation=conversation, status=Turn.Status.RUNNING)


def test_what_ended_is_kept_together(conversation: Conversation) -> None:
    job = job_of(accept(conversation))
    usage = Usage("llm", "The stub", "stub", 10, 20)

    assert turns.finish_turn(job=job, outcome=ended(job, usage=usage)).is_kept

    turn = Turn.objects.get(pk=job.turn_id)
    assert (turn.status, turn.first_event, turn.last_event, len(turn.events)) == ("done", 1, 2, 2)
    assert Message.objects.get(turn=turn, role="agent").text == "At seven."
    assert UsageEvent.objects.get(turn_id=turn.pk).output_tokens == 20
    conversation.refresh_from_db()
    assert conversation.last_event == 2
    assert not WorkLease.objects.exists()


def test_a_process_that_lost_the_turn_keeps_nothing(conversation: Conversation) -> None:
    job = job_of(accept(conversation))
    WorkLease.objects.update(owner=ANOTHER)

    assert not turns.finish_turn(job=job, outcome=ended(job, usage=Usage("llm", "x", "y", 1, 1))).is_kept

    assert Turn.objects.get(pk=job.turn_id).status == Turn.Status.RUNNING
    assert not Message.objects.filter(role="agent").exists()
    assert not UsageEvent.objects.exists()


def test_finishing_twice_meters_once(conversation: Conversation) -> None:
    job = job_of(accept(conversation))
    outcome = ended(job, usage=Usage("llm", "x", "y", 1, 1))

    assert turns.finish_turn(job=job, outcome=outcome).is_kept
    assert not turns.finish_turn(job=job, outcome=outcome).is_kept

    assert UsageEvent.objects.count() == 1


def test_an_abandoned_turn_is_claimed_with_a_count(conversation: Conversation) -> None:
    job = job_of(accept(conversation))
    WorkLease.objects.update(owner="")

    again = turns.claim_next(conversation_id=conversation.pk)

    assert again is not None
    assert (again.turn_id, again.attempt) == (job.turn_id, 2)


def test_an_answer_without_words_leaves_no_message(conversation: Conversation) -> None:
    job = job_of(accept(conversation))

    turns.finish_turn(job=job, outcome=ended(job, answer=""))

    assert list(Message.objects.values_list("role", flat=True)) == ["contact"]


def test_the_same_key_is_the_same_message(conversation: Conversation) -> None:
    first, again = accept(conversation, key="k"), accept(conversation, key="k")

    assert (again.turn_id, again.message_id, again.is_new) == (first.turn_id, first.message_id, False)
    assert Message.objects.count() == 1


def test_the_same_key_with_another_message_is_refused(conversation: Conversation) -> None:
    accept(conversation, "One", key="k")

    with pytest.raises(Problem) as refused:
        accept(conversation, "Two", key="k")
    assert refused.value.code == "idempotency_key_reused"


def test_a_queue_has_an_end(conversation: Conversation) -> None:
    for number in range(1 + turns.MOST_WAITING):
        accept(conversation, f"Message {number}")

    with pytest.raises(turns.TooManyWaiting):
        accept(conversation, "One more")


def test_an_agent_that_went_silent_takes_no_message(conversation: Conversation) -> None:
    conversation.agent.live_release = None
    conversation.agent.save()

    with pytest.raises(Conflict):
        accept(conversation)
    assert not Message.objects.exists()


def test_cancelling_is_noted_once_and_only_for_turns_that_are_there(conversation: Conversation) -> None:
    accepted = accept(conversation)
    job = job_of(accepted)

    assert turns.request_cancel(conversation_id=conversation.pk, turn_id=accepted.turn_id)
    turns.finish_turn(job=job, outcome=ended(job))
    assert not turns.request_cancel(conversation_id=conversation.pk, turn_id=accepted.turn_id)
    with pytest.raises(NotFound):
        turns.request_cancel(conversation_id=conversation.pk, turn_id=uuid.uuid4())
    with pytest.raises(NotFound):
        turns.request_cancel(conversation_id=uuid.uuid4(), turn_id=accepted.turn_id)


def test_accepted_work_is_leased_to_this_process_while_it_runs(conversation: Conversation) -> None:
    accept(conversation, "One")
    accept(conversation, "Two")

    owners = list(WorkLease.objects.order_by("pk").values_list("owner", flat=True))

    assert owners == [leases.this_process(), ""]
