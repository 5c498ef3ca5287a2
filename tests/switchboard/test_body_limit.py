"""A body that is too large is refused before anything of it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from switchboard.body_limit import BodyLimit

Message = dict[str, Any]


async def call(path: str, pieces: list[bytes], *, announced: int | None = None) -> tuple[int, int]:
    """The answer's status, and how many bytes reached the application."""
    reached = 0
    sent: list[Message] = []
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def app(scope: Message, receive: Any, send: Any) -> None:
        nonlocal reached
        while waiting:
            reached += len((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", str(announced).encode())] if announced is not None else []
    limited = BodyLimit(app, upload=5_000_000, elsewhere=1_000)
    await limited({"type": "http", "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], reached


async def test_an_announced_giant_is_refused_unread() -> None:
    assert await call("/api/v1/documents", [b"x"], announced=10**10) == (413, 0)


async def test_a_giant_that_is_not_announced_is_cut_off() -> None:
    status, reached = await call("/api/v1/documents", [b"x" * 1_000_000] * 100)

    assert status == 413
    assert reached <= 6_100_000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/conversations/1/messages", 413),
        ("/admin/login/", 413),
        ("/api/v1/documents", 200),
        ("/admin/knowledge/document/add/", 200),
    ],
)
async def test_only_where_files_are_uploaded_may_a_body_be_large(path: str, status: int) -> None:
    assert (await call(path, [b"x" * 2_000]))[0] == status
