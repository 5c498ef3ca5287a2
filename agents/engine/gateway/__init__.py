"""The one door to language models: a chain of them, deadlines, retries, and errors with a stable code.

`chat.stream_chat` streams an answer, `structured.complete_json` asks for one JSON object.
"""

from __future__ import annotations

from agents.engine.gateway.chat import stream_chat
from agents.engine.gateway.failures import ModelFailed
from agents.engine.gateway.messages import ChatMessage, Piece, Role, ToolCall, ToolOffer
from agents.engine.gateway.metering import estimate_tokens, estimate_usage, length_of
from agents.engine.gateway.structured import complete_json
from agents.engine.models import Deadlines

__all__ = [
    "ChatMessage",
    "Deadlines",
    "ModelFailed",
    "Piece",
    "Role",
    "ToolCall",
    "ToolOffer",
    "complete_json",
    "estimate_tokens",
    "estimate_usage",
    "length_of",
    "stream_chat",
]
