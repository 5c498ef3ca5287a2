"""When an agent may not stay in a room: its tenant is suspended, the meeting is over, another has its place."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from conversations.domain.conversations import begin_conversation
from tenants.context import use_public
from tenants.domain.status import suspend_tenant
from tenants.models import Tenant
from tests.factories import AgentFactory
from voice_worker.directory.domain import close_room
from voice_worker.domain.meetings import begin_meeting
from voice_worker.domain.sessions import begin_session, end_session
from voice_worker.worker.admission import refusal


@pytest.fixture
def place(in_harbour: Tenant) -> dict[str, object]:
    """An agent at work in a meeting."""
    thread = begin_conversation(agent_id=AgentFactory.create().pk, channel="room")
    until = timezone.now() + dt.timedelta(minutes=5)
    meeting = begin_meeting(conversation_id=thread.pk, joinable_until=until).meeting
    begun = begin_session(conversation_id=thread.pk, channel="room", meeting_id=meeting.pk)
    return {"room": meeting.room, "session_id": begun.id}


def test_an_agent_at_work_may_stay(place: dict[str, str]) -> None:
    assert refusal(**place) == ""


def test_a_company_that_is_suspended_is_served_no_longer(place: dict[str, str], harbour: Tenant) -> None:
    with use_public():
        suspend_tenant(tenant=harbour)

    assert refusal(**place) == "tenant_not_served"


def test_a_room_that_was_closed_is_left(place: dict[str, str]) -> None:
    close_room(name=place["room"])

    assert refusal(**place) == "meeting_ended"


def test_an_agent_that_was_taken_for_dead_makes_way_for_the_next(place: dict[str, str]) -> None:
    end_session(session_id=uuid.UUID(str(place["session_id"])), status="lost", reason="worker_lost")

    assert refusal(**place) == "replaced"
