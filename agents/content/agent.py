"""Profiles: what an agent is, to people who choose one and to a supervisor that routes to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agents.content.base import Content, Fault, Line, Text

MOST_QUESTIONS = 8
Question = Annotated[str, Field(min_length=1, max_length=200)]


class ProfileContent(Content):
    """The versioned part of an agent itself."""

    kind: Literal["domain", "supervisor"] = "domain"
    description: Text = Field(default="", description="What it is for; a supervisor routes by it.")
    examples: tuple[Line, ...] = Field(default=(), max_length=50, description="Messages it should be given.")
    suggested_questions: tuple[Question, ...] = Field(default=(), max_length=MOST_QUESTIONS)

    def faults(self) -> list[Fault]:
        return []
