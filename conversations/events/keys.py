"""Where a conversation's live events are."""

from __future__ import annotations

import uuid

from tenants.context import tenant_key


def event_key(conversation_id: uuid.UUID) -> str:
    """The Redis stream, and the pub/sub channel, of a conversation of the tenant in force."""
    return tenant_key("conversation", conversation_id, "events")
