"""Clients of language models, one per endpoint, their connections pooled and their addresses guarded."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

import httpx2
from django.conf import settings

from agents.releases import Endpoint
from switchboard.kernel.egress import EgressPolicy, guarded_transport
from tenants.context import current_tenant

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS: Final = 5.0
# Servers such as Ollama want no key; the clients want a non-empty one, and look for it in the environment otherwise,
# where the platform's stands.
NO_KEY: Final = "none"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a model may take, in seconds: to its first token, from one token to the next, and for a whole answer.

    Args:
        has_second_chance: whether one that was late is asked once more, before the next of its chain is.
    """

    first_token: float = 40.0
    between_tokens: float = 30.0
    answer: float = 300.0
    has_second_chance: bool = True


# Nobody listens to silence for long.
SPOKEN: Final = Deadlines(first_token=10.0, between_tokens=10.0, answer=120.0, has_second_chance=False)


async def load() -> None:
    """With the web process: import what the first message would have to wait for."""
    import openai  # noqa: F401


@functools.cache
def egress_policy() -> EgressPolicy:
    """What this installation lets agents reach."""
    return EgressPolicy(settings.EGRESS_ALLOW)


def client_of(endpoint: Endpoint) -> AsyncOpenAI:
    """The client of an endpoint that speaks as OpenAI does."""
    return kept_for(endpoint, _openai_client)


def kept_for(endpoint: Endpoint, make: Callable[[Endpoint], T]) -> T:
    """What `make` makes of an endpoint, made once per tenant, address and key: a changed key is a new client.

    Each event loop has its own: connections can't move from one to another, and a worker's test runs have a loop each.
    """
    loop = asyncio.get_running_loop()
    with _lock:
        known = _per_loop.get(loop)
        if known is None:
            # Open connections hold on to their loop, so a closed one doesn't go by itself.
            for closed in [one for one in _per_loop if one.is_closed()]:
                del _per_loop[closed]
            known = _per_loop[loop] = functools.lru_cache(maxsize=1024)(_made)
    client: T = known(make, current_tenant().schema_name, endpoint)
    return client


def forget_clients() -> None:
    """Make all clients anew from here on."""
    with _lock:
        _per_loop.clear()


_lock = threading.Lock()
_per_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()


def _made(make: Callable[[Endpoint], T], schema_name: str, endpoint: Endpoint) -> T:
    return make(endpoint)


def _openai_client(endpoint: Endpoint) -> AsyncOpenAI:
    from openai import AsyncOpenAI

    return AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key or NO_KEY,
        # Retries are the gateway's, which knows whether anything was shown already.
        max_retries=0,
        http_client=guarded_client(),
    )


def guarded_client(**options: Any) -> httpx2.AsyncClient:
    """An HTTP client that reaches what agents may reach.

    Args:
        options: further ones of httpx2.AsyncClient.
    """
    return httpx2.AsyncClient(
        transport=guarded_transport(egress_policy()),
        # Everything but connecting is the gateway's to time.
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        **options,
    )
