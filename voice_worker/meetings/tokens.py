"""What lets somebody into a meeting: a token of LiveKit's for exactly one room, made to last until they are in.

And what lets them ask how it stands, for as long as they go on asking: a pass of our own, which opens nothing else.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Final

import jwt
from django.conf import settings
from django.core import signing

from tenants.context import tenant_id
from voice_worker.models import Meeting, Participant

SHORTEST_SECONDS: Final = 60
DEFAULT_SECONDS: Final = 300
LONGEST_SECONDS: Final = 600
# LiveKit forgives a minute of difference between clocks; this is another one.
LEEWAY_SECONDS: Final = 60
MOST_PARTICIPANTS: Final = 100
# An agent closes the room when nobody has come back in time; without one, it waits so much longer.
_WITHOUT_AGENT_SECONDS: Final = 30
_SALT: Final = "a meeting's state"
_PASS_SECONDS: Final = 600
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


def pass_for(meeting: Meeting, identity: str) -> str:
    """What lets somebody ask how this meeting stands, within ten minutes, and nothing else.

    Args:
        identity: what LiveKit calls them.
    """
    return signing.dumps(_of(meeting, identity), salt=_SALT)


def bearer_of(token: str, meeting: Meeting) -> str | None:
    """The identity of whom a token lets into a meeting's room, or a pass ask about it; None where it is for neither, or
    has ended.
    """
    return _named_in_pass(token, meeting) or _let_in_by(token, meeting)


def _of(meeting: Meeting, identity: str) -> dict[str, str]:
    return {"tenant": str(tenant_id()), "meeting": str(meeting.pk), "identity": identity}


def _named_in_pass(token: str, meeting: Meeting) -> str | None:
    try:
        said = signing.loads(token, salt=_SALT, max_age=_PASS_SECONDS)
    except signing.BadSignature:
        return None
    identity = str(said.get("identity", "")) if isinstance(said, dict) else ""
    return identity if identity and said == _of(meeting, identity) else None


def _let_in_by(token: str, meeting: Meeting) -> str | None:
    try:
        claims = jwt.decode(
            token,
            settings.LIVEKIT_API_SECRET,
            algorithms=["HS256"],
            issuer=settings.LIVEKIT_API_KEY,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        return None
    video = claims.get("video")
    is_let_in = isinstance(video, dict) and video.get("roomJoin") is True and video.get("room") == meeting.room
    return str(claims["sub"]) or None if is_let_in else None
