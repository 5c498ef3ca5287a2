"""Clients of language models, one per endpoint, their connections pooled and their addresses guarded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import httpx2
from django.conf import settings
from openai import AsyncOpenAI
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

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


def chat_model(endpoint: Endpoint, model: str) -> OpenAIChatModel:
    """The model behind an endpoint. Kept per tenant, address and key, so that a changed key is a new client."""
    return _chat_model(current_tenant().schema_name, endpoint.base_url, endpoint.api_key, model)


@functools.lru_cache(maxsize=1024)
def _chat_model(schema_name: str, base_url: str, api_key: str, model: str) -> OpenAIChatModel:
    client = AsyncOpenAI(
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
    # A stream that ends without saying why was cut off.
    whole = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
    return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client), profile=whole)
