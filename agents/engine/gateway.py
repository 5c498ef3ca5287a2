"""The one door to language models: deadlines, retries while nothing has been shown, and errors with a stable code."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from typing import Literal

import openai
from pydantic_ai import exceptions
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import StreamedResponse
from pydantic_ai.settings import ModelSettings

from agents.engine.models import Deadlines, chat_model
from agents.releases import Endpoint, ResolvedRelease
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
    release: ResolvedRelease,
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
            async for piece in _one_try(release, endpoint, messages, deadlines, give_up):
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
    release: ResolvedRelease, endpoint: Endpoint, messages: list[ModelMessage], deadlines: Deadlines, give_up: float
) -> AsyncIterator[str | Usage]:
    settings = ModelSettings(temperature=release.temperature, max_tokens=release.max_tokens)
    clock = asyncio.get_running_loop().time
    # No deadline is held across a yield: it would end whatever the consumer waits for, not the model.
    patience = min(clock() + deadlines.first_token, give_up)
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.timeout_at(patience):
            stream = await stack.enter_async_context(
                model_request_stream(chat_model(endpoint, release.model), messages, model_settings=settings)
            )
        pieces = aiter(stream)
        written = 0
        while True:
            async with asyncio.timeout_at(patience):
                event = await anext(pieces, None)
            if event is None:
                break
            patience = min(clock() + deadlines.between_tokens, give_up)
            if text := _text_of(event):
                written += len(text)
                yield text
        yield _usage(release, endpoint, stream, messages, written)


def _text_of(event: object) -> str:
    match event:
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case PartStartEvent(part=TextPart(content=text)):
            return text
    return ""


def _usage(
    release: ResolvedRelease, endpoint: Endpoint, stream: StreamedResponse, messages: list[ModelMessage], written: int
) -> Usage:
    counted = stream.usage
    estimated = not counted.output_tokens
    return Usage(
        service="llm",
        provider=endpoint.name,
        model=release.model,
        input_tokens=counted.input_tokens or estimate_tokens(sum(len(str(message.parts)) for message in messages)),
        output_tokens=counted.output_tokens or estimate_tokens(written),
        is_estimated=estimated,
    )


def estimate_tokens(characters: int) -> int:
    """Tokens in a text whose provider didn't count them: about one every four characters of English."""
    return -(-characters // 4)


def _messages(instructions: str, history: Sequence[tuple[Role, str]], question: str) -> list[ModelMessage]:
    said: list[ModelMessage] = [
        ModelRequest(parts=[UserPromptPart(text)]) if role == "contact" else ModelResponse(parts=[TextPart(text)])
        for role, text in history
    ]
    return [*said, ModelRequest(parts=[UserPromptPart(question)], instructions=instructions)]


def _failure(error: Exception, endpoint: Endpoint) -> ModelFailed:
    """What an exception of the client library means."""
    name = endpoint.name
    if isinstance(error, ModelFailed):
        return error
    if _caused_by(error, EgressRefused):
        return ModelFailed("model_address_refused", f"The address of {name} is not one that agents may reach.")
    retry_after = getattr(error, "retry_after", None)
    match error:
        case TimeoutError() | exceptions.ModelTimeoutError() | openai.APITimeoutError():
            return ModelFailed("model_timeout", f"The model at {name} took too long to answer.")
        case exceptions.ModelRateLimitError():
            return ModelFailed(
                "model_overloaded", f"{name} is limiting our requests.", may_pass=True, retry_after=retry_after
            )
        case exceptions.ModelHTTPError(status_code=401 | 403):
            return ModelFailed("model_refused", f"{name} refused our key. Check the endpoint's API key.")
        case exceptions.ModelHTTPError(status_code=404):
            return ModelFailed("model_not_found", f"{name} doesn't know this model or address.")
        case exceptions.ModelHTTPError(status_code=status) if status == 429:
            return ModelFailed(
                "model_overloaded", f"{name} is limiting our requests.", may_pass=True, retry_after=retry_after
            )
        case exceptions.ModelHTTPError(status_code=status) if status < 500:
            return ModelFailed("model_refused", f"{name} refused the request (HTTP {status}).")
        case exceptions.ModelHTTPError(status_code=status):
            return ModelFailed("model_error", f"{name} failed (HTTP {status}).", may_pass=True, retry_after=retry_after)
        case exceptions.ModelConnectionError() | openai.APIConnectionError():
            return ModelFailed("model_unreachable", f"{name} can't be reached.", may_pass=True)
    return ModelFailed("model_stream_broken", f"{name} sent something that is no answer.", may_pass=True)


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
