"""What lets somebody into a meeting: a token of LiveKit's for exactly one room, made to last until they are in."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Final

import jwt
from django.conf import settings

from voice_worker.models import Meeting, Participant

SHORTEST_SECONDS: Final = 60
DEFAULT_SECONDS: Final = 300
LONGEST_SECONDS: Final = 600
# LiveKit forgives a minute of difference between clocks; this is another one.
LEEWAY_SECONDS: Final = 60
MOST_PARTICIPANTS: Final = 100
# An agent closes the room when nobody has come back in time; without one, it waits so much longer.
_WITHOUT_AGENT_SECONDS: Final = 30
_SOURCES: Final = ("microphone", "camera", "screen_share", "screen_share_audio")


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A token, who may use it, and until when."""

    token: str
    identity: str
    expires_at: dt.datetime


def identity_of(kind: str, meeting: Meeting, member: uuid.UUID | int | None = None) -> str:
    """What LiveKit calls somebody. A contact and a member of staff are one person however often they come back: who
    comes a second time takes the place of the first. It says nothing of whom a tenant knows by what name.
    """
    if kind == Participant.Kind.CONTACT:
        return contact_of(meeting.conversation_id)
    if kind == Participant.Kind.STAFF and member is not None:
        return f"staff-{member}"
    return f"{kind}-{secrets.token_hex(8)}"


def contact_of(conversation_id: uuid.UUID) -> str:
    """What LiveKit calls the contact of a conversation."""
    return f"{Participant.Kind.CONTACT}-{conversation_id.hex}"


def kind_of(identity: str) -> str:
    """What kind of person an identity of ours is of."""
    kind = identity.partition("-")[0]
    known = {Participant.Kind.CONTACT, Participant.Kind.STAFF, Participant.Kind.AGENT}
    return kind if kind in known else Participant.Kind.GUEST


def expiry(seconds: int) -> dt.datetime:
    """When a token that is made now ends."""
    return dt.datetime.fromtimestamp(int(time.time()) + seconds, dt.UTC)


def join_token(
    *, meeting: Meeting, tenant: str, identity: str, name: str, contact: str, expires_at: dt.datetime
) -> JoinToken:
    """A token for a meeting's room and no other. Whoever comes first finds it made, with an agent on its way.

    Args:
        tenant: its slug.
        identity: from `identity_of`.
        name: shown to the others.
        contact: whose conversation it is; empty where nobody said.
        expires_at: until when it lets somebody in; who is in stays.
    """
    from livekit import api
    from livekit.api.access_token import Claims

    attributes = {
        "tenant": tenant,
        "contact": contact,
        "conversation": str(meeting.conversation_id),
        "meeting": str(meeting.pk),
        "channel": "room",
    }
    claims = Claims(
        name=name,
        attributes=attributes,
        video=api.VideoGrants(
            room_join=True,
            room=meeting.room,
            can_publish=True,
            can_publish_sources=list(_SOURCES),
            can_subscribe=True,
            # Captions are data: who could send some could put words into the agent's mouth.
            can_publish_data=False,
            can_update_own_metadata=False,
        ),
        room_config=api.RoomConfiguration(
            max_participants=MOST_PARTICIPANTS,
            empty_timeout=LONGEST_SECONDS,
            departure_timeout=settings.VOICE_RETURN_SECONDS + _WITHOUT_AGENT_SECONDS,
            agents=[api.RoomAgentDispatch(agent_name=settings.LIVEKIT_AGENT_NAME)],
        ),
    )
    life = {
        "iss": settings.LIVEKIT_API_KEY,
        "sub": identity,
        # AccessToken.to_jwt begins now: a LiveKit whose clock is behind would not believe it.
        "nbf": int(time.time()) - LEEWAY_SECONDS,
        "exp": int(expires_at.timestamp()),
    }
    token = jwt.encode({**claims.asdict(), **life}, settings.LIVEKIT_API_SECRET, algorithm="HS256")
    return JoinToken(token, identity, expires_at)
