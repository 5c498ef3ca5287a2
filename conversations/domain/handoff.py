"""That a contact wants to talk to a person."""

from __future__ import annotations

import uuid

from django.utils import timezone

from conversations.models import Conversation
from switchboard.kernel.problems import NotFound
from switchboard.kernel.text import check_note


def request_handoff(*, conversation_id: uuid.UUID, reason: str) -> None:
    """Flag a conversation for the people who answer. Asked again, the first time stays and the reason is the last.

    Raises:
        NotFound: there is no such conversation.
    """
    note = check_note(reason, field="reason")
    row = Conversation.objects.select_for_update(no_key=True).filter(pk=conversation_id).first()
    if row is None:
        raise NotFound("conversation")
    row.handoff_requested_at = row.handoff_requested_at or timezone.now()
    row.handoff_reason = note
    # Not its `updated_at`: nothing was said.
    row.save(update_fields=["handoff_requested_at", "handoff_reason"])


def settle_handoff(*, conversation: Conversation) -> None:
    """Take the flag off: somebody has seen to it."""
    Conversation.objects.filter(pk=conversation.pk).update(handoff_requested_at=None, handoff_reason="")
