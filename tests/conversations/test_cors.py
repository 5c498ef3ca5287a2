"""CORS where answers stream: the data plane as the server runs it."""

from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.factories import OriginFactory

SHOP = "https://shop.example.com"


async def test_a_page_of_an_allowed_origin_talks_and_hears_the_stream(hotel, harbour, monkeypatch):
    def allow():
        with use_tenant(harbour):
            OriginFactory(origin=SHOP)

    await in_database(allow)
    conversation = await hotel.begin()
    path = f"/api/v1/conversations/{conversation}/messages"
    key, hotel.http.key = hotel.http.key, ""
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    preflight = await hotel.http.request("OPTIONS", path, **asked)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, SHOP)
    hotel.http.key = key
    body = {"content": "When is breakfast?"}
    async with hotel.http.stream("POST", path, body, accept="text/event-stream", Origin=SHOP) as answer:
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert "Origin" in answer.headers["vary"]
        assert [event.kind async for event in answer.events()][-1] == "done"

    async def asked_again(*arguments):
        raise AssertionError("a query")

    monkeypatch.setattr("switchboard.kernel.memory.in_database", asked_again)
    again = await hotel.http.request("OPTIONS", path, **asked)
    assert again.status == 204, "a warm preflight asks the database nothing"
