"""What routing takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from billing.domain.usage import Usage

Kind = Literal["one", "several", "unclear", "none", "escalate"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent that may be given a message.

    Args:
        description: what it is for.
        examples: messages it should be given.
    """

    slug: str
    name: str
    description: str
    examples: Sequence[str] = ()

    @property
    def is_escalation(self) -> bool:
        """Whether it is the one that fetches a person: told by its slug, as in the templates."""
        return any(word in self.slug for word in ("escalat", "handoff", "human"))


@dataclass(frozen=True, slots=True)
class Part:
    """What of a message goes to which agent."""

    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes.

    Args:
        kind: `one` and `several` have a part for each agent; `unclear` has a question to ask back; `none` is small talk
            or nothing for anybody here; `escalate` wants a person, and has the part of the agent that sees to it if
            there is one.
        confidence: 0 to 1 where it was found without a model.
        by: `model` or `meaning`.
    """

    kind: Kind
    parts: tuple[Part, ...] = ()
    question: str = ""
    usages: tuple[Usage, ...] = ()
    confidence: float = 0.0
    by: Literal["model", "meaning"] = "meaning"
