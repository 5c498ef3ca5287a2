"""What a call used: the provider's count, or ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents import releases
from agents.content.runtime import ModelChoice
from agents.engine.gateway.messages import ChatMessage, TokenCounts
from agents.engine.images import image_tokens
from agents.providers import OPENAI_COMPATIBLE
from agents.releases import Endpoint
from billing import prices
from billing.domain.usage import Usage
from billing.models import UsageEvent

CHARACTERS_A_TOKEN: Final = 4


def estimate_tokens(characters: int) -> int:
    """Tokens in a text whose provider didn't count them: about one every four characters of English."""
    return -(-characters // CHARACTERS_A_TOKEN)


def usage_of(
    choice: ModelChoice, endpoint: Endpoint, counts: TokenCounts | None, *, sent: int, written: int, purpose: str
) -> Usage:
    """What one attempt used.

    Args:
        counts: the provider's, where it gave any.
        sent: characters of the request.
        written: characters of the answer, tool calls included.
    """
    counted = counts is not None and counts.completion > 0
    prompt = counts.prompt if counts and counts.prompt else estimate_tokens(sent)
    completion = counts.completion if counts and counted else estimate_tokens(written)
    cached = min(counts.cached, prompt) if counts else 0
    return Usage(
        service="llm",
        # A server of the tenant's own is known by the name that they gave it.
        provider=endpoint.name if endpoint.provider == OPENAI_COMPATIBLE else endpoint.provider,
        model=choice.model,
        input_tokens=prompt,
        output_tokens=completion,
        cached_tokens=cached,
        is_estimated=not counted,
        purpose=purpose,
        cost_usd=prices.cost_of(
            provider=endpoint.provider,
            model=choice.model,
            input_tokens=prompt,
            output_tokens=completion,
            cached_tokens=cached,
            base_url=endpoint.base_url,
        ),
    )


def frames_of(used: Usage, frames: int) -> Usage:
    """The pictures that a call was shown. What they cost is in the call's own tokens."""
    return Usage(
        service="vision",
        provider=used.provider,
        model=used.model,
        input_tokens=0,
        output_tokens=0,
        cost_usd=Decimal(0),
        purpose=used.purpose,
        quantity=Decimal(frames),
        unit=UsageEvent.Unit.FRAME,
    )


async def prices_loaded() -> None:
    """Wait until the price lists are there: in a thread, for it takes half a second of processor time, and not before
    an answer, where somebody would wait for its first word.
    """
    if not prices.is_loaded():
        await asyncio.get_running_loop().run_in_executor(None, prices.load)


async def estimate_usage(*, choice: ModelChoice, sent: int, written: int, purpose: str = "answer") -> Usage:
    """What a call used that its caller cut off, so that no attempt of it could say: the provider bills it all the same.

    Args:
        sent: characters of the request.
        written: characters of the answer so far.

    Raises:
        ModelEndpoint.DoesNotExist: the endpoint is gone.
    """
    endpoint = await releases.endpoint_async(choice.endpoint)
    await prices_loaded()
    return usage_of(choice, endpoint, None, sent=sent, written=written, purpose=purpose)


def length_of(messages: Sequence[ChatMessage], provider: str = "") -> int:
    """Characters of what is sent; a picture has as many as its tokens would."""
    return sum(
        len(message.text)
        + sum(len(call.name) + len(str(call.arguments)) for call in message.tool_calls)
        + sum(len(image.label) + CHARACTERS_A_TOKEN * image_tokens(image, provider) for image in message.images)
        for message in messages
    )
