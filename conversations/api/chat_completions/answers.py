"""A turn's events as OpenAI's chat completion, whole or in chunks."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from conversations.api.sse import KEEPALIVE
from conversations.events.record import DONE, Record
from switchboard.kernel.problems import Problem, openai_error

# By the code of an `error` event; what isn't here is the model's fault.
_STATUS: Final = {
    "embeddings_unavailable": 503,
    "internal_error": 500,
    "model_overloaded": 503,
    "model_timeout": 504,
    "rate_limited": 429,
    "turn_interrupted": 503,
}
# What a guard held back or put in an answer's place.
_FILTERED: Final = frozenset({"refusal", "guard", "blocked"})


@dataclass(slots=True)
class Completion:
    """What a turn has come to so far.

    Args:
        longest: most tokens that the release lets an answer have; 0 where that isn't known.
    """

    model: str
    conversation_id: uuid.UUID
    turn_id: uuid.UUID
    longest: int = 0
    created: int = field(default_factory=lambda: int(time.time()))
    text: list[str] = field(default_factory=list)
    citations: list[dict[str, Any]] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    finish_reason: str = "stop"
    failure: Problem | None = None

    def take(self, record: Record) -> str:
        """Note an event; the words that it adds to the answer."""
        match record.kind:
            case "delta":
                self.text.append(record.data["text"])
                return self.text[-1]
            case "citation":
                self.citations.append({name: value for name, value in record.data.items() if name != "turn"})
            case "usage":
                self._take_usage(record.data)
            case "error":
                code = str(record.data["code"])
                self.failure = Problem(code, str(record.data["detail"]), status=_STATUS.get(code, 502))
            case kind if kind in _FILTERED:
                self.finish_reason = "content_filter"
        return ""

    def _take_usage(self, used: dict[str, Any]) -> None:
        if used.get("service", "llm") != "llm":
            return
        self.prompt_tokens += used["input_tokens"]
        self.completion_tokens += used["output_tokens"]
        self.cached_tokens += used.get("cached_tokens") or 0
        is_answer = used.get("purpose") in (None, "", "answer")
        if is_answer and self.longest and not used["is_estimated"] and used["output_tokens"] >= self.longest:
            self.finish_reason = "length"

    @property
    def answer(self) -> str:
        return "".join(self.text)

    @property
    def usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }

    def whole(self) -> dict[str, Any]:
        """The completion in one piece."""
        message = {"role": "assistant", "content": self.answer, "refusal": None}
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}],
            "usage": self.usage,
            "citations": self.citations,
            "conversation_id": str(self.conversation_id),
        }

    def chunk(self, delta: dict[str, Any], *, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
        """A chunk of the completion."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **more}

    def usage_chunk(self) -> dict[str, Any]:
        """The last chunk, where usage was asked for."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.turn_id.hex}",
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
        }


async def hear_out(completion: Completion, records: AsyncIterator[Record | None]) -> None:
    """Take a turn's events up to its end."""
    async for record in records:
        if record is not None:
            completion.take(record)


async def until_it_speaks(completion: Completion, records: AsyncIterator[Record | None]) -> tuple[list[str], bool]:
    """The first words of a turn, and whether it is over: so that one which fails before them is answered by a status
    that says so. Where it takes long, no words, for the headers have to go out.
    """
    async for record in records:
        if record is None:
            return [], False
        words = completion.take(record)
        if record.kind == DONE:
            return [], True
        if words:
            return [words], False
    return [], True


async def lines(
    completion: Completion,
    first: list[str],
    records: AsyncIterator[Record | None],
    *,
    tells_usage: bool,
) -> AsyncIterator[str]:
    """The completion as server-sent events, `[DONE]` last. A turn that fails midway ends with an error."""
    null = {"usage": None} if tells_usage else {}
    yield _line(completion.chunk({"role": "assistant", "content": "", "refusal": None}, **null))
    for words in first:
        yield _line(completion.chunk({"content": words}, **null))
    async for record in records:
        if record is None:
            yield KEEPALIVE
            continue
        if words := completion.take(record):
            yield _line(completion.chunk({"content": words}, **null))
    if completion.failure is not None:
        yield _line({"error": openai_error(completion.failure)})
        return
    citations = completion.citations
    yield _line(
        completion.chunk(
            {},
            finish_reason=completion.finish_reason,
            citations=citations,
            conversation_id=str(completion.conversation_id),
            **null,
        )
    )
    if tells_usage:
        yield _line(completion.usage_chunk())
    yield "data: [DONE]\n\n"


def _line(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n"
