"""A supervisor has one message answered by whoever can: at once, in one reply, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conversations.desk.models import Reservation
from knowledge.models import Collection
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.agents.engine.talking import Talk, release_with
from tests.agents.engine.test_actions import BOOK
from tests.conversations.desk.factories import CalendarFactory

HANDOFF = {
    "name": "Ask for a person",
    "slug": "handoff",
    "kind": "python",
    "handler": "handoff.request",
    "description": "Asks for a person to take over.",
    "writes": True,
}


def profile(description: str, *examples: str, kind: str = "domain") -> dict[str, Any]:
    return {"kind": kind, "description": description, "examples": list(examples)}


@pytest.fixture
def talk(companies: None, live_tenants: None, harbour: Any) -> Iterator[Talk]:
    with use_tenant(harbour):
        CalendarFactory.create()
        facts = release_with(
            name="House facts",
            profile=profile(
                "Answers questions about the hotel: opening hours, the spa, the pool, breakfast, rooms and prices.",
                "When does the spa open?",
                "Is breakfast included?",
                "How much is parking?",
            ),
            collections=list(Collection.objects.values_list("pk", flat=True)),
        )
        booking = release_with(
            BOOK,
            name="Table booking",
            profile=profile(
                "Books a table in the restaurant: makes a reservation for a day, a time and a number of people.",
                "Book me a table for two tonight",
                "I'd like to reserve a table for Friday at seven",
                "Can we have dinner for four tomorrow?",
            ),
        )
        yield Talk(
            release_with(
                name="Reception",
                profile=profile("Receives everybody.", kind="supervisor"),
                sub_releases=[facts, booking],
            ).pk
        )


async def test_two_wishes_in_one_message_are_both_seen_to(talk: Talk) -> None:
    first = await talk.say("Is the spa open on Sunday, and book me a table for two at eight")
    assert {route["agent"] for route in first.of("route")} == {"house-facts", "table-booking"}
    assert first.of("citation"), first.text
    assert first.of("action")[-1]["asked"] == "date"
    assert "day" in first.text

    assert (await talk.say("on Sunday")).of("action")[-1]["asked"] == "name"
    confirming = await talk.say("Ada Byron")
    assert confirming.of("action")[-1]["status"] == "confirming"
    done = await talk.say("yes, please")
    assert done.of("tool_result")[0]["ok"], done.events
    rows = await in_database(lambda: list(Reservation.objects.values_list("party_size", "name")))
    assert rows == [(2, "Ada Byron")]


async def test_one_wish_goes_to_one_agent(talk: Talk) -> None:
    assert [route["agent"] for route in (await talk.say("When does the spa open?")).of("route")] == ["house-facts"]


async def test_small_talk_is_answered_with_what_can_be_done(talk: Talk) -> None:
    heard = await talk.say("Hello there!")
    assert heard.of("route") == []
    assert "Table booking" in heard.text


async def test_what_is_open_waits_while_something_else_is_answered(talk: Talk) -> None:
    await talk.say("Book me a table for two at eight")
    heard = await talk.say("When does the spa open?")
    assert [route["agent"] for route in heard.of("route")] == ["house-facts"]
    assert heard.text.rstrip().endswith("?"), heard.text


async def test_whoever_wants_a_person_gets_one(talk: Talk) -> None:
    assert (await talk.say("I want to talk to a human being, please")).of("escalation")
