"""Files as responses, read by threads piece by piece: under ASGI, Django would read a whole file into memory first."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import IO, Final

from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from switchboard.kernel.database import release_connections

_PIECE_BYTES: Final = 256 * 1024
# To be saved, never to be shown: it is what a stranger wrote.
_TYPE: Final = "application/octet-stream"
# One stretch; whoever asks for several gets the whole file.
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})\Z")


def download(request: HttpRequest, file: IO[bytes], *, filename: str, size: int) -> StreamingHttpResponse:
    """A stored file, as an attachment.

    Args:
        file: open; closed when it has been sent.
        filename: what the browser saves it as.
        size: bytes.
    """
    if not isinstance(request, ASGIRequest):
        return FileResponse(file, as_attachment=True, filename=filename, content_type=_TYPE)
    # Django keeps the request's connection until the last byte is sent, and a client may take its time.
    release_connections()
    headers = {
        "Content-Disposition": content_disposition_header(True, filename) or "attachment",
        "Content-Length": str(size),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingHttpResponse(_pieces(file), content_type=_TYPE, headers=headers)


def play(request: HttpRequest, file: IO[bytes], *, content_type: str, size: int) -> HttpResponseBase:
    """A stored file of our own making, as a player reads it: from wherever it wants (RFC 9110 §14).

    Args:
        file: open; closed when it has been sent.
        size: bytes.
    """
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    wanted = _RANGE.match(request.headers.get("Range", ""))
    first, last, status = 0, size - 1, 200
    if wanted and any(wanted.groups()):
        if wanted[1]:
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
        else:
            first = max(size - int(wanted[2]), 0)
        if first > last:
            file.close()
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        status, headers["Content-Range"] = 206, f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    file.seek(first)
    release_connections()
    pieces = _pieces(file, last - first + 1) if isinstance(request, ASGIRequest) else _read(file, last - first + 1)
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers, status=status)


async def _pieces(file: IO[bytes], most: int | None = None) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES if most is None else min(_PIECE_BYTES, most)):
            yield piece
            most = None if most is None else most - len(piece)
    finally:
        await asyncio.to_thread(file.close)


def _read(file: IO[bytes], most: int) -> Iterator[bytes]:
    with file:
        while piece := file.read(min(_PIECE_BYTES, most)):
            yield piece
            most -= len(piece)
