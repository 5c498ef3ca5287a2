"""The one way into the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

from billing.models import UsageEvent


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call used.

    Args:
        input_tokens: tokens sent.
        output_tokens: tokens received.
        is_estimated: the provider gave no count; ours is about a token every four characters.
        cost_usd: in US dollars; None where no price is known.
    """

    service: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    is_estimated: bool = False
    cost_usd: Decimal | None = None


def record_usage(
    *,
    usage: Usage,
    idempotency_key: str,
    conversation_id: uuid.UUID | None = None,
    turn_id: uuid.UUID | None = None,
    release_id: uuid.UUID | None = None,
) -> None:
    """Append a use to the ledger. A second call with the same key changes nothing."""
    UsageEvent.objects.bulk_create(
        [
            UsageEvent(
                idempotency_key=idempotency_key,
                service=usage.service,
                provider=usage.provider,
                model=usage.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                is_estimated=usage.is_estimated,
                cost_usd=usage.cost_usd,
                conversation_id=conversation_id,
                turn_id=turn_id,
                release_id=release_id,
            )
        ],
        ignore_conflicts=True,
    )
