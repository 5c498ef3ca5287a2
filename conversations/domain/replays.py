"""A turn run again, on another release perhaps."""

from __future__ import annotations

import uuid

from asgiref.sync import async_to_sync

from agents.domain.rehearsals import Rehearsal, rehearse
from agents.models import Release
from conversations.domain.turns import said_before
from conversations.models import Message, Turn
from switchboard.kernel.database import release_connections
from switchboard.kernel.problems import Conflict, NotFound


def run_again(*, turn: Turn, release_id: uuid.UUID) -> Rehearsal:
    """Answer a turn's message once more, with what was said before it, on a release of the same agent.

    The conversation stays as it is, and nothing that tools would change is changed. Waits for the answer.

    Raises:
        NotFound: the agent has no such release.
        Conflict: `nothing_was_asked`.
    """
    conversation = turn.conversation
    if not Release.objects.filter(pk=release_id, agent_id=conversation.agent_id).exists():
        raise NotFound("release")
    question = Message.objects.filter(turn=turn, role=Message.Role.CONTACT).values_list("text", flat=True).first()
    if question is None:
        raise Conflict("nothing_was_asked", "The message that this turn answered isn't there any more.")
    history = said_before(conversation.pk, before=turn.pk)
    release_connections()
    return async_to_sync(rehearse)(
        release_id=release_id, history=history, question=question, contact=conversation.contact
    )
