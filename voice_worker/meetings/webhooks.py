"""What LiveKit tells of its rooms, at `/webhooks/livekit` on any hostname.

Whoever knows the API secret may tell; whose a room is stands in the directory, whatever the event says. Everything that
follows from an event can follow from it twice, so that a repetition does no harm even where it isn't recognised as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from redis.exceptions import RedisError

from switchboard.kernel.database import OUTAGES, DatabaseUnavailable, in_database
from switchboard.kernel.problems import Problem, problem_response
from switchboard.kernel.redis import async_redis
from tenants.context import use_tenant
from voice_worker.directory.domain import RoomEntry, look_up_room
from voice_worker.domain import meetings
from voice_worker.meetings import livekit

if TYPE_CHECKING:
    from livekit import api

logger = logging.getLogger(__name__)

# LiveKit signs each delivery for five minutes; an event that is older than it can be was kept by somebody.
OLDEST_SECONDS: Final = 15 * 60
_REMEMBERED_SECONDS: Final = 24 * 3600
_LONGEST_ID: Final = 100
_COMING: Final = frozenset({"room_started", "participant_joined"})


class Unsigned(Problem):
    def __init__(self) -> None:
        super().__init__("invalid_signature", "This isn't signed by our LiveKit server, or is too old.", status=401)


@csrf_exempt
@require_POST
async def receive(request: HttpRequest) -> HttpResponse:
    """One event. 200 where it was taken in, or is none of ours; another time where we couldn't."""
    try:
        event = await _verified(request)
        await _take_in(event)
    except Problem as problem:
        return problem_response(problem)
    except OUTAGES:
        return problem_response(DatabaseUnavailable())
    return HttpResponse(status=200)


async def _verified(request: HttpRequest) -> api.WebhookEvent:
    """The event in a request's body.

    Raises:
        Unsigned: whatever is wrong with it.
    """
    if not settings.LIVEKIT_URL:
        raise Unsigned
    # LiveKit sends the bare token, without a scheme before it.
    token = request.headers.get("Authorization", "")
    livekit_api = await asyncio.to_thread(_load)
    verifier = livekit_api.TokenVerifier(settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
    try:
        event: api.WebhookEvent = livekit_api.WebhookReceiver(verifier).receive(request.body.decode(), token)
    except Exception as error:  # livekit-api raises jwt's errors, protobuf's, and plain ones
        logger.warning("a webhook was refused: %s", type(error).__name__)
        raise Unsigned from None
    if abs(time.time() - event.created_at) > OLDEST_SECONDS:
        logger.warning("a webhook was refused: its event is too old")
        raise Unsigned
    return event


def _load() -> Any:
    from livekit import api

    return api


async def _take_in(event: api.WebhookEvent) -> None:
    place = f"livekit:webhook:{event.id[:_LONGEST_ID]}"
    if event.id and await _is_known(place):
        return
    entry = await in_database(look_up_room, event.room.name)
    if entry is None:
        logger.info("a webhook told of a room that isn't ours")
        return
    with use_tenant(entry.tenant.scope):
        await in_database(_apply, entry, event)
    if event.event in _COMING and not (entry.is_open and entry.tenant.is_ready):
        # A token outlives its meeting by minutes, and LiveKit makes the room anew for whoever brings one.
        await livekit.delete_room(entry.name)
    # Noted last: what we couldn't do must not look done when it is told again.
    with contextlib.suppress(RedisError, OSError):
        await async_redis().set(place, "1", ex=_REMEMBERED_SECONDS)


async def _is_known(place: str) -> bool:
    try:
        return bool(await async_redis().exists(place))
    except (RedisError, OSError):
        return False


def _apply(entry: RoomEntry, event: api.WebhookEvent) -> None:
    """What an event means, in the scope of the room's tenant."""
    meeting_id, at = entry.meeting_id, _moment(event.created_at)
    match event.event:
        case "room_started":
            meetings.note_started(meeting_id=meeting_id, at=at)
        case "room_finished":
            meetings.end_meeting(meeting_id=meeting_id, at=at)
        case "participant_joined":
            meetings.note_joined(meeting_id=meeting_id, at=_joined_at(event), **_who(event))
        case "participant_left":
            meetings.note_left(
                meeting_id=meeting_id,
                joined_at=_joined_at(event),
                at=at,
                was_removed=_was_removed(event),
                **_who(event),
            )
        case "track_published" | "track_unpublished":
            meetings.note_track(
                meeting_id=meeting_id,
                entry_id=uuid.uuid5(meeting_id, event.id),
                source=_source(event),
                is_on=event.event == "track_published",
                identity=event.participant.identity,
                at=at,
            )


def _who(event: api.WebhookEvent) -> dict[str, str]:
    person = livekit.person_of(event.participant)
    return {"livekit_id": person.livekit_id, "identity": person.identity, "name": person.name, "kind": person.kind}


def _was_removed(event: api.WebhookEvent) -> bool:
    from livekit import api

    return event.participant.disconnect_reason == api.DisconnectReason.PARTICIPANT_REMOVED


def _source(event: api.WebhookEvent) -> str:
    from livekit import api

    return str(api.TrackSource.Name(event.track.source)).lower()


def _joined_at(event: api.WebhookEvent) -> dt.datetime:
    return _moment(event.participant.joined_at or event.created_at)


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
