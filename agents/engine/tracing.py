"""The steps of a turn, noted as they are taken."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.domain.traces import keep_trace, steps_of
from agents.engine.request import TurnRequest
from switchboard.kernel.database import in_database

# A trace is for people to read: what a prompt repeats of long documents is cut.
LONGEST_TEXT: Final = 20_000  # characters
MOST_STEPS: Final = 60


@dataclass(slots=True)
class Trace:
    """Notes a turn's steps; `checkpoint` saves them, so that a process that takes over finds what was settled.

    Attributes:
        steps: the request's own; each with `kind`, `agent`, `at_ms` since the turn began, `took_ms`, and what its kind
            tells.
    """

    conversation_id: uuid.UUID
    turn_id: uuid.UUID
    release_id: uuid.UUID
    contact: str
    steps: list[dict[str, Any]]
    is_saved: bool = True
    settled: dict[str, dict[str, Any]] = field(default_factory=dict)
    _begun: float = field(default_factory=time.monotonic)

    @classmethod
    async def begin(cls, request: TurnRequest) -> Trace:
        """A turn's trace; where another process began the turn, with what that one has settled."""
        # Nobody takes a rehearsal over.
        saved = not request.is_rehearsal
        trace = cls(request.conversation_id, request.turn_id, request.release.id, request.contact, request.steps, saved)
        if request.attempt > 1:
            earlier = await in_database(steps_of, turn_id=request.turn_id)
            before = request.attempt - 1
            trace.steps[:] = [{**step, "attempt": before} if "attempt" not in step else step for step in earlier]
            trace.settled = {step["settles"]: step for step in earlier if step.get("settles")}
        return trace

    def note(self, kind: str, *, agent: str = "", since: float | None = None, **told: Any) -> dict[str, Any]:
        """Note a step.

        Args:
            kind: such as `retrieve`, `route`, `model`, `tool`.
            agent: the slug of whoever took it.
            since: `time.monotonic()` when it was begun; None: it took no time.
            told: what there is to know of it, as JSON. `settles="name"` lets whoever takes over skip it.
        """
        now = time.monotonic()
        step = {
            "kind": kind,
            "agent": agent,
            "at_ms": round(((since or now) - self._begun) * 1000, 1),
            "took_ms": round((now - since) * 1000, 1) if since is not None else 0,
        }
        tell(step, **told)
        if len(self.steps) < MOST_STEPS:
            self.steps.append(step)
        return step

    async def checkpoint(self) -> None:
        """Save what was noted so far."""
        if not self.is_saved:
            return
        await in_database(
            keep_trace,
            turn_id=self.turn_id,
            conversation_id=self.conversation_id,
            release_id=self.release_id,
            contact=self.contact,
            steps=self.steps,
        )


def tell(step: dict[str, Any], **told: Any) -> None:
    """Add to a step what is known of it only later."""
    step.update({name: _cut(value) for name, value in told.items()})


def _cut(value: Any) -> Any:
    """A value as PostgreSQL takes and a page shows it: no NUL, no half characters, nothing endless."""
    if isinstance(value, str):
        text = value[:LONGEST_TEXT].replace("\x00", "")
        return text if text.isascii() else text.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_cut(str(name)): _cut(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(inner) for inner in value]
    return value
