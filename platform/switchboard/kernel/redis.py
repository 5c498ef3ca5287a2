"""Connections to Redis: one pool per process for sync code, one per event loop for async code."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import redis
from django.conf import settings
from redis import asyncio as redis_async
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    Client = redis.Redis
    AsyncClient = redis_async.Redis

# A Redis that was killed is back within a second (its supervisor restarts it); six tries reach over that.
_TRIES = 6
_OPTIONS: Final[dict[str, Any]] = {
    "decode_responses": True,
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "retry_on_error": [exceptions.ConnectionError, exceptions.TimeoutError, exceptions.BusyLoadingError],
}
_per_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncClient] = WeakKeyDictionary()


def _backoff() -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(base=0.05, cap=2.0)


@functools.cache
def redis_client() -> Client:
    """The process's sync client."""
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(_backoff(), _TRIES), **_OPTIONS)


def async_redis() -> AsyncClient:
    """The running event loop's client."""
    loop = asyncio.get_running_loop()
    client = _per_loop.get(loop)
    if client is None:
        retry = AsyncRetry(_backoff(), _TRIES)
        client = _per_loop[loop] = redis_async.Redis.from_url(settings.REDIS_URL, retry=retry, **_OPTIONS)
    return client


async def close_async_redis() -> None:
    """Close the running event loop's connections."""
    client = _per_loop.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()
