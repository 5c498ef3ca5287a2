"""OpenAI's streaming chat completions, read as they come.

The openai client makes the request (address, key, errors); the lines of the answer are decoded here. Its own decoding,
with a typed object for each token, costs more processor time than the rest of a turn (docs/adr/0007-model-access.md).
The protocol: platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from agents.content.runtime import ModelChoice
from agents.engine.gateway.messages import ChatMessage, TokenCounts, ToolCall, ToolChoice, ToolOffer
from agents.engine.images import MEDIA_TYPE, LabelledImage
from agents.engine.models import client_of
from agents.releases import Endpoint

if TYPE_CHECKING:
    from openai import AsyncStream
    from openai.types.chat import ChatCompletionChunk

# A token's chunk has some hundred bytes; what sends a megabyte without a line's end is no model.
_LONGEST_LINE: Final = 1 << 20
# `max_tokens` is a request; an endpoint that ignores it must not fill our memory, Redis and the database. The largest
# that a release may ask for is 32,000 tokens, of some four characters each.
LONGEST_ANSWER: Final = 1_000_000  # characters
MOST_CALLS: Final = 64
_LONGEST_NAME: Final = 128  # of a tool and of a call's id
_REASONS: Final = re.compile(r"o\d|gpt-5")
_MOST_TOKENS: Final = 2**31 - 1  # that a PostgreSQL integer holds


class StreamBroken(Exception):
    """What came is no answer, or not the whole of one."""


async def stream_chat(
    endpoint: Endpoint,
    choice: ModelChoice,
    *,
    messages: Sequence[ChatMessage],
    tools: Sequence[ToolOffer] = (),
    tool_choice: ToolChoice = "auto",
) -> AsyncGenerator[str | ToolCall | TokenCounts]:
    """The pieces of an answer, its counts where the provider gives any, and when it is whole its tool calls.

    Raises:
        StreamBroken: the stream ended before the answer did, or holds something else.
        openai.APIError: the request was refused or could not be made.
    """
    from openai import AsyncStream
    from openai.types.chat import ChatCompletionChunk

    # `post` and not `chat.completions.create`, which walks through every message to check what the types say already.
    stream = await client_of(endpoint).post(
        "/chat/completions",
        cast_to=ChatCompletionChunk,
        body=_body(endpoint.provider, choice, messages, tools, tool_choice),
        stream=True,
        stream_cls=AsyncStream[ChatCompletionChunk],
    )
    try:
        finished = False
        written = 0
        calls = CallsInPieces()
        async with aclosing(_data_of(stream)) as lines:
            async for line in lines:
                if line == b"[DONE]":
                    break
                chunk = _chunk_of(line)
                for part in chunk.get("choices") or ():
                    finished = finished or bool(part.get("finish_reason"))
                    delta = part.get("delta") or {}
                    if piece := clean(delta.get("content")):
                        written += len(piece)
                        if written > LONGEST_ANSWER:
                            raise StreamBroken("the answer has no end")
                        yield piece
                    if wanted := delta.get("tool_calls"):
                        calls.take(wanted)
                if counts := chunk.get("usage"):
                    yield _counts(counts)
        if not finished:
            raise StreamBroken("the stream ended without a finish_reason")
        for call in calls.whole():
            yield call
    finally:
        await stream.response.aclose()


def _body(
    provider: str,
    choice: ModelChoice,
    messages: Sequence[ChatMessage],
    tools: Sequence[ToolOffer],
    tool_choice: ToolChoice,
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": choice.model,
        "messages": [_message(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    # OpenAI itself has renamed the one, and its models that reason take the other at its default alone.
    body["max_completion_tokens" if provider == "openai" else "max_tokens"] = choice.max_tokens
    if not (provider == "openai" and _REASONS.match(choice.model)):
        body["temperature"] = choice.temperature
    if tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
            }
            for tool in tools
        ]
        if tool_choice != "auto":  # the default, which some servers don't know by name
            body["tool_choice"] = tool_choice
    return body


def _message(message: ChatMessage) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.images:
        told["content"] = [*_pictures(message.images), {"type": "text", "text": message.text}]
    if message.role == "tool":
        told["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        told["content"] = message.text or None
        told["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
            }
            for call in message.tool_calls
        ]
    return told


def _pictures(images: Sequence[LabelledImage]) -> Iterator[dict[str, Any]]:
    """Each after its label, as data in its address: no server has to fetch anything from us."""
    for image in images:
        address = f"data:{MEDIA_TYPE};base64,{base64.b64encode(image.jpeg).decode()}"
        yield {"type": "text", "text": image.label}
        yield {"type": "image_url", "image_url": {"url": address}}


class CallsInPieces:
    """Tool calls whose arguments come a few characters at a time."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[str, str]] = {}
        self._written = 0

    def take(self, pieces: Any) -> None:
        """Add what a chunk brings. Raises `StreamBroken` where that is no tool call."""
        if not isinstance(pieces, list):
            raise StreamBroken("the tool calls are no list")
        for piece in pieces:
            function = piece.get("function") if isinstance(piece, dict) else None
            if not isinstance(function, dict):
                raise StreamBroken("a tool call has no function")
            call = self._parts.setdefault(self._place_of(piece), {"id": "", "name": "", "arguments": ""})
            if len(self._parts) > MOST_CALLS:
                raise StreamBroken("the tool calls have no end")
            call["id"] = call["id"] or clean(piece.get("id"))
            call["name"] = call["name"] or clean(function.get("name"))
            arguments = function.get("arguments")
            # Some servers send the whole of them, as an object.
            text = json.dumps(arguments) if isinstance(arguments, dict) else clean(arguments)
            self._written += len(text)
            if self._written > LONGEST_ANSWER:
                raise StreamBroken("the arguments have no end")
            call["arguments"] += text

    def whole(self) -> list[ToolCall]:
        """All calls. Raises `StreamBroken` where one is not whole."""
        return [
            tool_call(call["id"], call["name"], call["arguments"], number)
            for number, (_, call) in enumerate(sorted(self._parts.items()))
        ]

    def _place_of(self, piece: dict[str, Any]) -> int:
        """Which call a piece belongs to; a server that doesn't number them sends each as a whole."""
        index = piece.get("index")
        return index if isinstance(index, int) else len(self._parts)


