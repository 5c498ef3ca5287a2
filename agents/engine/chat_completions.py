"""OpenAI's streaming chat completions, read as they come.

The openai client makes the request (address, key, errors); the lines of the answer are decoded here. Its own decoding,
with a typed object for each token, costs more processor time than the rest of a turn (docs/adr/0007-model-access.md).
The protocol: platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

# A token's chunk has some hundred bytes; what sends a megabyte without a line's end is no model.
_LONGEST_LINE: Final = 1 << 20
# `max_tokens` is a request; an endpoint that ignores it must not fill our memory, Redis and the database. The largest
# that a release may ask for is 32,000 tokens, of some four characters each.
_LONGEST_ANSWER: Final = 1_000_000  # characters
_MOST_TOKENS: Final = 2**31 - 1  # that a PostgreSQL integer holds


class StreamBroken(Exception):
    """What came is no chat completion, or not the whole of one."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What the provider says an answer used, in tokens."""

    prompt: int
    completion: int


async def stream_chat(
    client: AsyncOpenAI,
    *,
    model: str,
    messages: list[ChatCompletionMessageParam],
    temperature: float,
    max_tokens: int,
) -> AsyncGenerator[str | TokenCounts]:
    """The pieces of an answer, and its counts where the provider gives any.

    Args:
        temperature: 0 to 2.
        max_tokens: most tokens of the answer.

    Raises:
        StreamBroken: the stream ended before the answer did, or holds something else.
        openai.APIError: the request was refused or could not be made.
    """
    body = {
        "model": model,
        "messages": messages,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    # `post` and not `chat.completions.create`, which walks through every message to check what the types say already.
    stream = await client.post(
        "/chat/completions",
        cast_to=ChatCompletionChunk,
        body=body,
        stream=True,
        stream_cls=AsyncStream[ChatCompletionChunk],
    )
    try:
        finished = False
        written = 0
        async with aclosing(_data_of(stream)) as lines:
            async for line in lines:
                if line == b"[DONE]":
                    break
                chunk = _chunk_of(line)
                for choice in chunk.get("choices") or ():
                    finished = finished or bool(choice.get("finish_reason"))
                    if piece := _text((choice.get("delta") or {}).get("content")):
                        written += len(piece)
                        if written > _LONGEST_ANSWER:
                            raise StreamBroken("the answer has no end")
                        yield piece
                if counts := chunk.get("usage"):
                    yield TokenCounts(_count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens")))
        if not finished:
            raise StreamBroken("the stream ended without a finish_reason")
    finally:
        await stream.response.aclose()


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


def _text(content: object) -> str:
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


def _count(value: Any) -> int:
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
