"""A job that can't do its work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.utils import timezone

from conversations.domain.conversations import begin_conversation
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.factories import AgentFactory
from voice_worker.domain.meetings import begin_meeting
from voice_worker.domain.sessions import Begun, begin_session
from voice_worker.models import Meeting, VoiceSession


class LostRoom:
    """LiveKit's side of a job whose room can't be connected to."""

    room = None

    def __init__(self) -> None:
        self.ends: list[Callable[[str], Awaitable[None]]] = []

    def add_shutdown_callback(self, end: Callable[[str], Awaitable[None]]) -> None:
        self.ends.append(end)

    async def connect(self, **_: Any) -> None:
        raise ConnectionError("no signal")


async def test_a_room_that_one_worker_can_t_connect_to_waits_for_another(
    web_process: None, harbour: Tenant, settings: Any
) -> None:
    from voice_worker.worker.job import _RoomSession

    def begin() -> Begun:
        thread = begin_conversation(agent_id=AgentFactory.create().pk, channel="room")
        until = timezone.now() + dt.timedelta(minutes=5)
        meeting = begin_meeting(conversation_id=thread.pk, joinable_until=until).meeting
        return begin_session(conversation_id=thread.pk, channel="room", meeting_id=meeting.pk)

    settings.SPEECH_URL = "http://127.0.0.1:9"
    room: Any = LostRoom()
    with use_tenant(harbour):
        begun = await in_database(begin)
        with pytest.raises(ConnectionError):
            await _RoomSession(room, begun).run()
        for end in room.ends:
            await end("job crashed")

        session = await in_database(VoiceSession.objects.get)
        meeting = await in_database(Meeting.objects.get)
    assert (session.status, session.end_reason) == ("lost", "worker_lost")
    assert meeting.agent_awaited_since is not None
