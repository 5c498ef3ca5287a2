"""What `Switchboard` and its stand-in for tests both are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from switchboard_client.values import NOTHING, Cost, Passage, Personality, Tenant, Untold


class SwitchboardClient(Protocol):
    """The six operations. Every one is for a room, a number or a tenant."""

    async def tenant_by_room(self, room: str) -> Tenant | None:
        """Whose room it is; None where it is nobody's, or can't be found out."""
        ...

    async def search_knowledge(
        self,
        query: str,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        agent_id: str | None = None,
        limit: int = 5,
    ) -> list[Passage]:
        """The passages that answer a question best; none where they can't be had."""
        ...

    async def is_enabled(
        self,
        flag: str,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        contact: str = "",
        contact_attributes: Mapping[str, str | int | float | bool] = NOTHING,
        agent: str = "",
        channel: str = "room",
        default: bool = False,
    ) -> bool:
        """Whether a flag is on; `default` where that can't be found out."""
        ...

    async def personality(
        self,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        agent_id: str | None = None,
        release_id: str | None = None,
        personality_id: str | None = None,
    ) -> Personality | None:
        """How the agent speaks; None where nobody has said, or it can't be found out."""
        ...

    def track_cost(
        self,
        cost: Cost,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        session_id: str | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Have a cost booked, once; returns its key. Never waits."""
        ...

    def record_event(
        self,
        name: str,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        session_id: str | None = None,
        data: Mapping[str, Any] = NOTHING,
        at: dt.datetime | None = None,
        at_ms: int | None = None,
        event_id: str | None = None,
    ) -> str:
        """Have an event put on a session's time axis, once; returns its id. Never waits."""
        ...

    async def flush(self, seconds: float = 5.0) -> int:
        """Wait until what was tracked is delivered; returns how much isn't."""
        ...

    def tell_again(self, untold: Iterable[Untold]) -> None:
        """Tell what `aclose` gave back. Never waits."""
        ...

    async def aclose(self, seconds: float = 5.0) -> list[Untold]:
        """Deliver what there is, and hang up; returns what couldn't be delivered."""
        ...
