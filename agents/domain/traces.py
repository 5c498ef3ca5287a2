"""Traces of turns are kept and found again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from psycopg.types.json import Jsonb

from agents.models import TurnTrace

# By hand, since every turn pays for it.
_KEEP: Final = f"""
    INSERT INTO {TurnTrace._meta.db_table}
        (turn_id, conversation_id, release_id, contact, steps, created_at, updated_at)
    VALUES (%(turn)s, %(conversation)s, %(release)s, %(contact)s, %(steps)s, now(), now())
    ON CONFLICT (turn_id) DO UPDATE SET steps = EXCLUDED.steps, updated_at = now()
"""  # noqa: S608 - the table's name is ours


def keep_trace(
    *,
    turn_id: uuid.UUID,
    conversation_id: uuid.UUID,
    release_id: uuid.UUID,
    contact: str,
    steps: Sequence[dict[str, Any]],
) -> None:
    """Save a turn's steps, in place of those saved before.

    Args:
        contact: who talked, so that what was shown to models of them can be found and erased; "" where nobody said.
    """
    kept: Any = Jsonb(list(steps))
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "turn": turn_id,
                "conversation": conversation_id,
                "release": release_id,
                "contact": contact,
                "steps": kept,
            },
        )


def steps_of(*, turn_id: uuid.UUID) -> list[dict[str, Any]]:
    """What was noted of a turn; empty where nothing was."""
    return TurnTrace.objects.filter(pk=turn_id).values_list("steps", flat=True).first() or []
