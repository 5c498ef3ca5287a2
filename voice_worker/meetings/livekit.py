"""LiveKit's own API: what is asked of the server itself."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.conf import settings

from switchboard.kernel.problems import Problem
from voice_worker.domain.presence import Person
from voice_worker.meetings.tokens import kind_of
from voice_worker.models import Participant

if TYPE_CHECKING:
    from livekit import api

logger = logging.getLogger(__name__)

_TRIES: Final = 3
_SECONDS_A_TRY: Final = 3.0
_PAUSE_SECONDS: Final = 0.2
_ROOMS_AT_ONCE: Final = 8

T = TypeVar("T")


class LiveKitNotConfigured(Problem):
    def __init__(self) -> None:
        super().__init__(
            "livekit_not_configured",
            "There are no meetings here: the platform has no LIVEKIT_URL. The audio websocket needs none.",
            status=503,
        )


class LiveKitUnavailable(Problem):
    def __init__(self) -> None:
        super().__init__(
            "livekit_unavailable",
            "The meeting server doesn't answer at the moment. Try again in a few seconds.",
            status=503,
            headers={"Retry-After": "5"},
        )


def check_configured() -> None:
    """Raises `LiveKitNotConfigured` where there is no LiveKit."""
    if not settings.LIVEKIT_URL:
        raise LiveKitNotConfigured


def client_url() -> str:
    """Where browsers reach LiveKit."""
    scheme, _, rest = settings.LIVEKIT_PUBLIC_URL.partition("://")
    return f"{ {'http': 'ws', 'https': 'wss'}.get(scheme, scheme) }://{rest}"


async def rooms_there(*names: str) -> frozenset[str]:
    """Which of these rooms there are now; without names, only whether LiveKit answers.

    Raises:
        Problem: `livekit_not_configured`, `livekit_unavailable`.
    """
    wanted = names or ("none",)

    async def ask(livekit: api.LiveKitAPI) -> frozenset[str]:
        from livekit import api

        found = await livekit.room.list_rooms(api.ListRoomsRequest(names=wanted))
        return frozenset(room.name for room in found.rooms)

    return await _insist(ask)


async def people_in(*names: str) -> dict[str, list[Person]]:
    """Who is in each of these rooms; a room that isn't there isn't in the answer.

    Raises:
        Problem: `livekit_not_configured`, `livekit_unavailable`.
    """
    if not names:
        return {}
    at_once = asyncio.Semaphore(_ROOMS_AT_ONCE)

    async def ask(livekit: api.LiveKitAPI) -> dict[str, list[Person]]:
        from livekit import api

        async def look_into(name: str) -> list[Person] | None:
            try:
                async with at_once:
                    found = await livekit.room.list_participants(api.ListParticipantsRequest(room=name))
            except api.TwirpError as error:
                if error.code == api.TwirpErrorCode.NOT_FOUND:
                    return None
                raise
            gone = api.ParticipantInfo.State.DISCONNECTED
            return [person_of(one) for one in found.participants if one.state != gone]

        there = await livekit.room.list_rooms(api.ListRoomsRequest(names=names))
        rooms = [room.name for room in there.rooms]
        people = await asyncio.gather(*(look_into(name) for name in rooms))
        return {name: found for name, found in zip(rooms, people, strict=True) if found is not None}

    return await _insist(ask)


def person_of(info: api.ParticipantInfo) -> Person:
    """Somebody as LiveKit tells of them."""
    from livekit import api

    is_agent = info.kind == api.ParticipantInfo.Kind.AGENT
    kind = Participant.Kind.AGENT if is_agent else kind_of(info.identity)
    joined_at = dt.datetime.fromtimestamp(info.joined_at or time.time(), dt.UTC)
    return Person(livekit_id=info.sid, identity=info.identity, name=info.name, kind=kind, joined_at=joined_at)


async def delete_room(name: str) -> None:
    """Close a room, whoever is in it. One that isn't there is closed.

    Raises:
        Problem: `livekit_not_configured`, `livekit_unavailable`.
    """

    async def ask(livekit: api.LiveKitAPI) -> None:
        from livekit import api

        try:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=name))
        except api.TwirpError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise

    await _insist(ask)


async def send_agent(room: str) -> None:
    """Have a voice worker send an agent into a room. A room that isn't there any more needs none.

    Raises:
        Problem: `livekit_not_configured`, `livekit_unavailable`.
    """
    if room not in await rooms_there(room):
        return

    async def ask(livekit: api.LiveKitAPI) -> None:
        from livekit import api

        wanted = api.CreateAgentDispatchRequest(agent_name=settings.LIVEKIT_AGENT_NAME, room=room)
        await livekit.agent_dispatch.create_dispatch(wanted)

    await _insist(ask)


async def _insist(ask: Callable[[api.LiveKitAPI], Awaitable[T]]) -> T:
    """Ask a few times, for LiveKit may be restarting; never for longer than a person waits."""
    check_configured()
    # It takes half a second to load, which the other requests of this process needn't wait for.
    livekit_api, aiohttp = await asyncio.to_thread(_load)
    for attempt in range(1, _TRIES + 1):
        try:
            async with livekit_api.LiveKitAPI(
                settings.LIVEKIT_URL,
                settings.LIVEKIT_API_KEY,
                settings.LIVEKIT_API_SECRET,
                timeout=aiohttp.ClientTimeout(total=_SECONDS_A_TRY),
                failover=False,
            ) as client:
                return await ask(client)
        except livekit_api.TwirpError as error:
            logger.warning("LiveKit refused: %s", error.code)
            if error.status < 500:
                # Its key isn't ours, or it doesn't know the request: another time it is the same.
                raise LiveKitUnavailable from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            logger.warning("LiveKit can't be reached: %s", type(error).__name__)
        if attempt < _TRIES:
            await asyncio.sleep(_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311
    raise LiveKitUnavailable


def _load() -> tuple[Any, Any]:
    import aiohttp
    from livekit import api

    return api, aiohttp
