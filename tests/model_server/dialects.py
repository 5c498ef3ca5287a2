"""The protocols that the stub speaks: how each is asked, and how it streams an answer.

OpenAI: platform.openai.com/docs/api-reference/chat-streaming. Anthropic: docs.anthropic.com/en/api/messages-streaming.
Google: ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, with `alt=sse`.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from tests.model_server.answers import error_body, text_of
from tests.model_server.pictures import is_picture

Messages = list[dict[str, Any]]


class Script(Protocol):
    """The words of one streamed answer."""

    def begin(self) -> str: ...
    def token(self, text: str) -> str: ...
    def call(self, number: int, name: str, arguments: str) -> str: ...
    def end(self, sent: int, *, has_calls: bool) -> str: ...


class Dialect:
    """OpenAI's protocol; the others change what differs."""

    key_header = "authorization"

    def asked(self, request: dict[str, Any]) -> tuple[str, Messages]:
        """The model, and the messages as OpenAI has them."""
        return str(request["model"]), list(request["messages"])

    def streams(self, request: dict[str, Any]) -> bool:
        """Whether a streamed answer is wanted."""
        return bool(request.get("stream"))

    def tools(self, request: dict[str, Any]) -> list[Any]:
        """The tools that are offered, as OpenAI has them."""
        return list(request.get("tools") or ())

    def counts(self, request: dict[str, Any]) -> bool:
        """Whether the client asks for the tokens to be counted."""
        return bool((request.get("stream_options") or {}).get("include_usage"))

    def error(self, status: int) -> dict[str, Any]:
        """The body of an error."""
        return error_body(status)

    def script(self, model: str, asked: int, *, with_usage: bool) -> Script:
        """The words of one answer."""
        return _OpenAI(model, asked, with_usage)


class _OpenAI:
    def __init__(self, model: str, asked: int, with_usage: bool) -> None:
        self._asked = asked
        self._with_usage = with_usage
        common = {"id": "chatcmpl-stub", "object": "chat.completion.chunk", "created": 0, "model": model}
        self._common = json.dumps(common)[:-1]
        # The middle of a token's chunk is all that changes.
        self._before = f'data: {self._common}, "choices": [{{"index": 0, "delta": {{"content": '
        self._after = '}, "finish_reason": null}]}\n\n'

    def begin(self) -> str:
        return self._choice('{"role": "assistant", "content": ""}')

    def token(self, text: str) -> str:
        return f"{self._before}{json.dumps(text)}{self._after}"

    def call(self, number: int, name: str, arguments: str) -> str:
        """A tool call, its arguments a few characters at a time."""
        told = [call_of(number, name, ""), *({"function": {"arguments": piece}} for piece in _fives(arguments))]
        return "".join(self._choice(json.dumps({"tool_calls": [{"index": number, **one}]})) for one in told)

    def end(self, sent: int, *, has_calls: bool) -> str:
        last = self._choice("{}", '"tool_calls"' if has_calls else '"stop"')
        if self._with_usage:
            last += f'data: {self._common}, "choices": [], "usage": {json.dumps(usage_of(self._asked, sent))}}}\n\n'
        return f"{last}data: [DONE]\n\n"

    def _choice(self, delta: str, reason: str = "null") -> str:
        choice = f'{{"index": 0, "delta": {delta}, "finish_reason": {reason}}}'
        return f'data: {self._common}, "choices": [{choice}]}}\n\n'


class _AnthropicDialect(Dialect):
    key_header = "x-api-key"

    def asked(self, request: dict[str, Any]) -> tuple[str, Messages]:
        system = text_of(request.get("system"))
        told = [{"role": one["role"], "content": _blocks(one["content"])} for one in request["messages"]]
        return str(request["model"]), [{"role": "system", "content": system}, *told]

    def tools(self, request: dict[str, Any]) -> list[Any]:
        offered = request.get("tools") or ()
        return [{"type": "function", "function": {**one, "parameters": one.get("input_schema")}} for one in offered]

    def counts(self, request: dict[str, Any]) -> bool:
        return True

    def error(self, status: int) -> dict[str, Any]:
        kinds = {
            401: "authentication_error",
            404: "not_found_error",
            429: "rate_limit_error",
            400: "invalid_request_error",
        }
        return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": "sk-test is quoted"}}

    def script(self, model: str, asked: int, *, with_usage: bool) -> Script:
        return _Anthropic(model, asked, with_usage)


