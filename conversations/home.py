"""The staff's home page: what needs a look, in a constant number of queries."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

from agents import home
from agents.engine.cache import counting
from conversations.models import Conversation
from knowledge import wording
from knowledge.models import Document
from tenants.audit.pages import shown
from tenants.audit.queries import find_events
from tenants.permissions import Permission, allows

DAYS: Final = 14
_ROWS: Final = 6
_TICKS: Final = {"color": "#6a7d84", "maxRotation": 0, "autoSkip": True, "maxTicksLimit": 7}
_CHART_OPTIONS: Final = {
    "animation": False,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"grid": {"display": False}, "border": {"display": False}, "ticks": _TICKS},
        "y": {
            "beginAtZero": True,
            "border": {"display": False},
            "grid": {},
            "ticks": {**_TICKS, "precision": 0, "maxTicksLimit": 4},
        },
    },
}


def staff_home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the home page shows, added to the admin's context (unfold's DASHBOARD_CALLBACK)."""
    agents = home.serving_agents(most=_ROWS)
    settled = [Document.Status.READY, Document.Status.FAILED]
    counts = Document.objects.aggregate(
        ready=Count("pk", filter=Q(status=Document.Status.READY)),
        failed=Count("pk", filter=Q(status=Document.Status.FAILED)),
        reading=Count("pk", filter=~Q(status__in=settled)),
    )
    watched = Document.objects.exclude(status=Document.Status.READY).select_related("collection")[:_ROWS]
    per_day = _conversations_per_day()
    context.update(
        {
            "agents": agents[:_ROWS],
            "more_agents": len(agents) > _ROWS,
            "documents": counts,
            "watched": [{"row": row, "state": wording.progress_of(row)} for row in watched],
            "waiting": home.waiting_releases(most=_ROWS),
            "drafts": home.unpublished_drafts(most=_ROWS),
            "failed_tests": home.failed_tests(most=_ROWS),
            "changes": _changes(request),
            "recent": Conversation.objects.select_related("agent").order_by("-updated_at")[:_ROWS],
            "this_week": sum(count for _, count in per_day[-7:]),
            "any_conversation": any(count for _, count in per_day),
            "chart": json.dumps(_chart(per_day)),
            "chart_options": json.dumps(_CHART_OPTIONS),
            "days": DAYS,
            "cache": counting.counts(days=7),
        }
    )
    return context


def _changes(request: HttpRequest) -> Any:
    """What was done lately, for those who may read the trail."""
    if not allows(request.user, Permission.AUDIT_READ):
        return None
    return [shown(event) for event in find_events()[:_ROWS]]


def _chart(per_day: list[tuple[dt.date, int]]) -> dict[str, Any]:
    """Chart.js's data."""
    bars = {
        "label": "Conversations",
        "data": [count for _, count in per_day],
        "backgroundColor": "var(--color-primary-600)",
        "borderRadius": 3,
        "maxBarThickness": 22,
    }
    return {"labels": [f"{day:%a} {day.day}" for day, _ in per_day], "datasets": [bars]}


def _conversations_per_day() -> list[tuple[dt.date, int]]:
    """Conversations begun on each of the last days, today last."""
    today = timezone.localdate()
    first = today - dt.timedelta(days=DAYS - 1)
    start = timezone.make_aware(dt.datetime.combine(first, dt.time.min))
    found = dict(
        Conversation.objects.filter(created_at__gte=start)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(count=Count("pk"))
    )
    return [(day, found.get(day, 0)) for day in (first + dt.timedelta(days=n) for n in range(DAYS))]
