"""What goes to a model and comes back from it, whatever protocol its provider speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.engine.images import LabelledImage
from billing.domain.usage import Usage

Role = Literal["contact", "agent"]
ToolChoice = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model wants a tool to be called. `id` is the model's, or ours where it gave none."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of what a model is sent.

    Args:
        tool_calls: of an assistant's message: what it called.
        tool_call_id: of a tool's message: which call `text` is the result of.
        images: of a contact's message: what it shows; each goes before the text, after its label.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    images: tuple[LabelledImage, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool that a model may call. `schema` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What the provider says a call used, in tokens. `cached` are among `prompt`."""

    prompt: int
    completion: int
    cached: int = 0


# Text as it comes, a whole tool call, and what each attempt used.
Piece = str | ToolCall | Usage


def conversation(instructions: str, history: Iterable[tuple[Role, str]], question: str) -> Sequence[ChatMessage]:
    """What was said, as messages."""
    said = (ChatMessage("user" if role == "contact" else "assistant", text) for role, text in history)
    return [ChatMessage("system", instructions), *said, ChatMessage("user", question)]
