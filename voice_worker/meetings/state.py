"""How a meeting stands, for a guest: somebody who was invited by link and is nobody to the API.

What let them into the room shows that they were invited to exactly this meeting. It ends within minutes, so each answer
brings a token of our own for the next question, which is good for this question about this meeting alone, and ends with
it, or when its bearer is removed from the room.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from ninja import Router

from conversations.api.schemas import Problem as ProblemSchema
from switchboard.kernel.database import in_database
from voice_worker.meetings import livekit, queries, schemas

router = Router()

_PROBLEMS: Final = dict.fromkeys((401, 422, 503), ProblemSchema)


@router.post(
    "/{meeting_id}/state",
    auth=None,
    response={200: schemas.MeetingState, **_PROBLEMS},
    summary="How a meeting stands",
)
async def state(request: Any, meeting_id: uuid.UUID, payload: schemas.StateQuestion) -> queries.MeetingState:
    """For whoever was invited by link, with the token that lets them in: whether it has begun and whether its agent is
    there, and nothing of the conversation. Whoever was removed from the room isn't told any more.
    """
    livekit.check_configured()
    return await in_database(queries.state_for, meeting_id=meeting_id, token=payload.token)
