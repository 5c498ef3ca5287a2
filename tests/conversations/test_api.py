"""The data plane as a tenant's program sees it."""

from __future__ import annotations

import asyncio
import itertools
import os
import uuid

import psycopg
import pytest
from django.utils import timezone

from conversations import queries
from conversations.events.hub import hub
from conversations.events.keys import event_key
from conversations.events.log import event_log
from conversations.events.record import Record, encode
from conversations.events.stream import READMIT_SECONDS
from conversations.models import Conversation, Message, Turn
from conversations.queries import MOST_TURNS
from switchboard.kernel.database import in_database
from tenants import directory
from tenants.context import use_public, use_tenant
from tenants.models import ApiKey, Tenant
from tests.asgi_client import AsgiClient
from tests.conversations.caller import Caller
from tests.factories import AgentFactory


async def test_an_answer_streams_and_ends_with_done(hotel: Caller) -> None:
    events = await hotel.ask(await hotel.begin(), "When is breakfast?")

    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[0].kind == "delta"
    assert events[-1].kind == "done"
    assert events[-1].data["status"] == "done"
    said = "".join(event.data["text"] for event in events if event.kind == "delta")
    assert "local model" in said


async def test_the_answer_is_in_the_thread_when_done_is_heard(hotel: Caller) -> None:
    conversation = await hotel.begin()
    events = await hotel.ask(conversation, "When is breakfast?")

    thread = await hotel.thread(conversation)

    assert [message["role"] for message in thread["messages"]] == ["contact", "agent"]
    assert thread["messages"][1]["id"] == events[-1].data["message"]
    assert thread["open_turns"] == []


async def test_without_an_event_stream_the_message_is_accepted_and_answered_all_the_same(hotel: Caller) -> None:
    conversation = await hotel.begin()

    accepted = await hotel.say(conversation, "Hello")

    assert accepted.status == 202
    assert accepted.headers["location"].endswith(accepted.json()["turn"])
    async with hotel.http.stream("GET", accepted.json()["events"]) as answer:
        async for event in answer.events():
            if event.kind == "done":
                break
    assert len((await hotel.thread(conversation))["messages"]) == 2


async def test_a_long_thread_is_read_from_its_end(hotel: Caller) -> None:
    conversation = await hotel.begin()
    for number in range(3):
        await hotel.ask(conversation, f"Question {number}")
    path = f"/api/v1/conversations/{conversation}/messages"
    whole = (await hotel.http.request("GET", path)).json()

    read: list[str] = []
    link = f"{path}?limit=4"
    while link:
        page = (await hotel.http.request("GET", link)).json()
        read = [message["id"] for message in page["messages"]] + read
        link = page["earlier"]

    assert whole["earlier"] is None
    assert read == [message["id"] for message in whole["messages"]]
    assert len(read) == 6
    assert (await hotel.http.request("GET", f"{path}?limit=0")).status == 422


async def test_a_client_that_comes_back_misses_nothing_and_hears_nothing_twice(hotel: Caller) -> None:
    conversation = await hotel.begin()
    first = await hotel.ask(conversation, "One")
    second = await hotel.ask(conversation, "Two")
    everything = [event.id for event in (*first, *second)]

    resumed = await hotel.listen(conversation, until=everything[-1], last_event_id=str(everything[2]))

    assert everything == list(range(1, everything[-1] + 1))
    assert [event.id for event in resumed] == everything[3:]
    assert [event.data for event in resumed[-1:]] == [second[-1].data]


async def test_a_client_that_leaves_half_way_finds_the_whole_answer_later(hotel: Caller) -> None:
    conversation = await hotel.begin()
    path = f"/api/v1/conversations/{conversation}/messages"
    async with hotel.http.stream("POST", path, {"content": "Hello"}, accept="text/event-stream") as answer:
        async for _ in answer.events():
            break

    events = await hotel.listen(conversation, until=3)

    assert [event.id for event in events] == [1, 2, 3]
    assert "done" in [
        event.kind for event in await hotel.listen(conversation, until=await last_event(hotel, conversation))
    ]


async def last_event(caller: Caller, conversation: uuid.UUID) -> int:
    for _ in range(100):
        found: int = (await caller.http.request("GET", f"/api/v1/conversations/{conversation}")).json()["last_event"]
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("the turn never ended")


async def test_two_who_listen_hear_the_same(hotel: Caller) -> None:
    conversation = await hotel.begin()
    listeners = [asyncio.create_task(hotel.listen(conversation, until=4)) for _ in range(2)]
    await asyncio.sleep(0.05)

    asked = await hotel.ask(conversation, "Hello")
    heard = await asyncio.gather(*listeners)

    assert (
        [event.data for event in heard[0]] == [event.data for event in heard[1]] == [event.data for event in asked[:4]]
    )


