"""A tenant's voice sessions at once: in rooms and over audio websockets together, each tenant's its own."""

from __future__ import annotations

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from conversations.domain.conversations import begin_conversation
from switchboard.kernel.problems import Problem
from tenants.context import scope_of, use_public, use_tenant
from tenants.models import Tenant, WorkLease
from tests.factories import AgentFactory
from voice_worker.domain.places import is_full
from voice_worker.domain.sessions import begin_session, end_session, session_elsewhere
from voice_worker.models import Meeting, VoiceSession

MOST = 3


@pytest.fixture(autouse=True)
def _few(settings) -> None:
    settings.TENANT_VOICE_SESSIONS = MOST


def begin(channel: str = "audio") -> uuid.UUID:
    thread = begin_conversation(agent_id=AgentFactory.create().pk, channel=channel)
    return begin_session(conversation_id=thread.pk, channel=channel).id


def refused() -> Problem:
    with pytest.raises(Problem) as caught:
        begin()
    assert (caught.value.code, caught.value.status) == ("too_many_voice_sessions", 429)
    return caught.value


def test_rooms_and_sockets_share_the_places_and_the_next_gets_the_one_that_is_free(in_harbour: Tenant) -> None:
    begun = [begin("room"), begin("audio"), begin("call")]
    assert int(refused().headers["Retry-After"]) > 0
    assert VoiceSession.objects.count() == MOST
    end_session(session_id=begun[0])
    begin()
    refused()


def test_the_places_of_a_process_that_was_killed_are_free_when_its_leases_lapse(in_harbour: Tenant) -> None:
    for _ in range(MOST):
        begin()
    refused()
    WorkLease.objects.filter(kind="voice").update(until=timezone.now() - dt.timedelta(seconds=1))
    begin()


def test_companies_have_places_of_their_own_and_the_operators_may_note_how_many(
    in_harbour: Tenant, agency: Tenant
) -> None:
    for _ in range(MOST):
        begin()
    with use_tenant(agency):
        begin()
    for noted, allowed in ((0, True), (MOST + 1, True), (MOST, False), ("many", False), (True, False)):
        in_harbour.metadata = {"voice_sessions_at_once": noted}
        with use_tenant(scope_of(in_harbour)):
            assert is_full() is not allowed


def test_a_worker_of_somebodys_own_takes_no_place(in_harbour: Tenant) -> None:
    for _ in range(MOST):
        thread = begin_conversation(agent_id=AgentFactory.create().pk, channel="room")
        meeting = Meeting.objects.create(conversation=thread, room=uuid.uuid4().hex, joinable_until=timezone.now())
        session_elsewhere(meeting_id=meeting.pk)
    begin()


@pytest.mark.usefixtures("live_tenants")
def test_of_many_who_come_at_once_no_more_get_in_than_there_are_places(harbour: Tenant) -> None:
    def make() -> list[uuid.UUID]:
        agent = AgentFactory.create()
        return [begin_conversation(agent_id=agent.pk, channel="audio").pk for _ in range(3 * MOST)]

    def come(conversation_id: uuid.UUID) -> bool:
        try:
            with use_tenant(harbour):
                begin_session(conversation_id=conversation_id, channel="audio")
        except Problem:
            return False
        finally:
            with use_public():
                connection.close()
        return True

    with use_tenant(harbour):
        threads = make()
    with ThreadPoolExecutor(MOST * 3) as pool:
        assert sum(pool.map(come, threads)) == MOST
