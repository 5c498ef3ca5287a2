"""One run of a turn: against a model that behaves or doesn't, with processes that die before and beside it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.engine import models
from billing.models import UsageEvent
from conversations import runner
from conversations.domain import turns
from conversations.events import log
from conversations.events.keys import event_key
from conversations.events.log import event_log
from conversations.events.record import encode
from conversations.models import Message, Turn
from conversations.turn_run import LeaseLost, TurnRun
from switchboard.kernel.database import in_database
from switchboard.kernel.redis import async_redis
from tenants.context import use_public, use_tenant
from tenants.domain import leases
from tenants.models import Tenant, WorkLease
from tests.agents.test_images import IMAGES
from tests.conversations.caller import Caller
from tests.factories import EndpointFactory
from tests.model_server.pictures import pictures_in
from tests.model_server.process import ModelServer


@pytest.fixture
async def talker(
    web: None, harbour: Tenant, caller_for: Callable[..., Caller], model_server: ModelServer, settings: Any
) -> Caller:
    """A program of harbour's whose agent talks with the model that the message names."""
    settings.EGRESS_ALLOW = [model_server.url.removeprefix("http://").removesuffix("/v1")]
    models.egress_policy.cache_clear()

    def make() -> Caller:
        with use_tenant(harbour):
            endpoint = EndpointFactory.create(base_url=model_server.url)
        return caller_for(harbour, endpoint=endpoint, model="stub")

    return await in_database(make)


def in_tenant(tenant: Tenant, query: Callable[[], Any]) -> Any:
    with use_tenant(tenant):
        return query()


async def test_words_are_gathered_but_none_is_lost(talker: Caller) -> None:
    events = await talker.ask(await talker.begin(), "!stub-50x5")

    deltas = [event.data["text"] for event in events if event.kind == "delta"]
    tokens = "".join(deltas).split()
    assert [token.partition("@")[0] for token in tokens] == [str(number) for number in range(len(tokens))]
    assert len(tokens) == 50
    assert len(deltas) < 25


async def test_what_is_shown_goes_to_the_model_and_is_kept_nowhere(
    talker: Caller, harbour: Tenant, model_server: ModelServer
) -> None:
    conversation = await talker.begin()
    with use_tenant(harbour):
        job = await in_database(
            lambda: turns.accept_message(conversation_id=conversation, content="!sees what is this?").job
        )
        assert job is not None
        await TurnRun(replace(job, images=IMAGES)).run()

    thread = await talker.thread(conversation)
    assert thread["messages"][1]["text"].endswith(f"2. {IMAGES[1].label}")
    assert len(pictures_in(model_server.requests()["requests"][-1])) == 2
    row = await in_database(in_tenant, harbour, Turn.objects.get)
    assert "base64" not in str(row.events)
    used = await in_database(
        in_tenant,
        harbour,
        lambda: list(UsageEvent.objects.order_by("service").values_list("service", "quantity", "unit")),
    )
    assert used == [("llm", None, ""), ("vision", 2, "frame")]


async def test_use_is_metered_once_and_told(talker: Caller, harbour: Tenant) -> None:
    events = await talker.ask(await talker.begin(), "!stub-50x1")

    told = next(event for event in events if event.kind == "usage")
    assert told.data["output_tokens"] == 50
    rows = await in_database(in_tenant, harbour, lambda: list(UsageEvent.objects.all()))
    assert [(row.output_tokens, row.is_estimated) for row in rows] == [(50, False)]


async def test_a_model_that_fails_is_an_error_event_and_a_failed_turn(talker: Caller) -> None:
    conversation = await talker.begin()

    events = await talker.ask(conversation, "!wrong-key")

    assert [event.kind for event in events] == ["error", "done"]
    assert events[0].data["code"] == "model_refused"
    assert events[1].data["status"] == "failed"
    again = await talker.ask(conversation, "!stub")
    assert again[-1].data["status"] == "done"


async def test_a_stream_that_breaks_keeps_what_was_said(talker: Caller) -> None:
    conversation = await talker.begin()

    events = await talker.ask(conversation, "!half-stream")

    assert events[-2].kind == "error"
    said = "".join(event.data["text"] for event in events if event.kind == "delta").strip()
    assert (await talker.thread(conversation))["messages"][1]["text"] == said != ""


async def test_a_turn_can_be_stopped_while_it_speaks_and_is_metered(
    talker: Caller, harbour: Tenant, model_server: ModelServer
) -> None:
    conversation = await talker.begin()
    path = f"/api/v1/conversations/{conversation}"
    events = []
    async with talker.http.stream(
        "POST", f"{path}/messages", {"content": "!slow"}, accept="text/event-stream"
    ) as answer:
        async for event in answer.events():
            events.append(event)
            if len(events) == 1:
                stopped = await talker.http.request("DELETE", f"{path}/turns/{event.data['turn']}")
                assert stopped.status == 202

    assert events[-1].data["status"] == "cancelled"
    assert len(events) < 7
    rows = await in_database(in_tenant, harbour, lambda: list(UsageEvent.objects.all()))
    assert [(row.is_estimated, row.output_tokens > 0) for row in rows] == [(True, True)]
    await asyncio.sleep(0.1)
    assert model_server.requests()["abandoned"] == 1


