"""The one door to language models: deadlines, retries while nothing has been shown, and errors with a stable code."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from typing import Literal

import openai
from openai.types.chat import ChatCompletionMessageParam

from agents.content.runtime import ModelChoice
from agents.engine.chat_completions import TokenCounts, stream_chat
from agents.engine.models import Deadlines, client_of
from agents.engine.patience import Patience
from agents.releases import Endpoint
from billing.domain.usage import Usage
from switchboard.kernel.egress import EgressRefused

Role = Literal["contact", "agent"]
_TRIES = 3
_FIRST_PAUSE = 0.3  # seconds; doubles, with jitter
_LONGEST_PAUSE = 5.0


class ModelFailed(Exception):
    """A model call that came to nothing.

    Args:
        code: stable: `model_unreachable`, `model_timeout`, `model_overloaded`, `model_refused`, `model_not_found`,
            `model_error`, `model_stream_broken`, `model_address_refused`.
        detail: a sentence for the tenant's staff; never holds what the provider said, which may quote keys.
        may_pass: whether trying again has a chance.
        retry_after: seconds the provider asked to wait.
    """

    def __init__(self, code: str, detail: str, *, may_pass: bool = False, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.may_pass = may_pass
        self.retry_after = retry_after


async def stream_answer(
    *,
    choice: ModelChoice,
    endpoint: Endpoint,
    instructions: str,
    history: Sequence[tuple[Role, str]],
    question: str,
    deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
) -> AsyncIterator[str | Usage]:
    """A model's answer, piece by piece, and at last what it used.

    Tried again while nothing has been yielded, never after: words that were shown are not said twice.

    Raises:
        ModelFailed: see there.
    """
    messages = _messages(instructions, history, question)
    give_up = asyncio.get_running_loop().time() + deadlines.answer
    for attempt in range(1, _TRIES + 1):
        shown = False
        try:
            async for piece in _one_try(choice, endpoint, messages, deadlines, give_up):
                shown = True
                yield piece
            return
        except Exception as error:
            failure = _failure(error, endpoint)
            if shown or not failure.may_pass or attempt == _TRIES:
                raise failure from None
        await asyncio.sleep(_pause(attempt, failure.retry_after))


def _pause(attempt: int, retry_after: float | None) -> float:
    pause: float = _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311
    return min(max(pause, retry_after or 0.0), _LONGEST_PAUSE)


async def _one_try(
    choice: ModelChoice,
    endpoint: Endpoint,
    messages: list[ChatCompletionMessageParam],
    deadlines: Deadlines,
    give_up: float,
) -> AsyncIterator[str | Usage]:
    clock = asyncio.get_running_loop().time
    counts: TokenCounts | None = None
    written = 0
    stream = stream_chat(
        client_of(endpoint),
        model=choice.model,
        messages=messages,
        temperature=choice.temperature,
        max_tokens=choice.max_tokens,
    )
    first = min(clock() + deadlines.first_token, give_up)
    with Patience(first) as patience:
        async with contextlib.aclosing(stream) as pieces:
            while (piece := await patience.next(pieces)) is not None:
                patience.until = min(clock() + deadlines.between_tokens, give_up)
                if isinstance(piece, TokenCounts):
                    counts = piece
                else:
                    written += len(piece)
                    yield piece
    yield _usage(choice, endpoint, counts, messages, written)


def _usage(
    choice: ModelChoice,
    endpoint: Endpoint,
    counts: TokenCounts | None,
    messages: list[ChatCompletionMessageParam],
    written: int,
) -> Usage:
    counted = counts is not None and counts.completion > 0
    sent = sum(len(str(message.get("content") or "")) for message in messages)
    return Usage(
        service="llm",
        provider=endpoint.name,
        model=choice.model,
        input_tokens=counts.prompt if counts and counts.prompt else estimate_tokens(sent),
        output_tokens=counts.completion if counts and counted else estimate_tokens(written),
        is_estimated=not counted,
    )


def estimate_tokens(characters: int) -> int:
    """Tokens in a text whose provider didn't count them: about one every four characters of English."""
    return -(-characters // 4)


def _messages(
    instructions: str, history: Sequence[tuple[Role, str]], question: str
) -> list[ChatCompletionMessageParam]:
    said: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": text} if role == "contact" else {"role": "assistant", "content": text}
        for role, text in history
    ]
    return [{"role": "system", "content": instructions}, *said, {"role": "user", "content": question}]


def _failure(error: Exception, endpoint: Endpoint) -> ModelFailed:
    """What an exception of the client library means."""
    name = endpoint.name
    if isinstance(error, ModelFailed):
        return error
    if _caused_by(error, EgressRefused):
        return ModelFailed("model_address_refused", f"The address of {name} is not one that agents may reach.")
    match error:
        case TimeoutError() | openai.APITimeoutError():
            return ModelFailed("model_timeout", f"The model at {name} took too long to answer.")
        case openai.APIConnectionError():
            return ModelFailed("model_unreachable", f"{name} can't be reached.", may_pass=True)
        case openai.APIStatusError():
            return _refusal(error, name)
    return ModelFailed("model_stream_broken", f"{name} stopped or sent something that is no answer.", may_pass=True)


def _refusal(error: openai.APIStatusError, name: str) -> ModelFailed:
    """What a status other than success means."""
    wait = _retry_after(error)
    match error.status_code:
        case 429:
            return ModelFailed("model_overloaded", f"{name} is limiting our requests.", may_pass=True, retry_after=wait)
        case 401 | 403:
            return ModelFailed("model_refused", f"{name} refused our key. Check the endpoint's API key.")
        case 404:
            return ModelFailed("model_not_found", f"{name} doesn't know this model or address.")
        case status if status >= 500:
            return ModelFailed("model_error", f"{name} failed (HTTP {status}).", may_pass=True, retry_after=wait)
        case status:
            return ModelFailed("model_refused", f"{name} refused the request (HTTP {status}).")


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds the provider asks to wait (RFC 9110, 10.2.3), where it gives a number."""
    try:
        return float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