def tool_call(identity: str, name: str, arguments: str | dict[str, Any], number: int) -> ToolCall:
    """A tool call whose arguments are an object.

    Args:
        number: of the call within the answer; names it where the model gave no id.

    Raises:
        StreamBroken: it isn't one.
    """
    if not name or len(name) > _LONGEST_NAME or len(identity) > _LONGEST_NAME:
        raise StreamBroken("a tool call has no name, or too long a one")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}", parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise StreamBroken("the arguments of a tool call are no JSON") from None
    if not isinstance(arguments, dict):
        raise StreamBroken("the arguments of a tool call are no object")
    return ToolCall(identity or f"call_{number}", name, _clean_values(arguments))


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and infinities are no JSON, and PostgreSQL takes none of them


def _clean_values(value: Any) -> Any:
    """JSON whose texts any store takes."""
    match value:
        case str():
            return clean(value)
        case list():
            return [_clean_values(one) for one in value]
        case dict():
            return {clean(name): _clean_values(one) for name, one in value.items()}
    return value


async def _data_of(stream: AsyncStream[ChatCompletionChunk]) -> AsyncGenerator[bytes]:
    """The `data:` of each server-sent event (WHATWG HTML, "Server-sent events"; OpenAI's have one line each)."""
    begun = b""
    async for piece in stream.response.aiter_bytes():
        *lines, begun = (begun + piece).split(b"\n")
        if len(begun) > _LONGEST_LINE:
            raise StreamBroken("a line of the stream has no end")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


def clean(content: object) -> str:
    """A piece of the answer as Redis, PostgreSQL and a browser can hold it: JSON may carry NUL characters and halves
    of surrogate pairs, which none of them takes.
    """
    if content is None:
        return ""
    if not isinstance(content, str):
        raise StreamBroken("a piece of the answer is no text")
    if content.isascii():
        return content.replace("\x00", "") if "\x00" in content else content
    return content.replace("\x00", "").encode("utf-8", "replace").decode()


def _counts(usage: Any) -> TokenCounts:
    if not isinstance(usage, dict):
        raise StreamBroken("the usage is no object")
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return TokenCounts(count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")), count(cached))


def count(value: Any) -> int:
    """Tokens, as a ledger can hold them."""
    return min(max(int(value or 0), 0), _MOST_TOKENS)


def _chunk_of(line: bytes) -> dict[str, Any]:
    try:
        chunk = json.loads(line)
    except ValueError:
        raise StreamBroken("a line of the stream is no JSON") from None
    if not isinstance(chunk, dict) or "error" in chunk:
        raise StreamBroken("the stream holds an error")
    return chunk
