"""The way out for tools: through the guard, with nothing that one call could leave to the next."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

import httpx2
from django.conf import settings

from agents.tools.results import ToolFailed
from switchboard.kernel.egress import EgressPolicy, EgressRefused, guarded_transport

LONGEST_ANSWER: Final = 1024 * 1024  # bytes
_CONNECT_SECONDS: Final = 5.0
_lock = threading.Lock()
_per_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncHTTPTransport] = WeakKeyDictionary()


class _Shared(httpx2.AsyncBaseTransport):
    """The loop's transport in the hands of one client, which may close itself but not that."""

    def __init__(self, inner: httpx2.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream)
        return response


class _Bounded(httpx2.AsyncByteStream):
    """An answer that ends, even where its reader would take all of it."""

    def __init__(self, source: httpx2.AsyncByteStream) -> None:
        self._source = source

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = 4 * LONGEST_ANSWER
        async for part in self._source:
            left -= len(part)
            if left < 0:
                raise httpx2.RemoteProtocolError("the response has no end")
            yield part

    async def aclose(self) -> None:
        await self._source.aclose()


class Progress:
    """How far a request has come: whether anything of it was sent."""

    def __init__(self) -> None:
        self.is_sent = False

    async def trace(self, name: str, info: object) -> None:
        if name.endswith("send_request_headers.started"):
            self.is_sent = True


@functools.cache
def _policy() -> EgressPolicy:
    return EgressPolicy(settings.EGRESS_ALLOW)


async def transport() -> httpx2.AsyncBaseTransport:
    """The guarded transport of this event loop: connections can't move from one to another."""
    loop = asyncio.get_running_loop()
    with _lock:
        known = _per_loop.get(loop)
    if known is None:
        # To read the authorities' certificates takes a while: not on the event loop.
        made = await asyncio.to_thread(guarded_transport, _policy())
        with _lock:
            known = _per_loop.setdefault(loop, made)
    return _Shared(known)


@asynccontextmanager
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of its own for one call: no cookie, no header of another tenant's is in it. Redirects are not followed,
    for a redirect may lead to where the secret must not go.
    """
    timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
    async with httpx2.AsyncClient(
        transport=await transport(), timeout=timeout, follow_redirects=False, trust_env=False
    ) as made:
        yield made


def failure_of(error: BaseException, *, is_sent: bool) -> ToolFailed:
    """What went wrong on the way, without the address' details."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, EgressRefused):
            return ToolFailed("tool_address_refused", "The tool's address is not one that agents may reach.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return ToolFailed("tool_timeout", "The service took too long.", maybe_done=is_sent)
    return ToolFailed("tool_unreachable", "The service could not be reached.", maybe_done=is_sent)
