"""Turns that took place while the conversation couldn't be reached."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from billing.domain.usage import Usage
from billing.models import UsageEvent
from conversations.domain.retold import RetoldTurn, retell
from conversations.events import log
from conversations.events.keys import event_key
from conversations.models import Conversation, Message, Turn
from switchboard.kernel.database import in_database
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.conversations.caller import Caller
from tests.factories import ConversationFactory


@pytest.fixture
def thread(in_harbour: Tenant) -> Conversation:
    conversation: Conversation = ConversationFactory.create()
    return conversation


def turn_of(question: str, answer: str) -> RetoldTurn:
    now = timezone.now()
    usage = Usage(service="llm", provider="openai", model="m", input_tokens=3, output_tokens=2, cost_usd=Decimal(1))
    return RetoldTurn(uuid7(), uuid7(), question, answer, now, now, [usage])


def test_what_was_said_meanwhile_stands_in_its_order(thread: Conversation) -> None:
    for number in range(20):
        retell(conversation_id=thread.pk, turn=turn_of(f"question {number}", f"answer {number}"))

    said = list(Message.objects.filter(conversation=thread).values_list("role", "text"))
    assert said == [
        entry for number in range(20) for entry in (("contact", f"question {number}"), ("agent", f"answer {number}"))
    ]


def test_what_is_told_twice_is_there_once(thread: Conversation) -> None:
    turn = turn_of("When is breakfast?", "From seven.")
    for _ in range(2):
        retell(conversation_id=thread.pk, turn=turn)

    assert Message.objects.count() == 2
    assert UsageEvent.objects.filter(turn_id=turn.id).count() == 1
    thread.refresh_from_db()
    row = Turn.objects.get()
    assert (row.first_event, row.last_event, thread.last_event) == (1, 2, 2)
    assert [kind for _, kind, _ in row.events] == ["delta", "done"]


def test_it_waits_for_a_turn_that_is_under_way(thread: Conversation) -> None:
    Turn.objects.create(conversation=thread, status=Turn.Status.RUNNING)

    with pytest.raises(Conflict):
        retell(conversation_id=thread.pk, turn=turn_of("Hello?", "Hello."))

    assert not Message.objects.exists()


async def test_who_follows_the_conversation_hears_of_it(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()

    def tell() -> None:
        with use_tenant(harbour):
            retell(conversation_id=conversation, turn=turn_of("Hello?", "Hello."))

    await in_database(tell)

    with use_tenant(harbour):
        live = await log.read(event_key(conversation), after=0)
    assert [(event.number, event.kind) for event in live] == [(1, "delta"), (2, "done")]
