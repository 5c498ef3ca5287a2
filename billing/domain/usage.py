"""The one way into the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.models import UsageEvent
from switchboard.kernel.ids import uuid7


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call used.

    Args:
        service: one of `UsageEvent.Service`.
        input_tokens: tokens sent.
        output_tokens: tokens received.
        is_estimated: the provider gave no count; ours is about a token every four characters.
        cost_usd: in US dollars; None where no price is known (`billing.prices`).
        cached_tokens: of the tokens sent, those the provider had in its cache.
        purpose: what for, such as `answer`, `route`, `extract`, `summary` or `judge`.
        quantity: how much, where it isn't counted in tokens, or not in tokens alone.
        unit: what the quantity counts: one of `UsageEvent.Unit`.
    """

    service: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    is_estimated: bool = False
    cost_usd: Decimal | None = None
    cached_tokens: int = 0
    purpose: str = ""
    quantity: Decimal | None = None
    unit: str = ""


def record_usage(
    *,
    usage: Usage,
    idempotency_key: str,
    conversation_id: uuid.UUID | None = None,
    turn_id: uuid.UUID | None = None,
    release_id: uuid.UUID | None = None,
) -> None:
    """Append a use to the ledger. A second call with the same key changes nothing."""
    record_usages(
        usages={idempotency_key: usage}, conversation_id=conversation_id, turn_id=turn_id, release_id=release_id
    )


def record_usages(
    *,
    usages: Mapping[str, Usage],
    conversation_id: uuid.UUID | None = None,
    turn_id: uuid.UUID | None = None,
    release_id: uuid.UUID | None = None,
) -> None:
    """Append several uses of one turn at once, in one statement.

    Args:
        usages: by idempotency key; those that the ledger has already are left as they are.
    """
    if not usages:
        return
    values: list[Any] = []
    for key, usage in usages.items():
        values += (
            uuid7(), key, usage.service, usage.provider, usage.model, usage.purpose, usage.input_tokens,
            usage.cached_tokens, usage.output_tokens, usage.quantity, usage.unit, usage.is_estimated, usage.cost_usd,
            conversation_id, turn_id, release_id,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.replace("(…)", ", ".join([_ROW] * len(usages))), values)


# By hand, since every turn pays for it: the ORM's bulk_create costs four times the processor time.
_ROW = f"({'%s, ' * 16}now())"
_INSERT = f"""
    INSERT INTO {UsageEvent._meta.db_table} (id, idempotency_key, service, provider, model, purpose, input_tokens,
                                             cached_tokens, output_tokens, quantity, unit, is_estimated, cost_usd,
                                             conversation_id, turn_id, release_id, created_at)
    VALUES (…) ON CONFLICT (idempotency_key) DO NOTHING
"""  # noqa: S608 - the table's name is ours
