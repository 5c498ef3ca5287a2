"""Test cases: what a contact says, turn by turn, and what is expected of the answers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from agents.content.base import Content, Fault, Part
from agents.content.patterns import LONGEST_PATTERN, check_pattern

MOST_TURNS: Final = 20
MOST_EXPECTED: Final = 20
LONGEST_SAID: Final = 8000

Words = Annotated[str, Field(min_length=1, max_length=2000)]
Named = Annotated[str, Field(min_length=1, max_length=200)]


class Contains(Part):
    """The answer says these words. Case and line breaks don't matter."""

    kind: Literal["contains"]
    text: Words


class NotContains(Part):
    """The answer doesn't say these words."""

    kind: Literal["not_contains"]
    text: Words


class Matches(Part):
    """The answer matches a pattern somewhere (Rust's regular expressions: no look-around, no backreferences)."""

    kind: Literal["matches"]
    pattern: str = Field(min_length=1, max_length=LONGEST_PATTERN)

    @field_validator("pattern")
    @classmethod
    def _runs(cls, pattern: str) -> str:
        return check_pattern(pattern)


class Cites(Part):
    """The answer cites a document."""

    kind: Literal["cites"]
    document: Named = Field(description="Its title, its filename or its id.")
    page: int | None = Field(default=None, ge=1, le=1_000_000, description="Left out: any page.")


class CallsTool(Part):
    """The agent calls a tool."""

    kind: Literal["calls_tool"]
    tool: Named = Field(description="The tool's slug.")
    arguments: dict[str, Any] | None = Field(default=None, description="Left out: whatever arguments.")
    exact: bool = Field(default=False, description="The arguments are these and no others.")


class RoutesTo(Part):
    """A supervisor hands the turn to an agent."""

    kind: Literal["routes_to"]
    agent: Named = Field(description="The agent's slug.")


class Judge(Part):
    """A judge model finds that the answer meets a rubric. Skipped where the release has no judge."""

    kind: Literal["judge"]
    rubric: Words = Field(description="What a good answer does, in words.")


Expectation = Annotated[
    Contains | NotContains | Matches | Cites | CallsTool | RoutesTo | Judge, Field(discriminator="kind")
]


class CaseTurn(Part):
    """One message of the contact's, and what is expected of its answer."""

    say: str = Field(min_length=1, max_length=LONGEST_SAID)
    expect: tuple[Expectation, ...] = Field(default=(), max_length=MOST_EXPECTED)


class CaseContent(Content):
    """A conversation that is held with a release to see whether it does what it should."""

    turns: tuple[CaseTurn, ...] = Field(max_length=MOST_TURNS)

    def faults(self) -> list[Fault]:
        if not any(turn.expect for turn in self.turns):
            return [Fault("turns", "Say what you expect of at least one answer.")]
        return []


def in_words(expectation: Expectation) -> str:
    """What is expected, as a sentence for whoever reads a result."""
    match expectation:
        case Contains(text=text):
            return f"says “{text}”"
        case NotContains(text=text):
            return f"doesn't say “{text}”"
        case Matches(pattern=pattern):
            return f"matches {pattern}"
        case Cites(document=document, page=page):
            return f"cites {document}" + (f", page {page}" if page else "")
        case CallsTool(tool=tool, arguments=arguments, exact=exact):
            if arguments is None:
                return f"calls the tool {tool}"
            return f"calls the tool {tool} with {'exactly ' if exact else ''}{_short(arguments)}"
        case RoutesTo(agent=agent):
            return f"is handed to {agent}"
        case Judge(rubric=rubric):
            return f"is judged to meet: {rubric}"


def _short(arguments: dict[str, Any]) -> str:
    text = json.dumps(arguments, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:299]}…"
