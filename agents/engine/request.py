"""What a turn starts from."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agents.engine.gateway import Role
from agents.engine.images import LabelledImage, Look
from agents.engine.meter import Meter
from agents.releases import ResolvedRelease
from switchboard.kernel.ids import uuid7


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What a turn starts from.

    Args:
        history: what was said before, oldest first.
        question: what the contact said now.
        contact: who talks, as the tenant names them; empty where nobody said.
        attempt: 1 the first time; more where another process began this turn and died.
        is_rehearsal: a test or a replay. Tools that change something only say what they would do.
        images: what the contact shows, oldest first; they go to the model with the question, and are kept nowhere.
        look: takes a look at what the contact shows, for a model that asks to; None where they show nothing, or where
            nobody can look.
        is_spoken: somebody listens to the answer, and to the silence before it.
        meter: knows, at any time, which calls of models haven't told yet what they used.
        steps: what was done so far, for whoever keeps the turn to keep with it (`agents.domain.traces`).
    """

    release: ResolvedRelease
    history: Sequence[tuple[Role, str]]
    question: str
    conversation_id: uuid.UUID = field(default_factory=uuid7)
    turn_id: uuid.UUID = field(default_factory=uuid7)
    contact: str = ""
    attempt: int = 1
    is_rehearsal: bool = False
    images: tuple[LabelledImage, ...] = ()
    look: Look | None = field(default=None, compare=False, repr=False)
    is_spoken: bool = False
    meter: Meter = field(default_factory=Meter)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def handed_to(self, release: ResolvedRelease, question: str) -> TurnRequest:
        """The part of it that another agent answers."""
        return replace(self, release=release, question=question)
