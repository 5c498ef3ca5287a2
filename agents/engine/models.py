"""Clients of language models, one per endpoint, their connections pooled and their addresses guarded."""

from __future__ import annotations

import functools

import httpx2
from django.conf import settings
from openai import AsyncOpenAI
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from agents.releases import Endpoint
from switchboard.kernel.egress import EgressPolicy, guarded_transport
from tenants.context import current_tenant

CONNECT_SECONDS = 5.0
FIRST_TOKEN_SECONDS = 40.0
BETWEEN_TOKENS_SECONDS = 30.0
ANSWER_SECONDS = 300.0


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
            timeout=httpx2.Timeout(FIRST_TOKEN_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
        ),
    )
    return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))
