"""A request of OpenAI's chat completions, read and judged: what is understood, ignored, or refused in clear words."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.conf import settings
from ninja import Schema
from pydantic import ConfigDict, Field

from agents.engine.gateway import Role
from switchboard.kernel.problems import Invalid
from switchboard.kernel.text import check_text

_MOST_MESSAGES: Final = 1000


class Refused(Invalid):
    """Something that is asked for and can't be had. `field` names it."""

    def __init__(self, code: str, detail: str, *, field: str) -> None:
        super().__init__(code, detail, field=field)
        self.status = 400


class MessagePart(Schema):
    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`text`. Images, sound and files are refused.")
    text: str | None = None


class RequestMessage(Schema):
    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = Field(
        description="`system` and `developer` are taken and not used: an agent's release says what it is told."
    )
    content: str | list[MessagePart] | None = None


class StreamOptions(Schema):
    model_config = ConfigDict(extra="allow")

    include_usage: bool = False


class CompletionRequest(Schema):
    """As OpenAI's. What the release settles, such as `temperature` and `max_tokens`, is taken and not used."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(min_length=1, max_length=120, description="An agent's slug, as `/v1/models` lists it.")
    messages: list[RequestMessage] = Field(
        min_length=1, max_length=_MOST_MESSAGES, description="The last one is the question, of the role `user`."
    )
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: str | None = Field(default=None, max_length=200, description="Who talks, by your own name for them.")
    metadata: dict[str, Any] | None = Field(
        default=None, description="`conversation_id` goes on with that conversation."
    )
    n: int | None = 1
    tools: list[dict[str, Any]] | None = None
    functions: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    function_call: Any = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stop: str | list[str] | None = None
    modalities: list[str] | None = None
    audio: Any = None
    response_format: Any = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request comes to.

    Args:
        history: what was said before, oldest first.
        conversation_id: the conversation to go on with, where the request names one.
    """

    model: str
    question: str
    history: tuple[tuple[Role, str], ...]
    contact: str
    conversation_id: uuid.UUID | None
    streams: bool
    tells_usage: bool


def read(body: CompletionRequest, *, conversation_header: str | None) -> Asked:
    """What a request asks.

    Raises:
        Refused: 400, for what can't be had.
        Problem: 413, a question that is too long.
    """
    _refuse_what_cant_be_had(body)
    last = body.messages[-1]
    if last.role != "user":
        raise Refused("last_message_not_user", "The last message must be the user's.", field="messages")
    question = check_text(_text(last, len(body.messages) - 1), field="messages", max_bytes=settings.MESSAGE_LIMIT_BYTES)
    options = body.stream_options
    return Asked(
        model=body.model,
        question=question,
        history=tuple(_history(body.messages[:-1])),
        contact=check_text(body.user, field="user", max_bytes=800) if body.user else "",
        conversation_id=_conversation(conversation_header, body.metadata or {}),
        streams=bool(body.stream),
        tells_usage=bool(options and options.include_usage),
    )


def _refuse_what_cant_be_had(body: CompletionRequest) -> None:
    told = "Agents use the tools of their release; tools of the caller's are not taken."
    if body.tools or body.functions:
        raise Refused("tools_not_supported", told, field="tools" if body.tools else "functions")
    if body.tool_choice not in (None, "none", "auto") or body.function_call not in (None, "none", "auto"):
        raise Refused("tools_not_supported", told, field="tool_choice")
    if body.n not in (None, 1):
        raise Refused("n_not_supported", "There is one answer to a request: n must be 1.", field="n")
    if body.logprobs or body.top_logprobs:
        raise Refused("logprobs_not_supported", "Probabilities of tokens are not told.", field="logprobs")
    if body.stop:
        raise Refused("stop_not_supported", "An answer can't be stopped at a sequence.", field="stop")
    if body.audio or set(body.modalities or ["text"]) != {"text"}:
        raise Refused("modality_not_supported", "Answers are text.", field="modalities")
    wanted = body.response_format
    if wanted and not (isinstance(wanted, dict) and wanted.get("type", "text") == "text"):
        raise Refused("response_format_not_supported", "Answers are plain text.", field="response_format")


def _history(messages: Sequence[RequestMessage]) -> list[tuple[Role, str]]:
    said: list[tuple[Role, str]] = []
    for place, message in enumerate(messages):
        if message.role in ("tool", "function"):
            raise Refused(
                "tools_not_supported", "Results of the caller's tools are not taken.", field=f"messages.{place}.role"
            )
        if message.role in ("system", "developer"):
            _text(message, place)
            continue
        text = _text(message, place)
        if text.strip():
            field = f"messages.{place}.content"
            text = check_text(text, field=field, max_bytes=8 * settings.MESSAGE_LIMIT_BYTES)
            said.append(("contact" if message.role == "user" else "agent", text))
    return said


def _text(message: RequestMessage, place: int) -> str:
    """The words of a message. Raises `Refused` for what is no text."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for part in message.content:
        if part.type in ("image_url", "input_image", "image"):
            raise Refused("images_not_supported", "Images are not looked at yet.", field=f"messages.{place}.content")
        if part.type not in ("text", "input_text", "output_text", "refusal"):
            raise Refused(
                "content_not_supported", "Only parts of the type text are taken.", field=f"messages.{place}.content"
            )
    return "\n".join(part.text or "" for part in message.content)


def _conversation(header: str | None, metadata: dict[str, Any]) -> uuid.UUID | None:
    wanted = header or metadata.get("conversation_id")
    if not wanted:
        return None
    try:
        return uuid.UUID(str(wanted))
    except ValueError:
        raise Refused(
            "invalid_conversation_id", "X-Conversation-Id is the id of a conversation.", field="conversation_id"
        ) from None
