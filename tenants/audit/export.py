"""The trail as a file, written while it is read: memory stays bounded however long the trail is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Literal

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from switchboard.kernel.database import in_database
from tenants.audit.models import AuditEvent
from tenants.audit.queries import newest_position, oldest_first

Format = Literal["csv", "ndjson"]
FORMATS: Final[dict[Format, str]] = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
BATCH: Final = 500
COLUMNS: Final = (
    "position", "at", "actor_kind", "actor_id", "actor_name", "address", "request_id", "action", "message", "entity",
    "entity_id", "entity_label", "old", "new", "previous_hash", "hash",
)  # fmt: skip
# What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def export_response(events: QuerySet[AuditEvent], *, as_format: Format) -> StreamingHttpResponse:
    """The events as a download, oldest first, up to the newest of this moment."""
    response = StreamingHttpResponse(_written(events, _WRITERS[as_format]), content_type=FORMATS[as_format])
    response["Content-Disposition"] = f'attachment; filename="audit.{as_format}"'
    response["X-Accel-Buffering"] = "no"
    return response


async def _written(
    events: QuerySet[AuditEvent], write: Callable[[list[AuditEvent], bool], str]
) -> AsyncIterator[bytes]:
    until = await in_database(newest_position)
    after = 0
    is_first = True
    while True:
        # One look at the database for each batch: a reader who is slow holds no connection.
        batch = await in_database(oldest_first, events, after=after, until=until, size=BATCH)
        if batch or is_first:
            yield write(batch, is_first).encode()
        if len(batch) < BATCH:
            return
        after, is_first = batch[-1].position, False


def as_dict(event: AuditEvent) -> dict[str, Any]:
    """An event as JSON has it."""
    found = {name: getattr(event, name) for name in COLUMNS}
    return {**found, "at": event.at.isoformat()}


def _as_csv(events: list[AuditEvent], is_first: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    if is_first:
        writer.writerow(COLUMNS)
    for event in events:
        writer.writerow([_cell(value) for value in as_dict(event).values()])
    return text.getvalue()


def _cell(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _as_ndjson(events: list[AuditEvent], is_first: bool) -> str:
    return "".join(json.dumps(as_dict(event), ensure_ascii=False) + "\n" for event in events)


_WRITERS: Final[dict[Format, Callable[[list[AuditEvent], bool], str]]] = {"csv": _as_csv, "ndjson": _as_ndjson}
