"""A conversation over a websocket."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from conversations.models import Message
from switchboard.asgi import application
from switchboard.kernel.database import in_database
from tenants import directory
from tenants.context import use_public, use_tenant
from tenants.domain import api_keys
from tenants.models import Tenant
from tests.conversations.caller import Caller


def socket(conversation: uuid.UUID, host: str, *, after: int = 0, **headers: str) -> WebsocketCommunicator:
    sent = [(b"host", host.encode())] + [
        (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
    ]
    path = f"/ws/conversations/{conversation}?after={after}"
    return WebsocketCommunicator(application, path, headers=sent)


@asynccontextmanager
async def connected(communicator: WebsocketCommunicator) -> AsyncIterator[WebsocketCommunicator]:
    accepted, code = await communicator.connect(timeout=30)
    assert accepted, code
    yield communicator
    await communicator.disconnect()


async def heard(communicator: WebsocketCommunicator) -> Any:
    return json.loads(await communicator.receive_from(timeout=30))


async def hear_out(communicator: WebsocketCommunicator) -> list[Any]:
    events = []
    while not events or events[-1]["event"] != "done":
        events.append(await heard(communicator))
    return events


def bearer(caller: Caller) -> dict[str, str]:
    return {"authorization": f"Bearer {caller.http.key}"}


async def test_question_and_answer_on_one_connection(hotel: Caller) -> None:
    conversation = await hotel.begin()
    async with connected(socket(conversation, hotel.http.host, **bearer(hotel))) as ws:
        await ws.send_to(json.dumps({"type": "message", "content": "When is breakfast?"}))
        events = await hear_out(ws)

    assert {"accepted", "delta", "done"} <= {event["event"] for event in events}
    numbers = [event["id"] for event in events if "id" in event]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_socket_hears_what_is_said_over_http_and_resumes(hotel: Caller) -> None:
    conversation = await hotel.begin()
    first = await hotel.ask(conversation, "One")
    async with connected(socket(conversation, hotel.http.host, after=first[-1].id, **bearer(hotel))) as ws:
        second = await hotel.ask(conversation, "Two")
        events = await hear_out(ws)

    assert [event["id"] for event in events] == [event.id for event in second]


@pytest.mark.parametrize(
    "sent",
    [
        "not json",
        "[]",
        '{"type": "dance"}',
        '{"type": "message", "content": "a\\u0000b"}',
        '{"type": "cancel", "turn": "x"}',
    ],
)
async def test_what_cannot_be_understood_is_told_and_the_socket_stays(hotel: Caller, sent: str) -> None:
    async with connected(socket(await hotel.begin(), hotel.http.host, **bearer(hotel))) as ws:
        await ws.send_to(sent)
        assert (await heard(ws))["event"] == "problem"

        await ws.send_to(json.dumps({"type": "message", "content": "Hello"}))
        assert (await hear_out(ws))[-1]["event"] == "done"


async def refused(communicator: WebsocketCommunicator) -> int | None:
    accepted, code = await communicator.connect(timeout=30)
    assert not accepted
    return code


async def test_who_may_not_listen_is_turned_away_with_a_reason(hotel: Caller, estate_agency: Caller) -> None:
    theirs = await hotel.begin()

    assert await refused(socket(theirs, hotel.http.host)) == 4401
    assert await refused(socket(theirs, hotel.http.host, **bearer(estate_agency))) == 4401
    assert await refused(socket(theirs, estate_agency.http.host, **bearer(estate_agency))) == 4404
    assert await refused(socket(uuid.uuid4(), estate_agency.http.host, **bearer(estate_agency))) == 4404
    assert await refused(socket(theirs, "nobody.localhost", **bearer(hotel))) == 4404


async def test_staff_may_listen_from_a_page_of_their_own_host_only(
    hotel: Caller, harbour: Tenant, client_for: Callable[..., Client]
) -> None:
    conversation = await hotel.begin()
    browser = await in_database(client_for, harbour)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"

    own = socket(conversation, hotel.http.host, cookie=cookie, origin="http://harbour.localhost:8000")
    async with connected(own):
        pass
    evil = socket(conversation, hotel.http.host, cookie=cookie, origin="https://evil.example")
    assert await refused(evil) == 4401


async def test_a_browser_may_send_its_key_as_a_subprotocol(hotel: Caller) -> None:
    conversation = await hotel.begin()
    communicator = WebsocketCommunicator(
        application,
        f"/ws/conversations/{conversation}",
        headers=[(b"host", hotel.http.host.encode())],
        subprotocols=["switchboard", f"bearer.{hotel.http.key}"],
    )

    accepted, subprotocol = await communicator.connect(timeout=30)

    assert (accepted, subprotocol) == (True, "switchboard")
    await communicator.disconnect()


async def test_a_key_that_is_revoked_ends_its_socket(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()
    communicator = socket(conversation, hotel.http.host, **bearer(hotel))
    async with connected(communicator):
        await in_database(revoke, hotel)

        await communicator.send_to(json.dumps({"type": "message", "content": "Still there?"}))

        assert await communicator.receive_output(timeout=30) == {"type": "websocket.close", "code": 4401}
    with use_tenant(harbour):
        assert not await in_database(Message.objects.exists)


async def test_staff_who_leave_are_heard_no_more(
    hotel: Caller, harbour: Tenant, client_for: Callable[..., Client]
) -> None:
    conversation = await hotel.begin()
    browser = await in_database(client_for, harbour)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    communicator = socket(conversation, hotel.http.host, cookie=cookie)
    async with connected(communicator):
        with use_tenant(harbour):
            await in_database(browser.logout)

        await communicator.send_to(json.dumps({"type": "message", "content": "Still there?"}))

        assert await communicator.receive_output(timeout=30) == {"type": "websocket.close", "code": 4401}


@pytest.mark.parametrize("key", ["", "a b", "x" * 121, "nul\x00", "\ud83d", 7, ["a"]])
async def test_an_idempotency_key_that_is_none_is_refused(hotel: Caller, key: Any) -> None:
    conversation = await hotel.begin()
    async with connected(socket(conversation, hotel.http.host, **bearer(hotel))) as ws:
        await ws.send_to(json.dumps({"type": "message", "content": "Hello", "idempotency_key": key}))
        answer = await heard(ws)

    assert answer["event"] == "problem"
    assert answer["data"]["code"] == "invalid_idempotency_key"


def revoke(caller: Caller) -> None:
    with use_public():
        key = api_keys.recognise(caller.http.key)
        assert key is not None
        api_keys.revoke_api_key(key=key)
    directory.keys.forget()
