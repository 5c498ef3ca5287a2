"""A tenant that may reach one address, and an ear for what a model there says."""

from __future__ import annotations

import math
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from agents import releases
from agents.content.runtime import ModelChoice
from agents.engine import gateway, models
from agents.engine.gateway import Deadlines, ModelFailed, Piece, ToolCall, breaker
from agents.engine.gateway.messages import conversation
from agents.releases import Endpoint
from billing.domain.usage import Usage
from tenants.context import Scope, current_tenant, use_tenant

# A provider's first message in a process takes its library a second on a busy machine.
QUICK = Deadlines(first_token=2.5, between_tokens=0.5, answer=5.0)


@contextmanager
def allowing(address: str, settings: Any) -> Iterator[None]:
    """A tenant in force, on an installation whose operator allows `host:port` and nothing else of loopback."""
    # As web processes do at their start: on a busy machine it takes longer than a model has for its first token here.
    import openai.resources.chat  # noqa: F401

    settings.EGRESS_ALLOW = [address]
    _forget()
    with use_tenant(Scope("t_models", uuid.uuid4())):
        yield
    _forget()


def _forget() -> None:
    models.egress_policy.cache_clear()
    models.forget_clients()
    breaker.forget()
    releases.endpoints.forget()


def knowing(endpoint: Endpoint, model: str = "m", *, max_tokens: int = 100) -> ModelChoice:
    """A choice of a model at an endpoint that the tenant in force has, as far as this process remembers."""
    name = (current_tenant().schema_name, endpoint.name)
    releases.endpoints._answers[name] = (math.inf, endpoint)
    return ModelChoice(endpoint=endpoint.name, model=model, max_tokens=max_tokens)


def answer(*chain: ModelChoice, question: str = "Hello", **more: Any) -> AsyncGenerator[Piece]:
    """A chain's answer to a question."""
    said = conversation("Be brief.", [("contact", "Good morning"), ("agent", "Good morning!")], question)
    return gateway.stream_chat(chain=chain, messages=said, **{"deadlines": QUICK, **more})


async def hear(pieces: AsyncIterator[Piece]) -> tuple[str, Usage | None]:
    """The whole of an answer, and what it used."""
    heard = await hear_all(pieces)
    return heard.text, heard.usages[-1] if heard.usages else None


@dataclass
class Heard:
    """All pieces of an answer, and why it ended, where it failed."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    failure: ModelFailed | None = None


async def hear_all(pieces: AsyncIterator[Piece], *, failing: bool = False) -> Heard:
    """Everything that comes.

    Args:
        failing: a failure is kept instead of raised.
    """
    heard = Heard()
    try:
        async for piece in pieces:
            if isinstance(piece, Usage):
                heard.usages.append(piece)
            elif isinstance(piece, ToolCall):
                heard.calls.append(piece)
            else:
                heard.text += piece
    except ModelFailed as failure:
        if not failing:
            raise
        heard.failure = failure
    return heard
