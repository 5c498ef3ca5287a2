"""Who may do what with a meeting: what they may do with its conversation."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from conversations.models import Conversation
from switchboard.kernel.problems import NotFound
from tenants.api.authentication import ContactCaller
from tenants.permissions import Permission, require
from voice_worker.models import Meeting


def conversation_for(request: HttpRequest, conversation_id: uuid.UUID, permission: Permission) -> Conversation:
    """A conversation, where the caller has a permission on it.

    Raises:
        NotFound: there is none, or it is another contact's.
        Problem: 403 `forbidden`.
    """
    row = Conversation.objects.select_related("agent").filter(pk=conversation_id).first()
    check(request, row, permission, what="conversation")
    assert row is not None
    return row


def meeting_for(request: HttpRequest, meeting_id: uuid.UUID, permission: Permission) -> Meeting:
    """The same for a meeting."""
    row = Meeting.objects.select_related("conversation__agent").filter(pk=meeting_id).first()
    check(request, row.conversation if row is not None else None, permission, what="meeting")
    assert row is not None
    return row


def check(request: HttpRequest, conversation: Conversation | None, permission: Permission, *, what: str) -> None:
    """Raises what `conversation_for` does. `what` wasn't there is what is said, whatever was hidden."""
    caller = request.auth  # type: ignore[attr-defined]
    if isinstance(caller, ContactCaller):
        token = caller.token
        # The contact of a token is never nobody, so that nobody's conversations are nobody's to join.
        if (
            conversation is None
            or conversation.contact != token.contact
            or token.agent not in {None, conversation.agent_id}
        ):
            raise NotFound(what)
    elif conversation is None:
        require(caller, permission)
        raise NotFound(what)
    else:
        require(caller, permission, on=conversation)