class _Anthropic:
    def __init__(self, model: str, asked: int, with_usage: bool) -> None:
        self._model = model
        self._asked = asked if with_usage else 0
        self._with_usage = with_usage
        self._has_text = False

    def begin(self) -> str:
        usage = {"input_tokens": self._asked, "output_tokens": 1 if self._with_usage else 0}
        message = {"id": "msg_stub", "type": "message", "role": "assistant", "model": self._model, "content": []}
        told = {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}
        return _event("message_start", message=told) + _event("ping")

    def token(self, text: str) -> str:
        begun = "" if self._has_text else _event("content_block_start", index=0, content_block=_TEXT)
        self._has_text = True
        return begun + _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def call(self, number: int, name: str, arguments: str) -> str:
        told = self._end_of_text()
        block = {"type": "tool_use", "id": f"toolu_stub_{number}", "name": name, "input": {}}
        told += _event("content_block_start", index=number + 1, content_block=block)
        for piece in _fives(arguments):
            delta = {"type": "input_json_delta", "partial_json": piece}
            told += _event("content_block_delta", index=number + 1, delta=delta)
        return told + _event("content_block_stop", index=number + 1)

    def end(self, sent: int, *, has_calls: bool) -> str:
        delta = {"stop_reason": "tool_use" if has_calls else "end_turn", "stop_sequence": None}
        usage = {"output_tokens": sent if self._with_usage else 0}
        return self._end_of_text() + _event("message_delta", delta=delta, usage=usage) + _event("message_stop")

    def _end_of_text(self) -> str:
        had, self._has_text = self._has_text, False
        return _event("content_block_stop", index=0) if had else ""


class _GoogleDialect(Dialect):
    key_header = "x-goog-api-key"

    def __init__(self, model: str, method: str) -> None:
        self._model = model
        self._method = method

    def asked(self, request: dict[str, Any]) -> tuple[str, Messages]:
        system = _parts((request.get("systemInstruction") or {}).get("parts"))
        told = [
            {"role": "assistant" if one.get("role") == "model" else "user", "content": _parts(one["parts"])}
            for one in request["contents"]
        ]
        return self._model, [{"role": "system", "content": system}, *told]

    def tools(self, request: dict[str, Any]) -> list[Any]:
        offered = [one for tool in request.get("tools") or () for one in tool.get("functionDeclarations") or ()]
        return [{"type": "function", "function": one} for one in offered]

    def streams(self, request: dict[str, Any]) -> bool:
        return self._method == "streamGenerateContent"

    def counts(self, request: dict[str, Any]) -> bool:
        return True

    def error(self, status: int) -> dict[str, Any]:
        kinds = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 400: "INVALID_ARGUMENT"}
        return {"error": {"code": status, "message": "sk-test is quoted", "status": kinds.get(status, "INTERNAL")}}

    def script(self, model: str, asked: int, *, with_usage: bool) -> Script:
        return _Google(model, asked, with_usage)


class _Google:
    def __init__(self, model: str, asked: int, with_usage: bool) -> None:
        self._model = model
        self._asked = asked
        self._with_usage = with_usage

    def begin(self) -> str:
        return ""

    def token(self, text: str) -> str:
        return self._chunk([{"text": text}])

    def call(self, number: int, name: str, arguments: str) -> str:
        return self._chunk([{"functionCall": {"name": name, "args": json.loads(arguments or "{}")}}])

    def end(self, sent: int, *, has_calls: bool) -> str:
        usage = {"promptTokenCount": self._asked, "candidatesTokenCount": sent, "totalTokenCount": self._asked + sent}
        return self._chunk([{"text": ""}], finishReason="STOP", usage=usage if self._with_usage else {})

    def _chunk(self, parts: list[dict[str, Any]], *, usage: dict[str, int] | None = None, **more: Any) -> str:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **more}
        told: dict[str, Any] = {"candidates": [candidate], "modelVersion": self._model, "responseId": "stub"}
        if usage:
            told["usageMetadata"] = usage
        return f"data: {json.dumps(told)}\r\n\r\n"


_TEXT = {"type": "text", "text": ""}
_OPENAI = Dialect()
_ANTHROPIC = _AnthropicDialect()
DIALECTS = (_OPENAI, _ANTHROPIC, _GoogleDialect("", ""))


def dialect_of(path: str) -> Dialect | None:
    """The protocol that is spoken at a path."""
    if path == "/v1/chat/completions":
        return _OPENAI
    if path == "/v1/messages":
        return _ANTHROPIC
    if path.startswith("/v1beta/models/") and ":" in path:
        model, _, method = path.removeprefix("/v1beta/models/").rpartition(":")
        return _GoogleDialect(model, method)
    return None


def call_of(number: int, name: str, arguments: str) -> dict[str, Any]:
    """A tool call as OpenAI gives it."""
    return {"id": f"call_stub_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def usage_of(asked: int, answered: int) -> dict[str, int]:
    """Token counts as OpenAI gives them."""
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _event(kind: str, **data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"


def _fives(text: str) -> list[str]:
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def _blocks(content: Any) -> str:
    """The words of an Anthropic message; what is no text as JSON."""
    if isinstance(content, str):
        return content
    return "\n".join(
        block["text"] if block.get("type") == "text" else json.dumps(block)
        for block in content
        if not is_picture(block)
    )


def _parts(parts: Any) -> str:
    """The same of a Google one."""
    return "\n".join(
        part["text"] if "text" in part else json.dumps(part) for part in parts or () if not is_picture(part)
    )
