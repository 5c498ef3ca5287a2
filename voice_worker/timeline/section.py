"""The voice sessions of a conversation, on its page."""

from __future__ import annotations

from typing import Final

from conversations.models import Conversation
from conversations.page_sections import Section
from voice_worker import queries

_MOST: Final = 20


def voice_section(conversation: Conversation) -> Section | None:
    """The newest sessions of a thread; None for one that was only written."""
    rows = list(queries.sessions().filter(conversation=conversation).order_by("-id")[:_MOST])
    return Section("admin/voice_worker/session/section.html", {"sessions": rows}) if rows else None
