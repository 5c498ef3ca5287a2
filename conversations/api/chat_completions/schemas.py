"""What OpenAI's chat completions answer, with our extensions."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Schema
from pydantic import Field


class ErrorTold(Schema):
    message: str
    type: str
    param: str | None = None
    code: str | None = Field(default=None, description="Stable; programs match on it.")


class ErrorAnswer(Schema):
    """An error as OpenAI words it."""

    error: ErrorTold


class ListedModel(Schema):
    """A live agent."""

    id: str = Field(description="The agent's slug.")
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970.")
    owned_by: str
    name: str = Field(description="The agent's name, for people.")


class ModelList(Schema):
    object: Literal["list"] = "list"
    data: list[ListedModel]


class AssistantMessage(Schema):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = None


class CompletionChoice(Schema):
    index: int
    message: AssistantMessage
    logprobs: None = None
    finish_reason: Literal["stop", "length", "content_filter"]


class TokensUsed(Schema):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]


class ChatCompletion(Schema):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: str | None = None
    choices: list[CompletionChoice]
    usage: TokensUsed
    citations: list[dict[str, Any]] = Field(description="An extension: what each `[1]` in the answer points at.")
    conversation_id: str = Field(description="An extension: for X-Conversation-Id of the next request.")
