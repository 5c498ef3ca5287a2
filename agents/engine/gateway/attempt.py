"""One call of one model: its deadlines, and what it used."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agents.content.runtime import ModelChoice
from agents.engine import chat_completions, families
from agents.engine.gateway import metering
from agents.engine.gateway.failures import ModelFailed
from agents.engine.gateway.messages import ChatMessage, TokenCounts, ToolCall, ToolChoice, ToolOffer
from agents.engine.models import Deadlines
from agents.engine.patience import Patience
from agents.providers import is_own_address
from agents.releases import Endpoint
from billing.domain.usage import Usage

# What a provider may count for each token that we estimate, and for what we don't see: tools, thinking.
_MOST_TIMES: Final = 8
_MOST_BESIDES: Final = 40_000


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whichever model answers."""

    messages: Sequence[ChatMessage]
    tools: Sequence[ToolOffer]
    tool_choice: ToolChoice
    purpose: str
    deadlines: Deadlines


class Attempt:
    """One call. `pieces` may be run once; `usage` is known from then on.

    Args:
        give_up: when the whole answer is due, on the event loop's clock.
    """

    def __init__(self, choice: ModelChoice, endpoint: Endpoint, request: Request, give_up: float) -> None:
        self._choice = choice
        self._endpoint = endpoint
        self._request = request
        self._give_up = give_up
        self._counts: TokenCounts | None = None
        self._written = 0
        self._calls: set[str] = set()

    async def pieces(self) -> AsyncGenerator[str | ToolCall]:
        """Text as it comes, then the tool calls, once the answer is whole.

        Raises:
            TimeoutError: a deadline passed.
            Exception: what the provider's client raises; `failures.failure_of` tells what it means.
        """
        clock = asyncio.get_running_loop().time
        deadlines = self._request.deadlines
        if self._endpoint.provider in families.FAMILIES:
            await families.ready(self._endpoint.provider)
        if not self._endpoint.api_key and is_own_address(self._endpoint.provider, self._endpoint.base_url):
            name = self._endpoint.name
            raise ModelFailed("model_key_missing", f"{name} has no API key, and the platform has none for it.")
        with Patience(min(clock() + deadlines.first_token, self._give_up)) as patience:
            async with contextlib.aclosing(self._stream()) as pieces:
                while (piece := await patience.next(pieces)) is not None:
                    patience.until = min(clock() + deadlines.between_tokens, self._give_up)
                    if isinstance(piece, str):
                        self._written += len(piece)
                        yield piece
                    elif isinstance(piece, TokenCounts):
                        self._counts = piece
                    else:
                        self._written += len(piece.name) + len(str(piece.arguments))
                        yield self._named(piece)

    def _named(self, call: ToolCall) -> ToolCall:
        """A call under an id that no other call of the conversation has: some servers number them anew each time."""
        if not self._calls:
            self._calls = {known.id for message in self._request.messages for known in message.tool_calls}
        if call.id in self._calls:
            call = replace(call, id=f"call_{uuid.uuid4().hex}")
        self._calls.add(call.id)
        return call

    @property
    def has_used(self) -> bool:
        """Whether the provider has done something that it bills: an attempt that was refused is no use."""
        return self._written > 0 or self._counts is not None

    def tokens(self) -> int:
        """What it has used so far, sent and received: counted where the provider has told, else by estimate.

        For the tenant's limits. A server that counts wildly must not shut its tenant out of all the others.
        """
        estimated = metering.estimate_tokens(
            metering.length_of(self._request.messages, self._endpoint.provider) + self._written
        )
        if self._counts is None:
            return estimated
        return min(self._counts.prompt + self._counts.completion, _MOST_TIMES * estimated + _MOST_BESIDES)

    async def usage(self) -> Usage:
        """What the call used, and what that costs."""
        await metering.prices_loaded()
        return metering.usage_of(
            self._choice,
            self._endpoint,
            self._counts,
            sent=metering.length_of(self._request.messages, self._endpoint.provider),
            written=self._written,
            purpose=self._request.purpose,
        )

    def _stream(self) -> AsyncGenerator[str | ToolCall | TokenCounts]:
        speak = families.stream_chat if self._endpoint.provider in families.FAMILIES else chat_completions.stream_chat
        return speak(
            self._endpoint,
            self._choice,
            messages=self._request.messages,
            tools=self._request.tools,
            tool_choice=self._request.tool_choice,
        )
