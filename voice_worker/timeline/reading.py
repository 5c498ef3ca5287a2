"""A session with all that its page tells, in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils import timezone

from billing.models import UsageEvent
from voice_worker import queries
from voice_worker.models import TimelineEntry, VoiceSession
from voice_worker.timeline.answers import Answer, answers_of, median
from voice_worker.timeline.axis import Axis, axis_of

MOST_ENTRIES: Final = 4_000  # on one picture


@dataclass(frozen=True, slots=True)
class SessionRead:
    """A session as its page tells it.

    Args:
        beside: what it used that belongs to no one answer, such as hearing.
        version: changes when anything of it does.
        left_out: how many entries there are beyond `MOST_ENTRIES`.
    """

    session: VoiceSession
    axis: Axis
    answers: list[Answer]
    beside: list[UsageEvent]
    cost_usd: Decimal | None
    median_ms: float | None
    left_out: int
    version: str

    @property
    def is_live(self) -> bool:
        return self.session.status == VoiceSession.Status.LIVE


def version_of(session: VoiceSession) -> str:
    """What changes when a session or its time axis does. One query."""
    return _version(session, queries.entries_of(session.pk).count())


def _version(session: VoiceSession, count: int) -> str:
    # A time axis only ever grows.
    return f"{session.status}-{count}-{'recorded' if session.recording else ''}"


def read_session(session: VoiceSession) -> SessionRead:
    """All that is known of a session. Four queries."""
    rows = queries.entries_of(session.pk)
    count = rows.count()
    entries: list[TimelineEntry] = list(rows[:MOST_ENTRIES])
    turn_ids = {entry.turn_id for entry in entries if entry.turn_id is not None}
    usages = queries.usages_of(session, turn_ids)
    answers = answers_of(entries, turns=queries.turns_by_id(turn_ids), usages=usages)
    return SessionRead(
        session=session,
        axis=axis_of(entries, least_ms=length_ms(session)),
        answers=answers,
        beside=[used for used in usages if used.turn_id is None],
        cost_usd=queries.total_of(usages),
        median_ms=median(answers),
        left_out=max(count - MOST_ENTRIES, 0),
        version=_version(session, count),
    )


def length_ms(session: VoiceSession) -> int:
    """How long a session lasted, or lasts so far; 0 for one that nobody ended."""
    if session.ended_at is not None:
        end = session.ended_at
    elif session.status == VoiceSession.Status.LIVE:
        end = timezone.now()
    else:
        return 0
    return max(int((end - session.started_at).total_seconds() * 1000), 0)
