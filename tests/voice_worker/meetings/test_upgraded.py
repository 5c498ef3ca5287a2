"""A conversation that goes on in a meeting: its stream says so and ends, and whoever comes back has missed nothing."""

from __future__ import annotations

import asyncio

import pytest

from conversations.domain import turns
from conversations.domain.notices import tell
from conversations.domain.turns import Outcome
from conversations.events.record import encode
from conversations.models import Conversation, Notice
from conversations.queries import kept_events
from switchboard.kernel.database import in_database
from switchboard.kernel.ids import uuid7
from switchboard.kernel.redis import async_redis
from tenants.context import use_tenant
from tests.factories import AgentFactory, ConversationFactory

MEETINGS = "/api/v1/meetings"


async def read(caller, conversation, after=0):
    """What a stream tells until it ends by itself."""
    path = f"/api/v1/conversations/{conversation}/events?after={after}"
    async with caller.http.stream("GET", path) as answer:
        assert answer.status == 200
        return [(event.id, event.kind, event.data) async for event in answer.events()]


async def meet(caller, conversation):
    answer = await caller.http.request("POST", MEETINGS, {"conversation": str(conversation)})
    assert answer.status == 201, answer.body
    return answer.json()


async def test_an_open_stream_ends_with_upgraded_and_comes_back(hotel, rooms):
    conversation = await hotel.begin()
    said = await hotel.ask(conversation, "When is breakfast?")
    reading = asyncio.create_task(read(hotel, conversation))
    await asyncio.sleep(0.3)
    made = await meet(hotel, conversation)
    heard = await asyncio.wait_for(reading, 40)
    last = said[-1].id
    assert heard[-1] == (last + 1, "upgraded", {"meeting": made["id"], "room": made["room"]})
    assert [number for number, _, _ in heard] == list(range(1, last + 2))

    back = asyncio.create_task(hotel.listen(conversation, until=last + 2, last_event_id=str(last + 1)))
    await asyncio.sleep(0.2)
    assert (await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/end")).status == 200
    [event] = await asyncio.wait_for(back, 40)
    assert (event.id, event.kind, event.data) == (last + 2, "meeting_ended", {"meeting": made["id"]})

    again = await hotel.ask(conversation, "And lunch?")
    assert again[0].id == last + 3, "the thread goes on where the meeting left it"
    whole = await hotel.listen(conversation, until=again[-1].id)
    assert [event.id for event in whole] == list(range(1, again[-1].id + 1)), "and what is history ends no stream"


async def test_it_is_told_without_redis_too(hotel, harbour, rooms):
    conversation = await hotel.begin()
    await hotel.ask(conversation, "When is breakfast?")
    made = await meet(hotel, conversation)
    await async_redis().flushdb()
    known = await hotel.listen(conversation, until=(await last_event(harbour)))
    assert (known[-1].kind, known[-1].data["meeting"]) == ("upgraded", made["id"])


async def last_event(tenant):
    def load():
        with use_tenant(tenant):
            return Conversation.objects.get().last_event

    return await in_database(load)


@pytest.fixture
def thread(in_harbour):
    return ConversationFactory.create(agent=AgentFactory.create())


def ended(job):
    first = job.last_event + 1
    records = [encode(first, "delta", {"text": "At seven."}), encode(first + 1, "done", {"status": "done"})]
    return Outcome("done", uuid7(), "At seven.", [], [], "", records)


def numbers(thread, after=0):
    return [(record.number, record.kind) for record in kept_events(thread.pk, after)[0]]


def test_while_a_turn_runs_the_numbers_are_the_turns(thread):
    job = turns.accept_message(conversation_id=thread.pk, content="When?").job
    assert tell(conversation_id=thread.pk, kind="upgraded", data={"a": 1}) is None
    assert tell(conversation_id=thread.pk, kind="meeting_ended", data={}) is None
    assert numbers(thread) == []

    finished = turns.finish_turn(job=job, outcome=ended(job))

    assert [(record.number, record.kind) for record in finished.notices] == [(3, "upgraded"), (4, "meeting_ended")]
    assert numbers(thread) == [(1, "delta"), (2, "done"), (3, "upgraded"), (4, "meeting_ended")]
    assert numbers(thread, after=3) == [(4, "meeting_ended")]
    thread.refresh_from_db()
    assert (thread.last_event, thread.has_waiting_notices) == (4, False)
    following = turns.accept_message(conversation_id=thread.pk, content="And lunch?").job
    assert following.last_event == 4
    assert not turns.finish_turn(job=following, outcome=ended(following)).notices


def test_between_turns_a_notice_is_numbered_at_once(thread):
    assert tell(conversation_id=thread.pk, kind="upgraded", data={"a": 1}).number == 1
    job = turns.accept_message(conversation_id=thread.pk, content="When?").job
    turns.finish_turn(job=job, outcome=ended(job))
    assert tell(conversation_id=thread.pk, kind="meeting_ended", data={}).number == 4
    assert [number for number, _ in numbers(thread)] == [1, 2, 3, 4]
    assert Notice.objects.filter(number=None).count() == 0


def test_a_long_conversation_is_read_in_pieces_with_its_notices_among_them(thread):
    for _ in range(13):
        tell(conversation_id=thread.pk, kind="upgraded", data={})
        job = turns.accept_message(conversation_id=thread.pk, content="When?").job
        turns.finish_turn(job=job, outcome=ended(job))
    first, is_all = kept_events(thread.pk, 0)
    assert not is_all
    rest, is_all = kept_events(thread.pk, first[-1].number)
    assert is_all
    assert [record.number for record in [*first, *rest]] == list(range(1, 13 * 3 + 1))
