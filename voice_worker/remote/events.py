"""What workers elsewhere tell of a session."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from voice_worker.domain.timeline import Entry, record_entries
from voice_worker.models import TimelineEntry


def keep_event(
    *,
    session_id: uuid.UUID,
    event_id: str,
    name: str,
    at_ms: int,
    turn_id: uuid.UUID | None = None,
    data: Mapping[str, Any],
) -> uuid.UUID:
    """Put an event on a session's time axis. A second call with its id changes nothing.

    Args:
        event_id: the worker's own name for it; two sessions may use the same.

    Returns:
        The entry's id.
    """
    # It follows from the worker's, so that the table's own key holds it to one entry, however many tell it at once.
    entry_id = uuid.uuid5(session_id, event_id)
    entry = Entry(kind=TimelineEntry.Kind.EVENT, at_ms=at_ms, turn_id=turn_id, data={**data, "name": name}, id=entry_id)
    record_entries(session_id=session_id, entries=[entry])
    return entry_id
