"""The hotel's concierge has documents and tools, and no model: what each message wants of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents import releases
from agents.engine.turn import TurnRequest
from agents.engine.wishes import wishes_of
from conversations.desk.models import Reservation
from knowledge.models import Collection
from switchboard.demo.companies import load_companies
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.agents.engine.talking import Talk, release_with
from tests.conversations.desk.factories import CalendarFactory
from tests.factories import CollectionFactory
from tests.knowledge.demo_tenants import demo_documents

DOCUMENTS = "documents"


def concierge() -> Talk:
    """The demo hotel's own tools, beside whatever documents there are."""
    tools = [{"name": tool.name, "slug": tool.slug, **tool.content.as_json()} for tool in load_companies()[0].tools]
    CalendarFactory.create()
    return Talk(release_with(*tools, collections=list(Collection.objects.values_list("pk", flat=True))).pk)


@pytest.fixture
def talk(embedder: str, live_tenants: None, harbour: Any) -> Iterator[Talk]:
    """It has documents, whatever they hold."""
    with use_tenant(harbour):
        CollectionFactory.create()
        yield concierge()


@pytest.fixture
def marina(embedder: str, live_tenants: None, harbour: Any) -> Iterator[Talk]:
    """It has the hotel's own documents."""
    with demo_documents(), use_tenant(harbour):
        yield concierge()


async def wanted(talk: Talk, text: str) -> list[str]:
    request = TurnRequest(await releases.resolve_async(talk.release_id), tuple(talk.history), text)
    return [wish.tool.slug if wish.tool else DOCUMENTS for wish in await wishes_of(request)]


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ("book-table", "Hi there, a table for three this Thursday at a quarter past seven please."),
        ("book-table", "could you reserve something for dinner tomorrow, we're five"),
        ("book-table", "We are four. I need a table tomorrow at eight. The name is Grace Hopper."),
        ("book-table", "Bitte reservieren Sie uns einen Tisch für Samstag um 19 Uhr"),
        ("check-table", "have you got a free table for five at noon on Saturday?"),
        ("check-table", "At what times can six of us get a table on Monday?"),
        ("cancel-table", "Sorry, something came up. Please cancel our dinner reservation"),
        ("ask-for-a-person", "let me speak to a human being"),
        (DOCUMENTS, "until when can we cancel our room without paying?"),
        (DOCUMENTS, "how much is breakfast for a child?"),
        (DOCUMENTS, "do you have a gym?"),
        (DOCUMENTS, "thanks a lot"),
    ],
)
async def test_a_message_wants_one_thing(talk: Talk, wish: str, text: str) -> None:
    assert await wanted(talk, text) == [wish]


@pytest.mark.parametrize(
    ("wishes", "text"),
    [
        ([DOCUMENTS, "book-table"], "Is the spa open on Sunday, and book me a table for two at eight"),
        (["cancel-table", DOCUMENTS], "Cancel my table, please. And when is check-out?"),
        ([DOCUMENTS, "check-table"], "May I bring my dog? And is there a table for two free tonight?"),
    ],
)
async def test_a_message_may_want_two_things(talk: Talk, wishes: list[str], text: str) -> None:
    assert await wanted(talk, text) == wishes


async def test_what_is_asked_is_told_before_a_question_is_put(marina: Talk) -> None:
    first = await marina.say("Book me a table for two at eight, and is the spa open on Sunday?")

    assert first.of("citation")
    assert first.of("action")[-1]["asked"] == "date"
    assert first.of("action")[-1]["arguments"] == {"time": "20:00", "party_size": 2}, "Sunday is the spa's"
    assert first.text.endswith("For which day?")


async def test_from_what_is_free_to_a_table(marina: Talk) -> None:
    looked = await marina.say("Is there a table free for two tomorrow evening?")
    assert looked.of("tool_result")[0]["ok"]
    assert "Times: " in looked.text
    assert "Done" not in looked.text, "nothing was done"

    asked = await marina.say("book it for 19:30 please")
    assert asked.of("action")[-1]["asked"] == "name"
    assert asked.of("action")[-1]["arguments"].keys() == {"date", "time", "party_size"}
    await marina.say("Grace Hopper")
    done = await marina.say("yes")

    assert "Booked: " in done.text
    booked = await in_database(Reservation.objects.get)
    assert (booked.name, booked.party_size) == ("Grace Hopper", 2)