# --- processes that die -----------------------------------------------------------------------------------------------
async def begun_by_another(caller: Caller, tenant: Tenant, *said: str) -> tuple[uuid.UUID, uuid.UUID]:
    """A turn whose process died after saying this much, and whose lease has lapsed."""
    conversation = await caller.begin()

    def accept() -> turns.Accepted:
        accepted = turns.accept_message(conversation_id=conversation, content="!stub")
        WorkLease.objects.update(owner="")
        return accepted

    accepted = await in_database(in_tenant, tenant, accept)
    with use_tenant(tenant):
        for number, text in enumerate(said, start=1):
            record = encode(number, "delta", {"text": text, "turn": str(accepted.turn_id)})
            await event_log().append(event_key(conversation), record)
    return conversation, accepted.turn_id


async def test_a_turn_that_had_said_nothing_is_answered_by_whoever_takes_it(talker: Caller, harbour: Tenant) -> None:
    conversation, _ = await begun_by_another(talker, harbour)

    with use_tenant(harbour):
        await runner.run_waiting(conversation)
    events = await talker.listen(conversation, until=await ended(talker, conversation))

    assert events[-1].data["status"] == "done"
    assert [event.id for event in events] == list(range(1, len(events) + 1))


async def test_a_turn_that_had_spoken_is_closed_and_says_why(talker: Caller, harbour: Tenant) -> None:
    conversation, _turn = await begun_by_another(talker, harbour, "Breakfast ", "is at")

    with use_tenant(harbour):
        await runner.run_waiting(conversation)
    events = await talker.listen(conversation, until=await ended(talker, conversation))

    assert [event.kind for event in events] == ["delta", "delta", "usage", "error", "done"]
    assert [event.id for event in events] == [1, 2, 3, 4, 5]
    assert events[3].data["code"] == "turn_interrupted"
    thread = await talker.thread(conversation)
    assert thread["messages"][1]["text"] == "Breakfast is at"


async def test_what_a_dead_process_had_told_is_metered_as_it_told_it(talker: Caller, harbour: Tenant) -> None:
    conversation, turn = await begun_by_another(talker, harbour, "At seven.")
    used = {"service": "llm", "provider": "x", "model": "y", "input_tokens": 7, "output_tokens": 3}
    told = {**used, "is_estimated": False, "cost_usd": None, "turn": str(turn)}
    with use_tenant(harbour):
        await event_log().append(event_key(conversation), encode(2, "usage", told))
        await runner.run_waiting(conversation)
    await ended(talker, conversation)

    rows = await in_database(in_tenant, harbour, lambda: list(UsageEvent.objects.all()))
    assert [(row.input_tokens, row.output_tokens, row.is_estimated) for row in rows] == [(7, 3, False)]


async def ended(caller: Caller, conversation: uuid.UUID) -> int:
    for _ in range(200):
        last: int = (await caller.http.request("GET", f"/api/v1/conversations/{conversation}")).json()["last_event"]
        if last:
            return last
        await asyncio.sleep(0.02)
    raise AssertionError("the turn never ended")


async def test_the_watch_finds_what_was_abandoned(talker: Caller, harbour: Tenant) -> None:
    conversation, _ = await begun_by_another(talker, harbour)

    def look() -> list[leases.Abandoned]:
        with use_public():
            WorkLease.objects.update(until="2020-01-01T00:00Z")
            return leases.take_abandoned()

    from tenants import recovery

    for work in await in_database(look):
        await recovery.recover(work)

    assert await ended(talker, conversation)


async def test_a_run_that_lost_its_lease_writes_nothing_more(talker: Caller, harbour: Tenant) -> None:
    conversation = await talker.begin()

    def accept() -> turns.Job:
        job = turns.accept_message(conversation_id=conversation, content="!stub-50x5").job
        WorkLease.objects.update(owner="another:process")
        assert job is not None
        return job

    job = await in_database(in_tenant, harbour, accept)
    with use_tenant(harbour), pytest.raises(LeaseLost):
        await TurnRun(job).run()

    rows = await in_database(in_tenant, harbour, lambda: list(Turn.objects.values_list("status", flat=True)))
    assert rows == ["running"]
    assert await in_database(in_tenant, harbour, lambda: Message.objects.count()) == 1


async def test_a_zombie_cannot_speak_over_the_process_that_took_its_turn(talker: Caller, harbour: Tenant) -> None:
    conversation = await talker.begin()

    def accept() -> turns.Job:
        job = turns.accept_message(conversation_id=conversation, content="!slow").job
        assert job is not None
        return job

    job = await in_database(in_tenant, harbour, accept)
    with use_tenant(harbour):
        run = asyncio.create_task(TurnRun(job).run())
        await asyncio.sleep(0.15)
        # The other process has taken the turn and said something under the number that comes next.
        await in_database(lambda: WorkLease.objects.update(owner="another:process"))
        await async_redis().delete(event_key(conversation))
        for number in range(1, 6):
            await event_log().append(event_key(conversation), encode(number, "delta", {"text": "theirs"}))

        with pytest.raises(LeaseLost):
            await asyncio.wait_for(run, 10)

        heard = await log.read(event_key(conversation), after=0)
    assert {record.data["text"] for record in heard} == {"theirs"}


async def test_a_turn_whose_numbers_are_refused_ends_although_the_log_is_gone(talker: Caller, harbour: Tenant) -> None:
    conversation = await talker.begin()
    with use_tenant(harbour):
        await event_log().append(event_key(conversation), encode(50, "delta", {"text": "theirs"}))
        # Redis remembers the highest number of a stream, though what stood under it is gone.
        await async_redis().xdel(event_key(conversation), "50-0")
        job = await in_database(lambda: turns.accept_message(conversation_id=conversation, content="!slow").job)
        assert job is not None

        await TurnRun(job).run()

    row = await in_database(in_tenant, harbour, lambda: Turn.objects.get())
    assert (row.status, row.error_code) == ("failed", "turn_interrupted")
