"""A contact wants something done: what is missing is asked for, all of it is confirmed, and it is run once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents.models import Action
from conversations.desk.models import Reservation
from switchboard.kernel.database import in_database
from switchboard.kernel.ids import uuid7
from tenants.context import use_tenant
from tests.agents.engine.talking import Talk, release_with
from tests.conversations.desk.factories import CalendarFactory

SCHEMA = {
    "type": "object",
    "properties": {
        "date": {"type": "string", "format": "date", "title": "day"},
        "time": {"type": "string", "format": "time", "title": "time", "x-prefer": "evening"},
        "party_size": {"type": "integer", "title": "number of people", "minimum": 1, "maximum": 12},
        "name": {"type": "string", "title": "name", "default": "Ada"},
    },
    "required": ["date", "time", "party_size", "name"],
}
BOOK = {
    "name": "Book a table",
    "slug": "book-table",
    "kind": "python",
    "handler": "reservation.create",
    "description": "Books a table in the restaurant.",
    "input_schema": SCHEMA,
    "writes": True,
}


@pytest.fixture
def talk(live_tenants: None, harbour: Any) -> Iterator[Talk]:
    with use_tenant(harbour):
        CalendarFactory.create()
        yield Talk(release_with(BOOK).pk)


async def booked() -> list[tuple[int, str]]:
    """What is reserved: for how many, in whose name."""
    return await in_database(lambda: list(Reservation.objects.values_list("party_size", "name").order_by("pk")))


async def test_what_is_missing_is_asked_for_and_all_of_it_confirmed_before_anything_is_done(talk: Talk) -> None:
    first = await talk.say("A table for two at eight, please")
    assert first.of("action")[-1]["asked"] == "date"
    assert "day" in first.text.lower()
    asked = await talk.say("on 24 December")
    assert asked.of("action")[-1]["asked"] == "name"
    second = await talk.say("Ada Byron")
    assert second.of("action")[-1]["status"] == "confirming"
    for shown in ("24", "December", "Ada Byron"):
        assert shown in second.text
    assert await booked() == []
    third = await talk.say("yes please")
    assert await booked() == [(2, "Ada Byron")]
    assert third.of("tool_call")[0]["tool"] == "book-table"
    assert third.of("tool_result")[0]["ok"]


async def test_no_means_no(talk: Talk) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada")
    assert (await talk.say("no, leave it")).of("action")[-1]["status"] == "dropped"
    await talk.say("yes")
    assert await booked() == []


async def test_a_correction_is_no_yes(talk: Talk) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada")
    corrected = await talk.say("no, for three people")
    assert corrected.of("action")[-1]["arguments"]["party_size"] == 3
    assert await booked() == []
    await talk.say("yes")
    assert await booked() == [(3, "Ada")]


async def test_one_yes_books_one_table(talk: Talk) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada")
    await talk.say("yes")
    await talk.say("yes")
    assert len(await booked()) == 1


@pytest.mark.parametrize("dies_after", ["confirm", "tool"])
async def test_a_turn_that_is_run_again_after_a_kill_books_no_second_table(talk: Talk, dies_after: str) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada")
    turn_id, history = uuid7(), list(talk.history)
    await talk.say("yes", turn_id=turn_id)
    assert len(await booked()) == 1
    # The process died before the turn was kept: of its last step nothing but the tool's own record is there.
    await in_database(
        Action.objects.filter(conversation_id=talk.conversation_id).update, status=Action.Status.CONFIRMED
    )
    talk.history = history
    again = await talk.say("yes", turn_id=turn_id if dies_after == "tool" else uuid7(), attempt=2)
    assert len(await booked()) == 1
    assert again.of("tool_result")[0]["ok"]


async def test_another_question_is_answered_and_the_open_one_asked_again(talk: Talk) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada")
    heard = await talk.say("What is the meaning of life?")
    assert heard.of("action") or "come back" in heard.text


async def test_a_test_books_nothing(talk: Talk) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada", is_rehearsal=True)
    await talk.say("yes", is_rehearsal=True)
    assert await booked() == []


async def test_each_step_can_be_looked_at(talk: Talk) -> None:
    await talk.say("A table for two at eight tomorrow, my name is Ada")
    steps = (await talk.say("yes")).steps
    assert [step["kind"] for step in steps] == ["confirmed", "tool"]
    assert steps[1]["arguments"]["party_size"] == 2


async def test_what_fails_can_be_changed_and_confirmed_anew(talk: Talk) -> None:
    await talk.say("A table for two at seven in the morning tomorrow, my name is Ada")
    failed = await talk.say("yes")
    assert not failed.of("tool_result")[0]["ok"]
    changed = await talk.say("at eight in the evening then")
    assert changed.of("action")[-1]["status"] == "confirming"
    await talk.say("yes")
    assert await booked() == [(2, "Ada")]
