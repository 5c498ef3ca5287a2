"""A contact with a token: they talk, see their own conversations, and nothing else of anybody's."""

import uuid

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from switchboard.asgi import application
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.tokens import verification
from tenants.tokens.domain.minting import mint_token
from tests.asgi_client import AsgiClient
from tests.factories import AgentFactory

BEGIN = "/api/v1/conversations"


@pytest.fixture
def contact(hotel, harbour):
    """`await contact(name, **more)`: a contact of harbour's on a device of their own."""

    def mint(name, **more):
        with use_tenant(harbour):
            return mint_token(contact=name, **more).token

    async def make(name, **more):
        return AsgiClient("harbour.localhost", await in_database(mint, name, **more))

    return make


async def begin(device, agent, **more):
    return await device.request("POST", BEGIN, {"agent": str(agent.id), **more})


def addresses(conversation):
    one = f"{BEGIN}/{conversation}"
    turn = uuid.uuid4()
    return [
        ("GET", one, None),
        ("GET", f"{one}/messages", None),
        ("POST", f"{one}/messages", {"content": "When is breakfast?"}),
        ("GET", f"{one}/events", None),
        ("GET", f"{one}/turns/{turn}", None),
        ("DELETE", f"{one}/turns/{turn}", None),
    ]


async def test_a_contact_talks(hotel, contact):
    ada = await contact("ada")
    made = await begin(ada, hotel.agent)
    assert made.status == 201, made.body
    assert made.json()["contact"] == "ada"
    address = f"{BEGIN}/{made.json()['id']}"
    async with ada.stream(
        "POST", f"{address}/messages", {"content": "When is breakfast?"}, accept="text/event-stream"
    ) as answer:
        assert answer.status == 200
        assert [event.kind async for event in answer.events()][-1] == "done"
    said = (await ada.request("GET", f"{address}/messages")).json()["messages"]
    assert [message["role"] for message in said] == ["contact", "agent"]
    again = await contact("ada")
    assert (await again.request("GET", address)).status == 200


async def test_a_contact_sees_nobody_elses(hotel, contact):
    ada, eve = await contact("ada"), await contact("eve")
    hers = (await begin(ada, hotel.agent)).json()["id"]
    nobodys = await hotel.begin()
    for conversation in (hers, nobodys, uuid.uuid4()):
        for method, address, body in addresses(conversation):
            answer = await eve.request(method, address, body)
            assert answer.status == 404, (method, address, answer.body)
            assert answer.json()["detail"] == "There is no such conversation."
    assert (await hotel.http.request("GET", f"{BEGIN}/{hers}")).status == 200, "the company's own program sees all"


async def test_an_idempotency_key_brings_back_nobody_elses_conversation(hotel, contact):
    ada, eve = await contact("ada"), await contact("eve")
    body = {"agent": str(hotel.agent.id)}
    ids = [
        (await device.request("POST", BEGIN, body, **{"Idempotency-Key": "once"})).json()["id"]
        for device in (ada, eve, ada)
    ]
    assert ids[0] == ids[2] != ids[1]


async def test_a_token_for_one_agent_opens_no_other(hotel, harbour, contact):
    def another():
        with use_tenant(harbour):
            return AgentFactory()

    other = await in_database(another)
    limited = await contact("ada", agent=hotel.agent.id)
    free = await contact("ada")
    assert (await begin(limited, hotel.agent)).status == 201
    refused = await begin(limited, other)
    assert (refused.status, refused.json()["code"]) == (403, "forbidden")
    elsewhere = (await begin(free, other)).json()["id"]
    for method, address, body in addresses(elsewhere):
        assert (await limited.request(method, address, body)).status == 404


@pytest.mark.parametrize(
    "more",
    [
        {"contact": "eve"},
        {"channel": "playground"},
        {"contact_attributes": {"tier": "gold"}},
        {"release": str(uuid.UUID(int=7))},
    ],
)
async def test_a_contact_says_nothing_that_others_say_of_them(hotel, contact, more):
    ada = await contact("ada")
    answer = await begin(ada, hotel.agent, **more)
    assert (answer.status, answer.json()["code"]) == (403, "forbidden")
    assert (await begin(ada, hotel.agent, contact="ada")).status == 201


async def test_a_token_opens_nothing_of_another_company_nor_the_control_plane(hotel, estate_agency, contact):
    ada = await contact("ada")
    elsewhere = AsgiClient("agency.localhost", ada.key)
    for device, path in ((elsewhere, BEGIN), (AsgiClient("localhost", ada.key), BEGIN)):
        answer = await device.request("POST", path, {"agent": str(hotel.agent.id)})
        assert (answer.status, answer.json()["code"]) == (401, "invalid_token")
    for path in ("/api/v1/collections", "/api/v1/api-keys", "/api/v1/tokens", "/api/v1/search"):
        answer = await ada.request("POST", path, {"query": "x", "collections": [str(uuid.uuid4())]})
        assert answer.status in {401, 403}, (path, answer.body)


async def connect(conversation, token):
    path = f"/ws/conversations/{conversation}"
    socket = WebsocketCommunicator(
        application, path, headers=[(b"host", b"harbour.localhost")], subprotocols=["switchboard", f"bearer.{token}"]
    )
    return socket, await socket.connect()


async def test_a_contact_talks_over_a_socket_and_in_their_own_conversation_alone(hotel, contact):
    ada, eve = await contact("ada"), await contact("eve")
    conversation = (await begin(ada, hotel.agent)).json()["id"]
    socket, (accepted, _) = await connect(conversation, ada.key)
    assert accepted
    await socket.send_json_to({"type": "message", "content": "When is breakfast?"})
    kinds = []
    while "done" not in kinds:
        kinds.append((await socket.receive_json_from(timeout=10))["event"])
    assert "accepted" in kinds
    await socket.disconnect()
    _, (accepted, code) = await connect(conversation, eve.key)
    assert (accepted, code) == (False, 4404)
    _, (accepted, code) = await connect(conversation, ada.key[:-4])
    assert (accepted, code) == (False, 4401)


async def test_a_warm_token_asks_the_database_nothing_at_the_door(hotel, contact, monkeypatch):
    ada = await contact("ada")
    conversation = (await begin(ada, hotel.agent)).json()["id"]
    await ada.request("GET", f"{BEGIN}/{conversation}")

    async def asked(*arguments):
        raise AssertionError("a query")

    from tenants.middleware import admit_async

    monkeypatch.setattr("switchboard.kernel.memory.in_database", asked)
    admitted = await admit_async("harbour.localhost", ada.key)
    assert admitted.token.contact == "ada"
    await sync_to_async(verification.forget)()
