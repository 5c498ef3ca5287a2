"""Server-sent events as HTTP responses."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse

from conversations.events.record import Record
from switchboard.kernel.problems import Invalid

KEEPALIVE = ": still here\n\n"


def event_stream(
    records: AsyncIterator[Record | None], *, status: int = 200, location: str = ""
) -> StreamingHttpResponse:
    """A stream of events, with a comment where there is nothing to say."""

    async def lines() -> AsyncIterator[str]:
        # At once, so that headers reach the client although the first event may take its time.
        yield KEEPALIVE
        async for record in records:
            yield KEEPALIVE if record is None else record.as_sse()

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if location:
        headers["Location"] = location
    return StreamingHttpResponse(lines(), status=status, content_type="text/event-stream", headers=headers)


def wants_stream(request: HttpRequest) -> bool:
    """Whether the client asks for an event stream by its Accept header."""
    return "text/event-stream" in request.headers.get("Accept", "")


def last_seen(request: HttpRequest, after: int | None) -> int:
    """The number after which to go on: `Last-Event-ID`, which a browser sends by itself, or `?after=`.

    Raises:
        Invalid: `invalid_event_id`.
    """
    header = request.headers.get("Last-Event-ID", "")
    if not header:
        return after or 0
    if not header.isascii() or not header.isdigit() or len(header) > 15:
        raise Invalid("invalid_event_id", "Last-Event-ID is the number of an event.", field="Last-Event-ID")
    return int(header)
