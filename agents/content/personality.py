"""Personalities: how an agent speaks, whoever's prompt it follows."""

from __future__ import annotations

import re

from pydantic import Field

from agents.content.base import Content, Fault, Line, Text

# The shape of RFC 5646 tags that people use: language, then script, region or variant.
_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


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
            if not _LANGUAGE_TAG.fullmatch(tag)
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
