"""Anthropic's and Google's models, whose protocols pydantic-ai speaks.

It and the providers' clients are loaded when the first such model is asked, in a thread: they take seconds of processor
time and tens of megabytes, which a process that never needs them is spared (docs/adr/0007-model-access.md).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import httpx2

from agents.content.runtime import ModelChoice
from agents.engine.chat_completions import LONGEST_ANSWER, MOST_CALLS, StreamBroken, clean, count, tool_call
from agents.engine.gateway.failures import ModelFailed, refusal, seconds_of
from agents.engine.gateway.messages import ChatMessage, TokenCounts, ToolCall, ToolChoice, ToolOffer
from agents.engine.images import MEDIA_TYPE, LabelledImage
from agents.engine.models import NO_KEY, guarded_client, kept_for
from agents.releases import Endpoint
from switchboard.kernel.egress import EgressRefused, caused_by

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequestPart, UserContent
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

FAMILIES: Final = frozenset({"anthropic", "google"})
_LONGEST_WAIT: Final = 3600.0  # seconds that Google's client gives a request; the gateway has its own deadlines
_HOTTEST: Final = {"anthropic": 1.0, "google": 2.0}  # temperatures
# The header each signs in with, and what its client would add of its own accord from the environment.
_KEY_HEADERS: Final = {"anthropic": "x-api-key", "google": "x-goog-api-key"}
_OTHER_HEADERS: Final = ("authorization", "x-api-key", "x-goog-api-key", "x-goog-user-project")


async def ready(provider: str) -> None:
    """Load what a family needs, if it isn't loaded yet."""
    if provider not in _loaded:
        await asyncio.get_running_loop().run_in_executor(None, _load, provider)


async def stream_chat(
    endpoint: Endpoint,
    choice: ModelChoice,
    *,
    messages: Sequence[ChatMessage],
    tools: Sequence[ToolOffer] = (),
    tool_choice: ToolChoice = "auto",
) -> AsyncGenerator[str | ToolCall | TokenCounts]:
    """The pieces of an answer, its counts, and when it is whole its tool calls. `ready` comes first.

    Raises:
        ModelFailed: the request was refused.
        StreamBroken: the stream ended before the answer did, or holds something else.
    """
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta, ToolCallPart
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.tools import ToolDefinition

    offered = [
        ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.schema, strict=False)
        for tool in tools
    ]
    settings = ModelSettings(
        max_tokens=choice.max_tokens, temperature=min(choice.temperature, _HOTTEST[endpoint.provider])
    )
    if offered:
        settings["tool_choice"] = tool_choice
    written = 0
    try:
        async with model_request_stream(
            _model(endpoint, choice.model),
            _conversation(messages),
            model_settings=settings,
            model_request_parameters=ModelRequestParameters(function_tools=offered),
        ) as stream:
            async for event in stream:
                text = ""
                if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                    text = event.part.content
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                    text = event.delta.content_delta
                if piece := clean(text):
                    written += len(piece)
                    if written > LONGEST_ANSWER:
                        raise StreamBroken("the answer has no end")
                    yield piece
            answer = stream.get()
            used = answer.usage
            yield TokenCounts(count(used.input_tokens), count(used.output_tokens), count(used.cache_read_tokens))
            if answer.finish_reason is None:
                raise StreamBroken("the stream ended without a reason")
            calls = [part for part in answer.parts if isinstance(part, ToolCallPart)]
            if len(calls) > MOST_CALLS:
                raise StreamBroken("the tool calls have no end")
            for number, part in enumerate(calls):
                yield tool_call(part.tool_call_id or "", part.tool_name, cast(Any, part.args) or {}, number)
    except StreamBroken:
        raise
    except Exception as error:
        if caused_by(error, EgressRefused):
            raise
        if isinstance(error, ModelHTTPError):
            wait = seconds_of((error.headers or {}).get("retry-after", ""))
            raise refusal(error.status_code, wait, endpoint.name) from None
        if status := _status(error):
            raise refusal(status, None, endpoint.name) from None
        if isinstance(error, ModelAPIError):
            raise ModelFailed("model_unreachable", f"{endpoint.name} can't be reached.", may_pass=True) from None
        raise


