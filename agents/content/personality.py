"""Personalities: how an agent speaks, whoever's prompt it follows."""

from __future__ import annotations

from pydantic import Field

from agents.content.base import Content, Fault, Line, Text
from agents.content.speech import LANGUAGE_TAG


class PersonalityContent(Content):
    """Instructions and manner that several agents can share."""

    instructions: Text = Field(min_length=1)
    tone: Line = ""
    capabilities: tuple[Line, ...] = Field(default=(), max_length=50, description="What it may say that it can do.")
    languages: tuple[Line, ...] = Field(default=(), max_length=30, description="BCP 47 tags; empty: any.")

    def faults(self) -> list[Fault]:
        return [
            Fault(f"languages.{index}", f"{tag} is no language tag such as en or de-AT.")
            for index, tag in enumerate(self.languages)
            if not LANGUAGE_TAG.fullmatch(tag)
        ]

    def as_instructions(self) -> str:
        """What a model is told of it."""
        lines = [self.instructions]
        if self.tone:
            lines.append(f"Tone: {self.tone}")
        if self.capabilities:
            lines.append("You can: " + "; ".join(self.capabilities))
        if self.languages:
            lines.append("Answer in these languages only: " + ", ".join(self.languages))
        return "\n".join(lines)
