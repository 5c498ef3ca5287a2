"""The meetings of a conversation, on its page, and the button that begins one."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db.models import Count, Q

from conversations.models import Conversation
from conversations.page_sections import Section
from voice_worker.meetings import queries
from voice_worker.models import Participant

_MOST: Final = 10


def meeting_section(conversation: Conversation) -> Section | None:
    """The newest meetings; None where there are none and can be none."""
    people = Count("participants__identity", distinct=True, filter=~Q(participants__kind=Participant.Kind.AGENT))
    rows = list(queries.meetings(conversation_id=conversation.pk).annotate(people=people)[:_MOST])
    if not rows and not settings.LIVEKIT_URL:
        return None
    under_way = next((row for row in rows if row.is_open), None)
    context = {
        "conversation": conversation,
        "meetings": rows,
        "under_way": under_way,
        "can_begin": bool(settings.LIVEKIT_URL),
    }
    return Section("admin/voice_worker/meeting/section.html", context)
