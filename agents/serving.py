"""Which release serves a new conversation: the live one, or the canary for whom its percentage or flag picks."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

from agents.models import Agent
from tenants.flags.current import is_enabled
from tenants.flags.evaluation import Context

_BUCKETS: Final = 10_000


def release_for(agent: Agent, *, unit: str, context: Context) -> uuid.UUID | None:
    """The release that a new conversation begins on; None where the agent serves nobody.

    Args:
        unit: what the choice sticks to: a contact, or the conversation itself where nobody says who talks.
        context: what the canary's flag may look at.
    """
    if not agent.is_serving:
        return None
    if agent.canary_release_id is not None and _is_picked(agent, unit, context):
        return agent.canary_release_id
    return agent.live_release_id


def _is_picked(agent: Agent, unit: str, context: Context) -> bool:
    if bucket(agent.canary_release_id, unit) < agent.canary_percent * _BUCKETS // 100:
        return True
    return bool(agent.canary_flag) and is_enabled(agent.canary_flag, context)


def bucket(release_id: uuid.UUID | None, unit: str) -> int:
    """A number from 0 to 9999 that follows from the canary and the contact: raising the percentage only adds people,
    and the next canary meets others first.
    """
    digest = hashlib.sha256(f"{release_id}:{unit}".encode()).digest()
    return int.from_bytes(digest[:8]) % _BUCKETS
