"""Streams that wait hold no database connection: hundreds of them on a pool of ten, and chat goes on."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bench.companies import Company, make_company
from bench.http_client import Connection, EventParser
from bench.installation import start_web, stopped_at_the_end
from bench.isolation.inspect_stores import connections_of
from tests.model_server.process import ModelServer

_STREAMS, _POOL = 500, 10


async def test_chat_goes_on_beside_hundreds_of_open_streams(live_tenants: None, model_server: ModelServer) -> None:
    from switchboard.kernel.database import in_database

    company = await in_database(make_company, slug="idle", model_url=model_server.url, model="stub")
    environment = {"EGRESS_ALLOW": model_server.host_and_port, "DATABASE_POOL": str(_POOL), "LOG_LEVEL": "WARNING"}
    with stopped_at_the_end(start_web(environment, Path(os.environ["DATA_DIR"]))) as web:
        watched = await _begin(web.port, company)
        streams = await _open_streams(web.port, company, watched)
        try:
            most = 0
            for _ in range(5):
                async with asyncio.timeout(10):
                    assert "done" in await _chat(web.port, company)
                most = max(most, await in_database(connections_of, os.environ["DATABASE_URL"], "web server"))
            assert 1 <= most <= _POOL
            # The streams are alive, too: each is told what is said in its conversation.
            async with asyncio.timeout(30):
                await _chat(web.port, company, watched)
                await asyncio.gather(*(stream.finished for stream in streams))
        finally:
            for stream in streams:
                stream.close()


class _Stream:
    """An open event stream."""

    def __init__(self, port: int, company: Company, conversation: str) -> None:
        loop = asyncio.get_running_loop()
        self._connection = Connection(port=port, host=company.host, key=company.key)
        self.opened: asyncio.Future[None] = loop.create_future()
        self.finished: asyncio.Future[None] = loop.create_future()
        self._events = EventParser(self._on_event)
        path = f"/api/v1/conversations/{conversation}/events"
        self._request = asyncio.create_task(self._connection.request("GET", path, on_body=self._on_body, limit=120))

    def _on_body(self, data: bytes, arrived: int) -> None:
        if not self.opened.done():
            self.opened.set_result(None)
        self._events.feed(data, arrived)

    def _on_event(self, identity: str, name: str, data: str, arrived: int) -> None:
        if name == "done" and not self.finished.done():
            self.finished.set_result(None)

    def close(self) -> None:
        self._request.cancel()
        self._connection.close()


async def _open_streams(port: int, company: Company, conversation: str) -> list[_Stream]:
    streams: list[_Stream] = []
    for _ in range(_STREAMS // 50):
        some = [_Stream(port, company, conversation) for _ in range(50)]
        streams += some
        async with asyncio.timeout(30):
            await asyncio.gather(*(stream.opened for stream in some))
    return streams


async def _begin(port: int, company: Company) -> str:
    connection = Connection(port=port, host=company.host, key=company.key)
    answer = await connection.request("POST", "/api/v1/conversations", {"agent": str(company.agent)})
    assert answer.status == 201, answer.body
    connection.close()
    return str(answer.json()["id"])


async def _chat(port: int, company: Company, conversation: str = "") -> list[str]:
    """The names of the events that answer a message."""
    conversation = conversation or await _begin(port, company)
    names: list[str] = []
    events = EventParser(lambda identity, name, data, arrived: names.append(name))
    connection = Connection(port=port, host=company.host, key=company.key)
    path = f"/api/v1/conversations/{conversation}/messages"
    headers = {"Accept": "text/event-stream"}
    await connection.request("POST", path, {"content": "Hello"}, headers=headers, on_body=events.feed)
    connection.close()
    return names
