"""Clients of language models, one per endpoint, their connections pooled and their addresses guarded."""

from __future__ import annotations

import asyncio
import functools
import threading
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import httpx2
from django.conf import settings
from openai import AsyncOpenAI

from agents.releases import Endpoint
from switchboard.kernel.egress import EgressPolicy, guarded_transport
from tenants.context import current_tenant

CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a model may take, in seconds: to its first token, from one token to the next, and for a whole answer."""

    first_token: float = 40.0
    between_tokens: float = 30.0
    answer: float = 300.0


@functools.cache
def egress_policy() -> EgressPolicy:
    """What this installation lets agents reach."""
    return EgressPolicy(settings.EGRESS_ALLOW)


def client_of(endpoint: Endpoint) -> AsyncOpenAI:
    """The client of an endpoint. Kept per tenant, address and key, so that a changed key is a new client.

    Each event loop has its own: connections can't move from one to another, and a worker's test runs have a loop each.
    """
    loop = asyncio.get_running_loop()
    with _lock:
        known = _per_loop.get(loop)
        if known is None:
            # Open connections hold on to their loop, so a closed one doesn't go by itself.
            for closed in [one for one in _per_loop if one.is_closed()]:
                del _per_loop[closed]
            known = _per_loop[loop] = functools.lru_cache(maxsize=1024)(_client)
    client: AsyncOpenAI = known(current_tenant().schema_name, endpoint.base_url, endpoint.api_key)
    return client


def forget_clients() -> None:
    """Make all clients anew from here on."""
    with _lock:
        _per_loop.clear()


_lock = threading.Lock()
_per_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()


def _client(schema_name: str, base_url: str, api_key: str) -> AsyncOpenAI:
    return AsyncOpenAI(
        base_url=base_url,
        # Servers such as Ollama want no key; the client wants a non-empty one.
        api_key=api_key or "none",
        # Retries are the gateway's, which knows whether anything was shown already.
        max_retries=0,
        http_client=httpx2.AsyncClient(
            transport=guarded_transport(egress_policy()),
            # Everything but connecting is the gateway's to time.
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            follow_redirects=False,
        ),
    )
