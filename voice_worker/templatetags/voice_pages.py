"""How times and costs are written out on the pages of voice sessions."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from django import template

from billing.models import UsageEvent
from voice_worker import queries
from voice_worker.models import VoiceSession
from voice_worker.timeline import axis, reading

register = template.Library()

# What ends a session, as its row tells it; of what isn't here, the row's own words are good enough.
_ENDINGS: Final = {
    "client_too_slow": "a connection that was too slow",
    "ended": "hanging up",
    "idle": "silence",
    "job_shutdown": "its worker's end",
    "meeting_ended": "the meeting's end",
    "participant_disconnected": "hanging up",
    "too_long": "the longest time there is for one",
    "user_initiated": "the agent's leaving",
    "worker_lost": "its worker's loss",
}


@register.filter
def clock(milliseconds: int) -> str:
    """A moment of a session's time axis."""
    return axis.clock(milliseconds)


@register.filter
def ms(milliseconds: int | None) -> str:
    """A stretch of time, or a dash where nobody noted it."""
    return "-" if milliseconds is None else f"{milliseconds:,}"


@register.filter
def length_of(session: VoiceSession) -> int:
    """How long a session lasted, to the second."""
    return reading.length_ms(session) // 1000 * 1000


@register.filter
def total(usages: Collection[UsageEvent]) -> str:
    """US dollars; empty where no price is known."""
    cost: Decimal | None = queries.total_of(usages)
    return "" if cost is None else f"{cost:.6f}"


@register.filter
def ending(reason: str) -> str:
    """What ended a session."""
    return _ENDINGS.get(reason, reason.replace("_", " "))


@register.filter
def in_all(usages: Collection[UsageEvent]) -> list[str]:
    """What was used for each service, however many bookings it came in."""
    used: dict[tuple[str, str, str], Decimal] = {}
    for one in usages:
        name = (one.get_service_display(), one.provider, one.get_unit_display() if one.unit else "")
        used[name] = used.get(name, Decimal(0)) + (one.quantity or 0)
    return [
        f"{service}, {provider}" + (f": {amount.normalize():,f} {unit}" if unit else "")
        for (service, provider, unit), amount in used.items()
    ]