async def test_messages_sent_at_once_are_answered_one_after_the_other(hotel: Caller) -> None:
    conversation = await hotel.begin()

    answers = await asyncio.gather(*(hotel.ask(conversation, f"Question {number}") for number in range(4)))

    spans = sorted((events[0].id, events[-1].id) for events in answers)
    assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(spans))
    assert len((await hotel.thread(conversation))["messages"]) == 8


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ("nul \x00 byte", 422, "invalid_text"),
        ("", 422, "blank_text"),
        ("  \n ", 422, "blank_text"),
        ("x" * 40_000, 413, "too_large"),
        (17, 422, "invalid"),
        (None, 422, "invalid"),
    ],
)
async def test_bad_messages_are_refused_and_leave_nothing(
    hotel: Caller, content: object, status: int, code: str
) -> None:
    conversation = await hotel.begin()

    refused = await hotel.say(conversation, content)

    assert (refused.status, refused.json()["code"]) == (status, code)
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await hotel.thread(conversation))["messages"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"content": "\\ud800"}', 422),
        (b'{"content": ', 400),
        (b"[]", 422),
        (b'{"content": "' + b"x" * 5_000_000 + b'"}', 413),
    ],
)
async def test_bad_bodies_are_refused(hotel: Caller, body: bytes, status: int) -> None:
    refused = await hotel.http.request("POST", f"/api/v1/conversations/{await hotel.begin()}/messages", body)

    assert refused.status == status
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_retried_message_is_the_same_message(hotel: Caller) -> None:
    conversation = await hotel.begin()

    first = await hotel.say(conversation, "Book a table", idempotency_key="a")
    again = await hotel.say(conversation, "Book a table", idempotency_key="a")
    other = await hotel.say(conversation, "Cancel it", idempotency_key="a")

    assert first.json()["turn"] == again.json()["turn"]
    assert (other.status, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_retried_conversation_is_the_same_conversation(hotel: Caller, harbour: Tenant) -> None:
    assert await hotel.begin(idempotency_key="k") == await hotel.begin(idempotency_key="k")

    other = str(await in_database(_another_agent, harbour))
    refused = await hotel.http.request("POST", "/api/v1/conversations", {"agent": other}, idempotency_key="k")
    assert (refused.status, refused.json()["code"]) == (422, "idempotency_key_reused")


def _another_agent(tenant: Tenant) -> uuid.UUID:
    with use_tenant(tenant):
        identity: uuid.UUID = AgentFactory.create().id
        return identity


async def test_a_retry_that_streams_hears_the_first_try(hotel: Caller) -> None:
    conversation = await hotel.begin()
    await hotel.say(conversation, "Hello", idempotency_key="a")

    path = f"/api/v1/conversations/{conversation}/messages"
    stream = hotel.http.stream("POST", path, {"content": "Hello"}, accept="text/event-stream", idempotency_key="a")
    async with stream as answer:
        events = [event async for event in answer.events()]

    assert events[-1].kind == "done"
    assert len((await hotel.thread(conversation))["messages"]) == 2


async def test_a_conversation_needs_an_agent_that_is_live(hotel: Caller, harbour: Tenant) -> None:
    silent = await in_database(_agent_without_release, harbour)

    not_live = await hotel.http.request("POST", "/api/v1/conversations", {"agent": str(silent)})
    unknown = await hotel.http.request("POST", "/api/v1/conversations", {"agent": str(uuid.uuid4())})

    assert (not_live.status, not_live.json()["code"]) == (409, "agent_not_live")
    assert (unknown.status, unknown.json()["code"]) == (422, "unknown_agent")


def _agent_without_release(tenant: Tenant) -> uuid.UUID:
    with use_tenant(tenant):
        identity: uuid.UUID = AgentFactory.create(live=False).id
        return identity


async def test_another_tenants_conversation_is_as_if_it_were_not(hotel: Caller, estate_agency: Caller) -> None:
    theirs = await hotel.begin()
    absent = uuid.uuid4()
    for method, suffix, body in [
        ("GET", "", None),
        ("GET", "/messages", None),
        ("GET", "/events", None),
        ("POST", "/messages", {"content": "hi"}),
        ("GET", f"/turns/{absent}", None),
        ("DELETE", f"/turns/{absent}", None),
    ]:
        found = await estate_agency.http.request(method, f"/api/v1/conversations/{theirs}{suffix}", body)
        missing = await estate_agency.http.request(method, f"/api/v1/conversations/{absent}{suffix}", body)
        assert found.status == missing.status == 404
        assert found.body == missing.body


async def test_a_key_speaks_for_its_tenant_on_the_platforms_host_and_nowhere_else(hotel: Caller) -> None:
    conversation = await hotel.begin()
    path = f"/api/v1/conversations/{conversation}"

    on_platform = await AsgiClient("localhost", hotel.http.key).request("GET", path)
    on_other = await AsgiClient("agency.localhost", hotel.http.key).request("GET", path)
    without = await AsgiClient("harbour.localhost").request("GET", path)

    assert [on_platform.status, on_other.status, without.status] == [200, 401, 401]
    assert "www-authenticate" in without.headers


async def test_a_stopped_turn_says_so_and_keeps_what_was_said(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()
    accepted = (await hotel.say(conversation, "Hello")).json()

    answer = await hotel.http.request("DELETE", f"/api/v1/conversations/{conversation}/turns/{accepted['turn']}")
    assert answer.status in {202, 204}
    await last_event(hotel, conversation)

    again = await hotel.http.request("DELETE", f"/api/v1/conversations/{conversation}/turns/{accepted['turn']}")
    assert again.status == 204


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 16, "²"])
async def test_a_last_event_id_that_is_none_is_refused(hotel: Caller, value: str) -> None:
    if not value.isascii():
        value = value.encode().decode("latin-1")
    refused = await hotel.http.request(
        "GET", f"/api/v1/conversations/{await hotel.begin()}/events", last_event_id=value
    )

    assert (refused.status, refused.json()["code"]) == (422, "invalid_event_id")


