"""A session as one comes about: a question, its answer, and another one that was broken in on."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from conversations.models import Turn
from tests.factories import ConversationFactory, TurnFactory, UsageFactory
from tests.voice_worker.timeline.factories import VoiceSessionFactory
from voice_worker.domain.timeline import Entry, record_entries
from voice_worker.models import VoiceSession


def held(*, turns: int = 2, **fields: Any) -> VoiceSession:
    """A session with so many turns in it. Each took 180 ms to be understood, 240 ms to its first word, and 130 ms more
    to its first sound, and cost 0.002 USD; hearing it all cost 0.001 USD.
    """
    conversation = fields.pop("conversation", None) or ConversationFactory.create(title="When is breakfast?")
    started = timezone.now() - dt.timedelta(seconds=60)
    fields = {"ended_at": started + dt.timedelta(seconds=8 * turns), **fields}
    session: VoiceSession = VoiceSessionFactory.create(conversation=conversation, **fields)
    VoiceSession.objects.filter(pk=session.pk).update(started_at=started)
    session.refresh_from_db()
    entries = [Entry("state", 0, data={"state": "listening"})]
    for number in range(turns):
        turn: Turn = TurnFactory.create(conversation=conversation, status="done")
        entries += said(turn.pk, number * 8000 + 500, interrupted=number % 2 == 1)
        UsageFactory.create(turn_id=turn.pk, conversation_id=conversation.pk, cost_usd="0.002")
    record_entries(session_id=session.pk, entries=entries)
    UsageFactory.create(conversation_id=conversation.pk, service="stt", provider="embedded", cost_usd="0.001")
    return session


def said(turn_id: uuid.UUID, at: int, *, interrupted: bool = False) -> list[Entry]:
    """What a turn that begins then leaves on the axis."""
    silent = at + 1500
    return [
        Entry("user_speech", at, silent),
        Entry("transcript", silent + 180, data={"text": f"When is breakfast <{at}>?"}),
        Entry("llm", silent + 200, silent + 900, turn_id, {"first_token_ms": 220, "model": "small-1"}),
        Entry("tool", silent + 300, silent + 350, turn_id, {"name": "weather", "ok": False}),
        Entry("tts", silent + 420, silent + 1200, turn_id, {"first_audio_ms": 130, "provider": "embedded"}),
        Entry("agent_speech", silent + 550, silent + 3000, turn_id, {"text": "From 7.", "interrupted": interrupted}),
        Entry("error", silent + 3100, turn_id=turn_id, data={"code": "tts_failed"}),
    ]
