"""What was heard of an answer that was spoken."""

from __future__ import annotations

import uuid

from conversations.models import Message


def keep_heard(*, turn_id: uuid.UUID, text: str) -> bool:
    """Cut an answer down to what was heard before the contact broke in; the thread goes on from there.

    Args:
        text: the words that were heard; nothing heard leaves no message.

    Returns:
        Whether there was a message to cut.
    """
    answers = Message.objects.filter(turn_id=turn_id, role=Message.Role.AGENT)
    heard = text.strip()
    if not heard:
        return bool(answers.delete()[0])
    return bool(answers.update(text=heard))
