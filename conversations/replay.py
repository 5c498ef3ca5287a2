"""How a turn came to its answer, as it is read afterwards: its steps in time, what was sent, and what it cost."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from agents.domain.traces import steps_of
from agents.models import Release
from billing.models import UsageEvent
from conversations.models import Message, Turn

MOST_RELEASES: Final = 50
_WIDTH: Final = 1000  # of the picture, in its own units
_LEAST_WIDTH: Final = 3
ROW_HEIGHT: Final = 18
_TITLES: Final = {
    "retrieve": "Searched the documents",
    "route": "Routed",
    "model": "Asked a model",
    "tool": "Called a tool",
    "ask": "Asked the contact",
    "extract": "Read values out of the message",
    "confirmed": "The contact confirmed",
    "refused": "Refused",
    "failed": "Failed",
}
_SHOWN_APART: Final = frozenset({"kind", "agent", "at_ms", "took_ms", "prompt", "answer", "settles", "attempt"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a turn.

    Args:
        at: where its bar begins in the picture, in thousandths of the turn.
        width: of its bar.
        y: how far down its bar is.
        prompt: the messages as a model was sent them.
        details: what else was noted: names, and values as text.
        is_bad: it failed, or refused something.
    """

    title: str
    agent: str
    at_ms: float
    took_ms: float
    at: float
    width: float
    y: int
    prompt: list[dict[str, Any]]
    answer: str
    details: list[tuple[str, str]]
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """A turn as its page tells it."""

    question: str
    answer: str
    release: Release | None
    steps: list[Step]
    total_ms: float
    usages: list[UsageEvent]
    cost_usd: Decimal | None


def read_replay(turn: Turn) -> Replay:
    """What is known of how a turn went. Four queries."""
    texts = dict(Message.objects.filter(turn=turn).order_by("id").values_list("role", "text"))
    usages = list(UsageEvent.objects.filter(turn_id=turn.pk).order_by("id"))
    costs = [used.cost_usd for used in usages if used.cost_usd is not None]
    steps, total = timeline(steps_of(turn_id=turn.pk))
    return Replay(
        question=texts.get(Message.Role.CONTACT, ""),
        answer=texts.get(Message.Role.AGENT, ""),
        release=Release.objects.select_related("agent").filter(pk=turn.release_id).first() if turn.release_id else None,
        steps=steps,
        total_ms=total,
        usages=usages,
        cost_usd=sum(costs, Decimal(0)) if costs else None,
    )


def releases_for(agent_id: uuid.UUID) -> list[Release]:
    """The releases that a turn may be run on again, newest first."""
    return list(Release.objects.filter(agent_id=agent_id).select_related("agent").order_by("-number")[:MOST_RELEASES])


def timeline(noted: Sequence[dict[str, Any]]) -> tuple[list[Step], float]:
    """A trace's steps with their places in the picture, and how long all of them took, in milliseconds."""
    total = max((_number(step, "at_ms") + _number(step, "took_ms") for step in noted), default=0.0)
    return [_step(step, total or 1.0, row) for row, step in enumerate(noted)], total


def _step(noted: dict[str, Any], total: float, row: int) -> Step:
    at, took = _number(noted, "at_ms"), _number(noted, "took_ms")
    kind, agent = str(noted.get("kind", "")), str(noted.get("agent", ""))
    prompt = noted.get("prompt")
    width = max(took / total * _WIDTH, _LEAST_WIDTH)
    return Step(
        title=_TITLES.get(kind, kind.capitalize()) + (f": {noted['tool']}" if noted.get("tool") else ""),
        agent=agent,
        at_ms=at,
        took_ms=took,
        at=round(min(at / total * _WIDTH, _WIDTH - width), 1),
        width=round(width, 1),
        y=row * ROW_HEIGHT,
        prompt=[one for one in prompt if isinstance(one, dict)] if isinstance(prompt, list) else [],
        answer=str(noted.get("answer") or ""),
        details=[(name.replace("_", " "), _text(value)) for name, value in noted.items() if _is_told(name, value)],
        is_bad=kind in {"failed", "refused"} or bool(noted.get("error")) or noted.get("ok") is False,
    )


def _is_told(name: str, value: Any) -> bool:
    return name not in _SHOWN_APART and value not in ("", None, [], {})


def _number(noted: dict[str, Any], name: str) -> float:
    value = noted.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
