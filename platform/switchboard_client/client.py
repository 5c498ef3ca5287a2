"""The client."""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, TypeVar

from switchboard_client.door import Door, Refused, Unavailable
from switchboard_client.outbox import Outbox
from switchboard_client.values import NOTHING, Cost, Passage, Personality, Tenant, Untold

logger = logging.getLogger("switchboard_client")
T = TypeVar("T")

_PREFIX: Final = "/api/v1/worker"
_MOST_ROOMS: Final = 1_000
_MOST_LOGGED: Final = 50


class Switchboard:
    """Asks a Switchboard. One for a process; its calls may run at once, on one event loop.

    Args:
        url: of the platform, by whatever address the worker reaches it, such as `http://web:8000`.
        key: AGENT_API_KEY, a platform key of the scope `worker:operate`.
        timeout: seconds for one question, further tries included: how long a call ever waits.
        attempts: tries for one question.
        rest: seconds in which nothing is asked after a question that stayed unanswered, so that a call doesn't wait for
            each anew.
        most_kept: costs and events kept while the platform is away, in memory: those of a process that is killed are
            lost. Beyond that many, the oldest go.
        most_kept_bytes: of them all.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 2.0,
        attempts: int = 3,
        rest: float = 1.0,
        most_kept: int = 10_000,
        most_kept_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._door = Door(url, key, timeout=timeout, attempts=attempts)
        self._outbox = Outbox(self._door, most=most_kept, most_bytes=most_kept_bytes)
        self._rest = rest
        self._resting_until = 0.0
        self._tenants: dict[str, Tenant] = {}

    async def __aenter__(self) -> Switchboard:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def undelivered(self) -> int:
        """Costs and events that the platform hasn't heard of yet."""
        return len(self._outbox)

    @property
    def lost(self) -> int:
        """Those that it never will: refused, no JSON, pushed out of a full outbox, or left when the client was closed.
        Each was logged.
        """
        return self._outbox.lost

    # --- questions ----------------------------------------------------------------------------------------------------

    async def tenant_by_room(self, room: str) -> Tenant | None:
        """Whose room it is; None where it is nobody's, or can't be found out. Remembered until `forget(room)`."""
        known = self._tenants.get(room)
        if known is not None:
            return known
        found = await self._asked("GET", "/tenant", _tenant, params={"room": room})
        if found is not None:
            while len(self._tenants) >= _MOST_ROOMS:
                del self._tenants[next(iter(self._tenants))]
            self._tenants[room] = found
        return found

    def forget(self, room: str) -> None:
        """The session in the room is over: ask anew for the next."""
        self._tenants.pop(room, None)

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
        body = _given(query=query, limit=limit, room=room, tenant_id=tenant_id, agent_id=agent_id)
        return await self._asked("POST", "/knowledge/search", _passages, body=body) or []

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
        context = _given(contact=contact, contact_attributes=dict(contact_attributes), agent=agent, channel=channel)
        body = _given(flag=flag, room=room, tenant_id=tenant_id, context=context)
        answer = await self._asked("POST", "/flags/evaluate", lambda found: bool(found["enabled"]), body=body)
        return default if answer is None else answer

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
        params = _given(
            room=room, tenant_id=tenant_id, agent_id=agent_id, release_id=release_id, personality_id=personality_id
        )
        return await self._asked("GET", "/personality", _personality, params=params)

    async def _asked(
        self,
        method: str,
        path: str,
        read: Callable[[dict[str, Any]], T],
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T | None:
        if time.monotonic() < self._resting_until:
            return None
        try:
            return read(await self._door.ask(method, f"{_PREFIX}{path}", params=params, body=body))
        except Refused as refused:
            # An unknown room, or an agent without a personality, is an answer.
            logger.log(logging.INFO if refused.status == 404 else logging.ERROR, "%s was refused: %s", path, refused)
        except Unavailable as away:
            self._resting_until = time.monotonic() + self._rest
            logger.warning("%s stays unanswered: %s", path, away)
        except (KeyError, TypeError, ValueError) as error:
            logger.error("%s was answered with something else: %r", path, error)
        return None

    # --- what is told -------------------------------------------------------------------------------------------------

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
        """Have a cost booked, once; returns its key. Never waits, so that it can be called from any handler."""
        key = idempotency_key or uuid.uuid4().hex
        fields = asdict(cost)
        for name in ("cost_usd", "quantity"):
            if fields[name] is not None:
                fields[name] = str(fields[name])
        where = _given(room=room, tenant_id=tenant_id, session_id=session_id, conversation_id=conversation_id)
        self._outbox.put(Untold(f"{_PREFIX}/costs", {**fields, **where, "idempotency_key": key}))
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
        """Have an event put on a session's time axis, once; returns its id. It stands where it happened, however late
        it is delivered. Never waits.

        Args:
            at: when, with a time zone; now, without.
            at_ms: or milliseconds since the session began.
        """
        key = event_id or uuid.uuid4().hex
        moment = (at or dt.datetime.now(dt.UTC)).isoformat() if at_ms is None else None
        where = _given(room=room, tenant_id=tenant_id, session_id=session_id, at=moment, at_ms=at_ms)
        body = {"event_id": key, "name": name, "data": dict(data), **where}
        self._outbox.put(Untold(f"{_PREFIX}/events", body))
        return key

    async def flush(self, seconds: float = 5.0) -> int:
        """Wait until what was tracked is delivered; returns how much isn't."""
        return await self._outbox.flush(seconds)

    def tell_again(self, untold: Iterable[Untold]) -> None:
        """Tell what another client of this platform left behind, perhaps in a process before this one. Never waits."""
        for one in untold:
            self._outbox.put(one)

    async def aclose(self, seconds: float = 5.0) -> list[Untold]:
        """Deliver what there is, and hang up. Closed twice, it stays so.

        Returns:
            What couldn't be delivered in that time, for a worker that keeps it somewhere and lets `tell_again` have it;
            whoever doesn't has it in the log by its keys, and nowhere else.
        """
        await self._outbox.flush(seconds)
        left = await self._outbox.close()
        if left:
            keys = ", ".join(one.key for one in left[:_MOST_LOGGED])
            more = f" and {len(left) - _MOST_LOGGED} more" if len(left) > _MOST_LOGGED else ""
            logger.error("%d costs and events were never delivered: %s%s", len(left), keys, more)
        await self._door.aclose()
        return left


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _tenant(found: dict[str, Any]) -> Tenant:
    return Tenant(
        id=str(found["id"]),
        name=str(found["name"]),
        service_tier=str(found["service_tier"]),
        metadata=dict(found.get("metadata") or {}),
        meeting_id=found.get("meeting_id"),
        conversation_id=found.get("conversation_id"),
        agent_id=found.get("agent_id"),
        release_id=found.get("release_id"),
        session_id=found.get("session_id"),
    )


def _passages(found: dict[str, Any]) -> list[Passage]:
    return [
        Passage(
            id=str(one["id"]),
            title=str(one["title"]),
            content=str(one["content"]),
            score=float(one["score"]),
            category=str(one["category"]),
        )
        for one in found["passages"]
    ]


def _personality(found: dict[str, Any]) -> Personality:
    return Personality(
        id=str(found["id"]),
        name=str(found["name"]),
        instructions=str(found["instructions"]),
        tone=str(found.get("tone", "")),
        capabilities=tuple(found.get("capabilities", ())),
        languages=tuple(found.get("languages", ())),
    )
