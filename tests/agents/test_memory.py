"""Memory: a window, a summary of what was before it, facts by consent; all of it erasable."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import Any

import pytest
from django.utils import timezone

from agents.content.runtime import MemoryPolicy
from agents.domain import memory as kept
from agents.domain.traces import keep_trace
from agents.engine.memory import Fact, Said, covered_until, is_due, remember_turn, remembered
from agents.engine.memory.recall import tokens_of, window
from agents.engine.memory.summaries import extracted
from agents.models import ContactConsent, ContactFact, ConversationSummary, TurnTrace
from switchboard.kernel.database import in_database
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Problem
from tenants.context import use_tenant

SMALL = MemoryPolicy(window_tokens=500)
KNOWING = MemoryPolicy(contact_facts=True)

# In order even within a millisecond, as a thread's messages are.
IDS = (uuid.UUID(int=number) for number in itertools.count(uuid7().int))


def thread(count: int, characters: int = 400) -> list[Said]:
    """A talk about numbered things, one question and one answer after the other."""
    return [
        Said(next(IDS), "contact" if n % 2 == 0 else "agent", f"Thing {n} matters. " + "x" * characters)
        for n in range(count)
    ]


def shown(said: list[Said]) -> list[Any]:
    return [(one.role, one.text) for one in said]


@pytest.fixture
def in_live_harbour(live_tenants: None, harbour: Any) -> Any:
    with use_tenant(harbour):
        yield harbour


async def end_turn(conversation: uuid.UUID, said: list[Said], policy: MemoryPolicy = SMALL, contact: str = "") -> None:
    until = await covered_until(conversation)
    open_ = [one for one in said if until is None or one.id > until]
    await remember_turn(
        conversation_id=conversation,
        contact=contact,
        turn_id=uuid7(),
        said=open_,
        policy=policy,
        chain=(),
        most_messages=20,
    )


def test_the_window_holds_the_last_messages_that_fit() -> None:
    said = shown(thread(10))
    held = window(said, 500)
    assert list(held) == said[-len(held) :]
    assert 0 < len(held) < 10
    assert sum(tokens_of(text) for _, text in held) <= 500 < sum(tokens_of(text) for _, text in said)


def test_one_message_longer_than_the_window_is_cut() -> None:
    [(role, text)] = window([("agent", "a" * 10_000 + "end")], 500)
    assert role == "agent"
    assert text.endswith("end")
    assert tokens_of(text) <= 500


def test_nothing_is_due_while_the_window_has_room() -> None:
    assert not is_due(texts=["Hello", "Hello"], policy=SMALL, most_messages=20)
    assert is_due(texts=["x" * 2000], policy=SMALL, most_messages=20)
    assert is_due(texts=["Hello"] * 15, policy=SMALL, most_messages=20)
    assert not is_due(texts=["x" * 2000], policy=MemoryPolicy(summarise=False), most_messages=20)


async def test_a_new_conversation_asks_no_database() -> None:
    # Without a tenant in force, a query would be refused.
    found = await remembered(conversation_id=uuid7(), contact="sam", history=(), policy=MemoryPolicy())
    assert (found.summary, found.window, found.facts) == ("", (), ())


async def test_what_leaves_the_window_is_in_the_summary(in_live_harbour: Any) -> None:
    conversation, said = uuid7(), thread(12)
    await end_turn(conversation, said)
    found = await remembered(conversation_id=conversation, contact="", history=shown(said), policy=SMALL)
    covered = {n for n in range(12) if f"Thing {n} matters." in found.summary}
    held = {n for n in range(12) if said[n].text in {text for _, text in found.window}}
    assert covered | held == set(range(12))
    assert 0 in covered
    assert len(found.summary) <= 500
    assert "Contact: Thing 0 matters." in found.summary


async def test_a_summary_rolls_on_and_never_covers_twice(in_live_harbour: Any) -> None:
    conversation, said = uuid7(), thread(6)
    await end_turn(conversation, said)
    first = await in_database(ConversationSummary.objects.get)
    await end_turn(conversation, said)
    again = await in_database(ConversationSummary.objects.get)
    assert (again.text, again.covered_until) == (first.text, first.covered_until)
    said += thread(6)
    await end_turn(conversation, said)
    later = await in_database(ConversationSummary.objects.get)
    assert later.covered_until > first.covered_until
    assert later.covered_messages == [one.id for one in said].index(later.covered_until) + 1


async def test_two_at_once_sum_up_once(in_live_harbour: Any) -> None:
    import asyncio

    conversation, said = uuid7(), thread(12)
    await asyncio.gather(*(end_turn(conversation, said) for _ in range(4)))
    row = await in_database(ConversationSummary.objects.get)
    assert row.text.count("Thing 0 matters.") == 1
    assert row.covered_messages == [one.id for one in said].index(row.covered_until) + 1


def test_first_sentences_are_bounded_and_the_oldest_go_first() -> None:
    text = extracted("Contact: old.", [("contact", f"Line {n}. And more.") for n in range(100)], most_tokens=120)
    assert len(text) <= 480
    assert text.endswith("Contact: Line 99.")
    assert "old" not in text
    assert "And more" not in text
    assert extracted("", [("agent", "word " * 500)], most_tokens=120)


async def test_an_erased_summary_does_not_come_back_from_what_was_said_before(in_live_harbour: Any) -> None:
    conversation, said = uuid7(), thread(12)
    await end_turn(conversation, said, contact="sam")
    assert await in_database(kept.forget_conversation, conversation_id=conversation) == kept.Erased(0, 1)
    await end_turn(conversation, said)
    found = await remembered(conversation_id=conversation, contact="", history=shown(said), policy=SMALL)
    assert found.summary == ""


async def test_facts_are_kept_by_consent_and_go_with_it(in_live_harbour: Any) -> None:
    def facts() -> Any:
        return remembered(conversation_id=uuid7(), contact="sam", history=(), policy=KNOWING)

    keep = {"contact": "sam", "key": "allergy", "value": "nuts", "days": 30}
    with pytest.raises(Problem, match="has not agreed"):
        await in_database(kept.keep_fact, **keep)
    await in_database(kept.set_consent, contact="sam", is_given=True, source="form")
    await in_database(kept.keep_fact, **{**keep, "value": "milk"})
    await in_database(kept.keep_fact, **keep)
    assert (await facts()).facts == (Fact("allergy", "nuts"),)
    assert (await remembered(conversation_id=uuid7(), contact="sam", history=(), policy=SMALL)).facts == ()
    assert (await remembered(conversation_id=uuid7(), contact="kim", history=(), policy=KNOWING)).facts == ()
    await in_database(kept.set_consent, contact="sam", is_given=False, source="letter")
    assert (await facts()).facts == ()
    assert not await in_database(ContactFact.objects.exists)


async def test_a_fact_whose_time_is_up_is_not_told_and_is_purged(in_live_harbour: Any) -> None:
    await in_database(kept.set_consent, contact="sam", is_given=True, source="form")
    await in_database(kept.keep_fact, contact="sam", key="allergy", value="nuts", days=30)
    await in_database(ContactFact.objects.update, expires_at=timezone.now() - dt.timedelta(seconds=1))
    found = await remembered(conversation_id=uuid7(), contact="sam", history=(), policy=KNOWING)
    assert found.facts == ()
    assert await in_database(kept.purge) == 1
    assert not await in_database(ContactFact.objects.exists)


def test_a_contact_is_forgotten_whole_and_the_trail_says_so_without_their_data(in_harbour: Any) -> None:
    from tenants.audit.models import AuditEvent

    for contact in ("sam", "kim"):
        kept.set_consent(contact=contact, is_given=True, source="form")
        kept.keep_fact(contact=contact, key="allergy", value="pistachio", days=30)
        ConversationSummary.objects.create(
            conversation_id=uuid7(), contact=contact, text="pistachio", covered_until=uuid7()
        )
        shown_to_model = {"kind": "model", "prompt": [{"role": "system", "text": "allergy: pistachio"}]}
        keep_trace(
            turn_id=uuid7(), conversation_id=uuid7(), release_id=uuid7(), contact=contact, steps=[shown_to_model]
        )
    assert kept.forget_contact(contact="sam") == kept.Erased(1, 1, 1)
    assert TurnTrace.objects.get().contact == "kim"
    assert list(ContactFact.objects.values_list("contact", flat=True)) == ["kim"]
    assert ConversationSummary.objects.exclude(text="").get().contact == "kim"
    events = AuditEvent.objects.filter(action="memory.erased")
    assert {event.entity for event in events} == {"contact_fact", "contact_consent", "conversation_summary"}
    for event in AuditEvent.objects.all():
        told = f"{event.old} {event.new} {event.entity_label}"
        assert "pistachio" not in told
        assert "sam" not in told


def test_a_tenant_remembers_nothing_of_another_s(harbour: Any, agency: Any) -> None:
    with use_tenant(harbour):
        kept.set_consent(contact="sam", is_given=True, source="form")
        kept.keep_fact(contact="sam", key="allergy", value="nuts", days=30)
    with use_tenant(agency):
        assert kept.forget_contact(contact="sam") == kept.Erased(0, 0)
        assert not ContactFact.objects.exists()
    with use_tenant(harbour):
        assert ContactFact.objects.count() == 1


@pytest.mark.parametrize(("key", "value"), [("Allergy!", "nuts"), ("", "nuts"), ("allergy", "  ")])
def test_a_fact_has_a_key_and_a_value(in_harbour: Any, key: str, value: str) -> None:
    kept.set_consent(contact="sam", is_given=True, source="form")
    with pytest.raises(Problem):
        kept.keep_fact(contact="sam", key=key, value=value, days=30)
    assert ContactConsent.objects.get().facts.count() == 0
