"""What is read of voice sessions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.fields import DecimalField, IntegerField
from django.db.models.functions import Coalesce, Now

from billing.models import UsageEvent
from conversations.models import Turn
from voice_worker.models import TimelineEntry, VoiceSession

# What the last words used is metered a moment after the session has ended.
_AFTERWARDS: Final = dt.timedelta(seconds=60)
_MONEY: Final = DecimalField(max_digits=18, decimal_places=8)


def sessions() -> QuerySet[VoiceSession]:
    """Sessions with what a list tells of each: `turns`, and `cost_usd` (None where nothing has a known price)."""
    of_session = TimelineEntry.objects.filter(session=OuterRef("pk"), turn_id__isnull=False).order_by()
    turns = of_session.values("session").annotate(n=Count("turn_id", distinct=True)).values("n")
    turn_ids = TimelineEntry.objects.filter(session=OuterRef(OuterRef("pk")), turn_id__isnull=False).values("turn_id")
    by_turn = UsageEvent.objects.filter(turn_id__in=turn_ids)
    beside = UsageEvent.objects.filter(
        turn_id__isnull=True,
        conversation_id=OuterRef("conversation_id"),
        created_at__gte=OuterRef("started_at"),
        created_at__lte=Coalesce(OuterRef("ended_at"), Now()) + Value(_AFTERWARDS),
    )
    return VoiceSession.objects.select_related("conversation__agent").annotate(
        turns=Coalesce(Subquery(turns, output_field=IntegerField()), 0),
        cost_of_turns=_sum(by_turn),
        cost_beside=_sum(beside),
        cost_usd=Coalesce(F("cost_of_turns") + F("cost_beside"), "cost_of_turns", "cost_beside"),
    )


def entries_of(session_id: uuid.UUID) -> QuerySet[TimelineEntry]:
    """What happened in a session, in the order of its time axis."""
    return TimelineEntry.objects.filter(session_id=session_id).order_by("at_ms", "id")


def usages_of(session: VoiceSession, turn_ids: Collection[uuid.UUID]) -> list[UsageEvent]:
    """What a session used: its turns, and beside them what its conversation used while it lasted."""
    beside = Q(turn_id__isnull=True, conversation_id=session.conversation_id, created_at__gte=session.started_at)
    if session.ended_at is not None:
        beside &= Q(created_at__lte=session.ended_at + _AFTERWARDS)
    return list(UsageEvent.objects.filter(Q(turn_id__in=turn_ids) | beside).order_by("id"))


def turns_by_id(turn_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Turn]:
    """How each of these turns stands."""
    found = Turn.objects.filter(pk__in=turn_ids).only("id", "conversation_id", "status", "error_code")
    return {turn.pk: turn for turn in found}


def total_of(usages: Collection[UsageEvent]) -> Decimal | None:
    """US dollars; None where no price is known of any."""
    costs = [used.cost_usd for used in usages if used.cost_usd is not None]
    return sum(costs, Decimal(0)) if costs else None


def _sum(usages: QuerySet[UsageEvent]) -> Any:
    total = usages.order_by().annotate(all=Value(1)).values("all").annotate(total=Sum("cost_usd")).values("total")
    return Subquery(total, output_field=_MONEY)
