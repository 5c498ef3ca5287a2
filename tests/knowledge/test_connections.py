"""What waits for something else than the database holds none of its connections: there are ten, and any contact who was
shown a citation may open pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from knowledge import pages
from knowledge.links import page_url
from knowledge.models import Document
from switchboard.asgi import application
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.asgi_client import AsgiClient
from tests.factories import CollectionFactory, DocumentFactory


def in_use() -> int:
    """Connections that somebody of this process holds, the test's own fixtures included."""
    stats = connection.pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{in_use()} connections in use")


@pytest.fixture
async def client(live_tenants: None, harbour: Tenant, api_key_for: Callable[..., str]) -> AsgiClient:
    return AsgiClient("harbour.localhost", await in_database(api_key_for, harbour))


@pytest.fixture
async def document(live_tenants: None, harbour: Tenant, sample_pdf: Callable[..., bytes]) -> Document:
    content = sample_pdf()

    def make() -> Document:
        with use_tenant(harbour):
            file = ContentFile(content, name="house.pdf")
            return DocumentFactory.create(media_type="application/pdf", pages=1, size=len(content), file=file)

    return await in_database(make)


async def test_a_client_that_downloads_slowly_holds_none(client: AsgiClient, document: Document) -> None:
    before = in_use()
    begun, go_on = asyncio.Event(), asyncio.Event()
    received = 0

    async def send(message: dict[str, Any]) -> None:
        nonlocal received
        if message["type"] == "http.response.body" and (size := len(message.get("body", b""))):
            received += size
            begun.set()
            await go_on.wait()

    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = client._scope("GET", f"/api/v1/documents/{document.pk}/file", {})
    serving = asyncio.create_task(application(scope, receive, send))
    await asyncio.wait_for(begun.wait(), 10)
    try:
        await eventually(lambda: in_use() == before)
    finally:
        go_on.set()
        await asyncio.wait_for(serving, 10)
    assert received == document.size


async def test_who_waits_for_a_page_to_be_drawn_holds_none(
    client: AsgiClient, document: Document, harbour: Tenant
) -> None:
    with use_tenant(harbour):
        address = page_url(document.pk, 1).replace("/pages/1?", "/pages/1/image?")
    while pages._RENDERINGS.acquire(blocking=False):
        pass
    before = in_use()
    asking = asyncio.create_task(client.request("GET", address))
    try:
        await asyncio.sleep(0.3)
        assert not asking.done()
        await eventually(lambda: in_use() == before)
    finally:
        pages._RENDERINGS.release(2)
    answer = await asking
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")


async def test_an_upload_that_is_judged_holds_none(
    client: AsgiClient, harbour: Tenant, sample_pdf: Callable[..., bytes]
) -> None:
    def make() -> str:
        with use_tenant(harbour):
            return str(CollectionFactory.create().pk)

    collection = await in_database(make)
    parts = [
        f'--x\r\ncontent-disposition: form-data; name="collection"\r\n\r\n{collection}\r\n'.encode(),
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        + sample_pdf()
        + b"\r\n--x--\r\n",
    ]
    body = b"".join(parts)
    before = in_use()
    headers = {"content_type": "multipart/form-data; boundary=x", "content_length": str(len(body))}
    asking = asyncio.create_task(client.request("POST", "/api/v1/documents", body, **headers))
    seen = []
    while not asking.done():
        seen.append(in_use())
        await asyncio.sleep(0.002)

    assert (await asking).status == 202, asking.result().body
    assert seen.count(before) > len(seen) / 2, seen
