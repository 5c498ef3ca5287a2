"""A Switchboard that is made up, for the tests of a worker."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from switchboard_client.values import NOTHING, Cost, Passage, Personality, Tenant, Untold

if TYPE_CHECKING:
    from switchboard_client.interface import SwitchboardClient


@dataclass(frozen=True, slots=True)
class TrackedCost:
    """A cost as it was tracked."""

    key: str
    cost: Cost
    room: str | None = None
    tenant_id: str | None = None
    session_id: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as it was recorded."""

    key: str
    name: str
    data: Mapping[str, Any]
    room: str | None = None
    tenant_id: str | None = None
    session_id: str | None = None
    at: dt.datetime | None = None
    at_ms: int | None = None


@dataclass
class MockSwitchboard:
    """Answers as it is told to, and keeps what it was told.

    Args:
        tenants: by room.
        passages: what every search finds.
        flags: by key; what isn't here is off.
        voice: the personality of all.
        is_away: as if the platform couldn't be reached: questions come to nothing, and what is told waits until this is
            False again and `flush` is called.
    """

    tenants: dict[str, Tenant] = field(default_factory=dict)
    passages: Sequence[Passage] = ()
    flags: dict[str, bool] = field(default_factory=dict)
    voice: Personality | None = None
    is_away: bool = False
    costs: list[TrackedCost] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    _waiting: list[TrackedCost | RecordedEvent] = field(default_factory=list)
    _left: dict[str, TrackedCost | RecordedEvent] = field(default_factory=dict)

    @property
    def undelivered(self) -> int:
        """What waits for the platform to be back."""
        return len(self._waiting)

    async def tenant_by_room(self, room: str) -> Tenant | None:
        return None if self.is_away else self.tenants.get(room)

    async def search_knowledge(
        self,
        query: str,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        agent_id: str | None = None,
        limit: int = 5,
    ) -> list[Passage]:
        self.searches.append(query)
        return [] if self.is_away else list(self.passages[:limit])

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
        return default if self.is_away else self.flags.get(flag, False)

    async def personality(
        self,
        *,
        room: str | None = None,
        tenant_id: str | None = None,
        agent_id: str | None = None,
        release_id: str | None = None,
        personality_id: str | None = None,
    ) -> Personality | None:
        return None if self.is_away else self.voice

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
        key = idempotency_key or uuid.uuid4().hex
        self._waiting.append(TrackedCost(key, cost, room, tenant_id, session_id, conversation_id))
        self._deliver()
        return key

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
        key = event_id or uuid.uuid4().hex
        self._waiting.append(RecordedEvent(key, name, dict(data), room, tenant_id, session_id, at, at_ms))
        self._deliver()
        return key

    async def flush(self, seconds: float = 5.0) -> int:
        self._deliver()
        return len(self._waiting)

    def tell_again(self, untold: Iterable[Untold]) -> None:
        for one in untold:
            self._waiting.append(self._left[one.key])
        self._deliver()

    async def aclose(self, seconds: float = 5.0) -> list[Untold]:
        self._deliver()
        left, self._waiting = self._waiting, []
        self._left |= {told.key: told for told in left}
        return [
            Untold("/costs", {"idempotency_key": told.key})
            if isinstance(told, TrackedCost)
            else Untold("/events", {"event_id": told.key})
            for told in left
        ]

    def _deliver(self) -> None:
        """Each key once, as the platform does."""
        if self.is_away:
            return
        for told in self._waiting:
            if isinstance(told, TrackedCost):
                if all(known.key != told.key for known in self.costs):
                    self.costs.append(told)
            elif all(known.key != told.key for known in self.events):
                self.events.append(told)
        self._waiting.clear()


if TYPE_CHECKING:
    _is_one: SwitchboardClient = MockSwitchboard()
