"""How a meeting stands, for a guest: somebody who was invited by link and is nobody to the API.

What let them into the room shows that they were invited to exactly this meeting. It ends within minutes, so each answer
brings a token of our own for the next question, which is good for this question about this meeting alone, and ends with
it.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import jwt
from django.conf import settings
from django.core import signing
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from conversations.api.schemas import Problem as ProblemSchema
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem
from tenants.context import tenant_id
from voice_worker.meetings import livekit, queries
from voice_worker.meetings.tokens import LEEWAY_SECONDS
from voice_worker.models import Meeting

router = Router()

_SALT: Final = "a meeting's state"
_SECONDS: Final = 600
_PROBLEMS: Final = dict.fromkeys((401, 422, 503), ProblemSchema)


class Asked(Schema):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(
        min_length=1, max_length=8_000, description="LiveKit's, for this meeting's room, or the last answer's."
    )


class State(Schema):
    status: str
    agent: str = Field(description="As `GET /api/v1/meetings/{id}` has it.")
    token: str = Field(description="For the next question, within ten minutes; empty where the meeting is over.")


class NotInvited(Problem):
    def __init__(self) -> None:
        detail = "This link doesn't tell of this meeting, or not any more. Ask for a new one."
        super().__init__("not_authenticated", detail, status=401)


@router.post("/{meeting_id}/state", auth=None, response={200: State, **_PROBLEMS}, summary="How a meeting stands")
async def state(request: Any, meeting_id: uuid.UUID, payload: Asked) -> State:
    """For whoever was invited by link, with the token that lets them in: whether it has begun and whether its agent is
    there, and nothing of the conversation.
    """
    livekit.check_configured()
    return await in_database(state_for, meeting_id=meeting_id, token=payload.token)


def state_for(*, meeting_id: uuid.UUID, token: str) -> State:
    """How a meeting of the tenant in force stands.

    Raises:
        NotInvited: the token is another meeting's, has ended, or is none; or there is no such meeting.
    """
    meeting = Meeting.objects.filter(pk=meeting_id).first()
    if meeting is None or not (_is_ours(meeting, token) or _lets_into(meeting, token)):
        raise NotInvited
    return State(
        status=meeting.status,
        agent=queries.agent_of(meeting),
        token=signing.dumps(_of(meeting), salt=_SALT) if meeting.is_open else "",
    )


def _of(meeting: Meeting) -> dict[str, str]:
    return {"tenant": str(tenant_id()), "meeting": str(meeting.pk)}


def _is_ours(meeting: Meeting, token: str) -> bool:
    """Whether we made it for the next question about this meeting."""
    try:
        return bool(signing.loads(token, salt=_SALT, max_age=_SECONDS) == _of(meeting))
    except signing.BadSignature:
        return False


def _lets_into(meeting: Meeting, token: str) -> bool:
    """Whether LiveKit would let its holder into this meeting's room."""
    try:
        claims = jwt.decode(
            token,
            settings.LIVEKIT_API_SECRET,
            algorithms=["HS256"],
            issuer=settings.LIVEKIT_API_KEY,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp"]},
        )
    except jwt.InvalidTokenError:
        return False
    video = claims.get("video")
    return isinstance(video, dict) and video.get("roomJoin") is True and video.get("room") == meeting.room
