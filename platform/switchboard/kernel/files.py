"""Files as responses, read by threads piece by piece: under ASGI, Django would read a whole file into memory first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Final

from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from switchboard.kernel.database import release_connections

_PIECE_BYTES: Final = 256 * 1024
# To be saved, never to be shown: it is what a stranger wrote.
_TYPE: Final = "application/octet-stream"


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


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        await asyncio.to_thread(file.close)
