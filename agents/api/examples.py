"""One plausible content of each registry: shown in the OpenAPI document, where people and programs learn from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.content.agent import ProfileContent
from agents.content.base import Content
from agents.content.personality import PersonalityContent
from agents.content.prompt import PromptContent
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent

EXAMPLES: Final[Mapping[type[Content], Mapping[str, Any]]] = {
    PromptContent: {
        "template": "You answer the guests of {{ hotel }}. Today is {{ today }}. Say so when you don't know.",
        "variables": [{"name": "hotel", "description": "As guests know it."}],
    },
    ToolContent: {
        "kind": "http",
        "description": "Says whether a room is free on a date.",
        "input_schema": {
            "type": "object",
            "properties": {"date": {"type": "string", "format": "date"}},
            "required": ["date"],
            "additionalProperties": False,
        },
        "handler": "https://hotel.example.com/rooms/free",
        "timeout_seconds": 5,
    },
    PersonalityContent: {
        "instructions": "You are calm and brief, and never make a promise for others.",
        "tone": "warm",
        "languages": ["en", "de"],
    },
    RuntimeContent: {
        "llm": {"endpoint": "", "model": "local"},
        "welcome_message": "Welcome. What may I look up for you?",
        "stt": {"endpoint": "", "language": "en"},
        "tts": {"endpoint": "", "language": "en"},
        "languages": ["en", "de"],
    },
    ProfileContent: {
        "kind": "domain",
        "description": "Answers guests' questions about the house.",
        "suggested_questions": ["When is breakfast?"],
    },
}
