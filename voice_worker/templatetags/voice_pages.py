"""How times and costs are written out on the pages of voice sessions."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django import template

from billing.models import UsageEvent
from voice_worker import queries
from voice_worker.models import VoiceSession
from voice_worker.timeline import axis, reading

register = template.Library()


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
