"""How long each answer of a session took, from when the contact was silent until they heard something."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from billing.models import UsageEvent
from conversations.models import Turn
from voice_worker import queries
from voice_worker.models import TimelineEntry

Kind = TimelineEntry.Kind


@dataclass(slots=True)
class Answer:
    """One turn of a session. Times are in milliseconds from the session's start; None where nobody noted them."""

    turn_id: uuid.UUID
    turn: Turn | None = None
    question: str = ""
    said: str = ""
    silent_at: int | None = None
    heard_at: int | None = None
    first_token_at: int | None = None
    first_audio_at: int | None = None
    is_interrupted: bool = False
    usages: list[UsageEvent] = field(default_factory=list)

    @property
    def cost_usd(self) -> Decimal | None:
        return queries.total_of(self.usages)

    @property
    def to_transcript(self) -> int | None:
        """From the end of speech until the ears had it, in milliseconds."""
        return _between(self.silent_at, self.heard_at)

    @property
    def to_first_token(self) -> int | None:
        """From then until the model's first word."""
        return _between(self.heard_at, self.first_token_at)

    @property
    def to_first_audio(self) -> int | None:
        """From then until the first sound."""
        return _between(self.first_token_at, self.first_audio_at)

    @property
    def total(self) -> int | None:
        """From the end of speech until the first sound."""
        return _between(self.silent_at, self.first_audio_at)


def answers_of(
    entries: Sequence[TimelineEntry],
    *,
    turns: Mapping[uuid.UUID, Turn] | None = None,
    usages: Sequence[UsageEvent] = (),
) -> list[Answer]:
    """The answers of a session, in the order they were asked for.

    Args:
        entries: in the order of time. What the contact said, and when they fell silent, belongs to the first answer
            that comes after it, whether or not whoever noted it knew of that.
    """
    found: dict[uuid.UUID, Answer] = {}
    silent_at: int | None = None
    heard: TimelineEntry | None = None
    for entry in sorted(entries, key=lambda one: (one.at_ms, one.pk)):
        if entry.kind == Kind.USER_SPEECH:
            silent_at = entry.until_ms
        elif entry.kind == Kind.TRANSCRIPT:
            heard = entry
        if entry.turn_id is None:
            continue
        answer = found.get(entry.turn_id)
        if answer is None:
            answer = found[entry.turn_id] = Answer(entry.turn_id)
        if heard is not None and answer.heard_at is None:
            answer.heard_at = heard.at_ms if heard.until_ms is None else heard.until_ms
            answer.question = str(_data(heard).get("text", ""))
            answer.silent_at, silent_at, heard = silent_at, None, None
        _note(answer, entry)
    for used in usages:
        if used.turn_id in found:
            found[used.turn_id].usages.append(used)
    for turn_id, answer in found.items():
        answer.turn = (turns or {}).get(turn_id)
    return list(found.values())


def median(answers: Sequence[Answer]) -> float | None:
    """Of the time until the first sound; None where it is known of none."""
    known = [answer.total for answer in answers if answer.total is not None]
    return statistics.median(known) if known else None


def _note(answer: Answer, entry: TimelineEntry) -> None:
    data = _data(entry)
    if entry.kind == Kind.LLM and answer.first_token_at is None:
        first = data.get("first_token_ms")
        answer.first_token_at = entry.at_ms + int(first) if isinstance(first, int | float) else None
    elif entry.kind == Kind.AGENT_SPEECH:
        if answer.first_audio_at is None:
            answer.first_audio_at = entry.at_ms
            # By the sound itself; the detector tells that somebody is silent only once they have been for a while.
            if isinstance(waited := data.get("e2e_latency_ms"), int | float):
                answer.silent_at = max(entry.at_ms - int(waited), 0)
        answer.said = " ".join(filter(None, (answer.said, str(data.get("text", "")))))
        answer.is_interrupted |= data.get("interrupted") is True


def _data(entry: TimelineEntry) -> dict[str, Any]:
    return entry.data if isinstance(entry.data, dict) else {}


def _between(start: int | None, end: int | None) -> int | None:
    # Ears that transcribe while somebody speaks may be done before they have fallen silent.
    return None if start is None or end is None else max(end - start, 0)
