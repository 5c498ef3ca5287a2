"""Reading the trail of the scope in force: a tenant's own, or the platform's."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Q, QuerySet

from tenants.audit.models import AuditEvent

_WORD: Final = re.compile(r"[^\W_]+")
_MOST_WORDS: Final = 12


def find_events(
    *,
    text: str = "",
    entity: str = "",
    entity_id: str = "",
    actor: str = "",
    action: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> QuerySet[AuditEvent]:
    """Events, newest first. What is left empty isn't asked for.

    Args:
        text: words, or beginnings of words, all of which stand in action, label, message or the actor's name.
        entity: the kind of thing.
        entity_id: the thing itself.
        actor: an actor's id, or the exact name.
        action: exact.
        since: not before.
        until: before.
    """
    events = AuditEvent.objects.order_by("-position").defer("words")
    if text.strip():
        words = _WORD.findall(text)[:_MOST_WORDS]
        if not words:
            return events.none()
        query = " & ".join(f"{word}:*" for word in words)
        events = events.filter(words=SearchQuery(query, config="simple", search_type="raw"))
    exact = {"entity": entity, "entity_id": entity_id, "action": action}
    events = events.filter(**{name: value for name, value in exact.items() if value})
    if actor:
        events = events.filter(Q(actor_id=actor) | Q(actor_name=actor))
    if since is not None:
        events = events.filter(at__gte=since)
    return events if until is None else events.filter(at__lt=until)


def history_of(entity_id: object) -> QuerySet[AuditEvent]:
    """What was done to one thing, newest first."""
    return find_events(entity_id=str(entity_id))


def actions() -> list[str]:
    """Every action in the trail, each found with one look into the index, however many events there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            'WITH RECURSIVE known AS (SELECT min("action") AS word FROM audit_auditevent UNION ALL '
            'SELECT (SELECT min("action") FROM audit_auditevent WHERE "action" > known.word) FROM known '
            "WHERE known.word IS NOT NULL) SELECT word FROM known WHERE word IS NOT NULL LIMIT 500"
        )
        return [word for (word,) in cursor.fetchall()]


def oldest_first(events: QuerySet[AuditEvent], *, after: int, until: int, size: int) -> list[AuditEvent]:
    """The next `size` events of a long reading, which ends at what was the newest when it began."""
    return list(events.order_by("position").filter(position__gt=after, position__lte=until)[:size])


def newest_position() -> int:
    """The position of the newest event; 0 where there is none."""
    return AuditEvent.objects.order_by("-position").values_list("position", flat=True).first() or 0