async def test_the_seventh_message_in_a_row_is_told_to_wait(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()
    await in_database(_let_turns_wait, harbour, conversation, 6)

    refused = await hotel.say(conversation, "One more")

    assert (refused.status, refused.json()["code"]) == (429, "too_many_waiting")
    assert int(refused.headers["retry-after"]) > 0


def _let_turns_wait(tenant: Tenant, conversation: uuid.UUID, number: int) -> None:
    with use_tenant(tenant):
        Conversation.objects.filter(pk=conversation).update(title="Busy")
        for _ in range(number):
            turn = Turn.objects.create(conversation_id=conversation)
            Message.objects.create(conversation_id=conversation, turn=turn, role="contact", text="Hello?")


async def test_streams_that_stay_open_end_when_the_process_is_told_to(hotel: Caller) -> None:
    conversation = await hotel.begin()
    async with hotel.http.stream("GET", f"/api/v1/conversations/{conversation}/events") as answer:
        await asyncio.sleep(0.05)
        hub().end_followers()
        async with asyncio.timeout(5):
            assert [event async for event in answer.events()] == []


async def test_what_was_opened_with_a_key_ends_when_the_key_is_revoked(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()

    def revoke() -> None:
        with use_public():
            ApiKey.objects.update(revoked_at=timezone.now())
        directory.keys.forget()

    async with hotel.http.stream("GET", f"/api/v1/conversations/{conversation}/events") as answer:
        await asyncio.sleep(READMIT_SECONDS)
        await in_database(revoke)
        with use_tenant(harbour):
            await event_log().append(event_key(conversation), encode(1, "delta", {"text": "not for you"}))

        async with asyncio.timeout(5):
            assert [event async for event in answer.events()] == []


async def test_a_stream_outlives_a_database_that_is_away(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()
    async with (
        hotel.http.stream("GET", f"/api/v1/conversations/{conversation}/events") as answer,
        await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as database,
    ):
        await asyncio.sleep(0.2)
        async with database.transaction():
            await database.execute(f"LOCK TABLE {harbour.schema_name}.conversations_turn IN ACCESS EXCLUSIVE MODE")
            hub()._reread_all()
            for _ in range(200):
                if await cancelled_queries(database):
                    break
                await asyncio.sleep(0.02)
            else:
                raise AssertionError("nobody asked the database")

        await hotel.ask(conversation, "When is breakfast?")

        async with asyncio.timeout(10):
            async for event in answer.events():
                if event.kind == "done":
                    return
    raise AssertionError("the stream ended")


async def cancelled_queries(database: psycopg.AsyncConnection[tuple[bool]]) -> int:
    """End the queries that wait for a lock, as an administrator's or a failing server would."""
    found = await database.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return len(await found.fetchall())


async def test_a_long_conversation_is_told_whole(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()
    turns = 2 * MOST_TURNS + 3

    def talk_for_days() -> None:
        with use_tenant(harbour):
            for number in range(1, turns + 1):
                event = encode(number, "done", {"status": "done"}).as_json()
                Turn.objects.create(
                    conversation_id=conversation, status="done", first_event=number, last_event=number, events=[event]
                )

    await in_database(talk_for_days)

    assert len((await in_tenant_kept(harbour, conversation))[0]) == MOST_TURNS
    assert [event.id for event in await hotel.listen(conversation, until=turns)] == list(range(1, turns + 1))


async def in_tenant_kept(tenant: Tenant, conversation: uuid.UUID) -> tuple[list[Record], bool]:
    with use_tenant(tenant):
        return await in_database(queries.kept_events, conversation, 0)
