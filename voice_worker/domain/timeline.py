"""The one way onto a session's time axis."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from switchboard.kernel.ids import uuid7
from voice_worker.models import TimelineEntry

# A time axis tells what happened; what was said stands in the thread, whole.
MOST_CHARACTERS: Final = 2_000  # of one text
MOST_BYTES: Final = 8_000  # of all of an entry's data
_MOST_ITEMS: Final = 50
_MOST_BITS: Final = 256  # of a number
_DEEPEST: Final = 4
_LAST_MS: Final = 2**31 - 1
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened in a session.

    What `data` holds is the reader's to use, and these names are known to the admin:

    - `transcript`: `text`, `confidence`, `language`; its moment is when the ears had it.
    - `llm`: from the question to the last word; `first_token_ms` after its beginning, `model`.
    - `tts`: from the first words to the last sound; `first_audio_ms` after its beginning, `provider`.
    - `agent_speech`: as it was heard; `text`, `interrupted`, and `e2e_latency_ms`, the time since the contact's last
      sound.
    - `tool`: `name`, `ok`. `vision`: `frames`, `source`. `state`: `state`. `error`: `code`, `message`.
    - `event`: `name`, and what a worker elsewhere says of it.

    Args:
        kind: one of `TimelineEntry.Kind`.
        at_ms: when it began, from the session's start.
        until_ms: when it ended; None for a moment.
        turn_id: the turn it belongs to, where it belongs to one.
        data: what else is known; cut to `MOST_BYTES`.
        id: of the row: an entry that is sent twice is there once.
    """

    kind: str
    at_ms: int
    until_ms: int | None = None
    turn_id: uuid.UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=uuid7)


def record_entries(*, session_id: uuid.UUID, entries: Sequence[Entry]) -> None:
    """Put entries on a session's time axis, in one statement. Those that are there already are left as they are."""
    # A statement takes only so many parameters, and nobody sends that many entries at once.
    for start in range(0, len(entries), _AT_ONCE):
        _insert(session_id, entries[start : start + _AT_ONCE])


def _insert(session_id: uuid.UUID, entries: Sequence[Entry]) -> None:
    values: list[Any] = []
    for entry in entries:
        at_ms = _moment(entry.at_ms)
        until_ms = None if entry.until_ms is None else max(_moment(entry.until_ms), at_ms)
        values += (entry.id, session_id, entry.kind, at_ms, until_ms, entry.turn_id, json.dumps(bounded(entry.data)))
    # Somebody else's transaction may hold what must not be lost.
    flush = "on" if connection.in_atomic_block else "off"
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.replace("(…)", ", ".join([_ROW] * len(entries))), [*values, flush])


# By hand: the ORM's bulk_create takes a transaction of three statements. Nobody waits for the disk either: what
# happened in the half second before a database server loses its power may be missing on a time axis.
_ROW: Final = "(%s::uuid, %s::uuid, %s, %s::int, %s::int, %s::uuid, %s::jsonb)"
_INSERT: Final = f"""
    INSERT INTO {TimelineEntry._meta.db_table} (id, session_id, kind, at_ms, until_ms, turn_id, data)
    SELECT entry.* FROM (VALUES (…)) AS entry,
         (SELECT CASE WHEN %s = 'off' THEN set_config('synchronous_commit', 'off', true) END) AS unhurried
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 - the table's name is ours


def bounded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data as it is kept: what JSON can hold, texts cut, and no more than `MOST_BYTES` of it."""
    kept: dict[str, Any] = _cut(data, _DEEPEST)
    left = MOST_BYTES
    found: dict[str, Any] = {}
    # Short values first, whatever order they came in: a name must not be lost for the text before it.
    for name, value in sorted(kept.items(), key=lambda item: len(json.dumps(item[1]))):
        left -= len(json.dumps({name: value}, ensure_ascii=False).encode())
        if left < 0:
            found["cut"] = True
            break
        found[name] = value
    return found


def _cut(value: Any, depth: int) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            if abs(value) < 2**53:
                return value
            return str(value) if value.bit_length() < _MOST_BITS else None
        case float():
            return value if math.isfinite(value) else None
        case Mapping() if depth:
            return {_text(name)[:120]: _cut(one, depth - 1) for name, one in list(value.items())[:_MOST_ITEMS]}
        case list() | tuple() if depth:
            return [_cut(one, depth - 1) for one in value[:_MOST_ITEMS]]
        case Mapping() | list() | tuple():
            return "…"
    text = _text(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _text(value: object) -> str:
    # What PostgreSQL's jsonb refuses: NUL, and halves of a surrogate pair.
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


def _moment(milliseconds: int) -> int:
    return min(max(int(milliseconds), 0), _LAST_MS)