def _status(error: BaseException | None) -> int | None:
    """The HTTP status behind an error that isn't told as one, such as a redirect."""
    seen = 0
    while error is not None and seen < 10:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        if isinstance(status, int) and 300 <= status < 600:
            return status
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


_loaded: set[str] = set()


def _load(provider: str) -> None:
    _classes(provider)
    import pydantic_ai.direct  # noqa: F401 - loaded for `stream_chat`

    _loaded.add(provider)


@functools.cache
def _classes(provider: str) -> tuple[type[Any], type[Any]]:
    """The classes of a family's models and of its client."""
    if provider == "anthropic":
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers import anthropic  # noqa: F401 - loaded for `_provider`

        return AnthropicModel, AsyncAnthropic
    from google.genai.client import Client
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers import google  # noqa: F401 - loaded for `_provider`

    return GoogleModel, Client


def _model(endpoint: Endpoint, name: str) -> Model:
    model: Model = _classes(endpoint.provider)[0](name, provider=kept_for(endpoint, _provider))
    return model


def _provider(endpoint: Endpoint) -> Provider[Any]:
    """A family's client for an endpoint, over the guarded transport and with this key alone."""
    key = endpoint.api_key or NO_KEY
    http = guarded_client(event_hooks={"request": [functools.partial(_sign, endpoint.provider, key)]})
    make_client = _classes(endpoint.provider)[1]
    if endpoint.provider == "anthropic":
        from pydantic_ai.providers.anthropic import AnthropicProvider

        client = make_client(api_key=key, base_url=endpoint.base_url, max_retries=0, http_client=http)
        return AnthropicProvider(anthropic_client=client)
    from google.genai.types import HttpOptions
    from pydantic_ai.providers.google import GoogleProvider

    options = HttpOptions(base_url=endpoint.base_url, httpx_async_client=http, timeout=int(_LONGEST_WAIT * 1000))
    return GoogleProvider(client=make_client(vertexai=False, api_key=key, http_options=options))


async def _sign(provider: str, key: str, request: httpx2.Request) -> None:
    """The endpoint's key and no other: the clients also look for keys in the environment, which are the platform's."""
    for name in _OTHER_HEADERS:
        request.headers.pop(name, None)
    request.headers[_KEY_HEADERS[provider]] = key


def _conversation(messages: Sequence[ChatMessage]) -> list[ModelMessage]:
    """Messages as pydantic-ai has them: requests, whose parts are the contact's, the system's and the tools', in turns
    with responses.
    """
    from pydantic_ai.messages import (
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        ToolCallPart,
        ToolReturnPart,
        UserPromptPart,
    )

    told: list[ModelMessage] = []
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    for message in messages:
        if message.role == "assistant":
            calls = [ToolCallPart(call.name, call.arguments, tool_call_id=call.id) for call in message.tool_calls]
            told.append(ModelResponse([*([TextPart(message.text)] if message.text.strip() else []), *calls]))
            continue
        part: ModelRequestPart
        match message.role:
            case "system":
                part = SystemPromptPart(message.text)
            case "tool":
                name = names.get(message.tool_call_id, "tool")
                part = ToolReturnPart(name, message.text, tool_call_id=message.tool_call_id)
            case _:
                part = UserPromptPart([*_pictures(message.images), message.text] if message.images else message.text)
        last = told[-1] if told else None
        if isinstance(last, ModelRequest):
            last.parts = [*last.parts, part]
        else:
            told.append(ModelRequest([part]))
    return told


def _pictures(images: Sequence[LabelledImage]) -> Iterator[UserContent]:
    """Each after its label."""
    from pydantic_ai.messages import BinaryContent

    for image in images:
        yield image.label
        yield BinaryContent(image.jpeg, media_type=MEDIA_TYPE)
