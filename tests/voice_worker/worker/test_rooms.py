"""`manage.py run_voice_worker` on a real LiveKit server: who is answered, by whom, and that nobody else is."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import av
import numpy as np
import psycopg
from django.core.files.storage import default_storage
from django.db import connections
from livekit import api
from psycopg import sql

from billing.models import UsageEvent
from conversations.models import Message
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.voice_worker.livekit_server import LiveKitServer
from tests.voice_worker.worker.conftest import Meetings, Worker, running_worker
from tests.voice_worker.worker.guest import Guest, guest_in
from voice_worker.models import Meeting, VoiceSession

WELCOME = "Welcome to Harbour House."
BRIEF = "stub-1x20"  # its answers are one number, for whoever waits until they are spoken


def in_tenant(tenant: Tenant, ask: Callable[[], Any]) -> Any:
    with use_tenant(tenant):
        return ask()


def thread_of(tenant: Tenant, meeting: Meeting) -> list[tuple[str, str]]:
    messages = Message.objects.filter(conversation=meeting.conversation_id)
    found: list[tuple[str, str]] = in_tenant(tenant, lambda: list(messages.values_list("role", "text")))
    return found


def sessions_of(tenant: Tenant, meeting: Meeting) -> list[str]:
    sessions = VoiceSession.objects.filter(meeting=meeting.pk).order_by("id")
    found: list[str] = in_tenant(tenant, lambda: list(sessions.values_list("status", flat=True)))
    return found


async def until(holds: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Wait for something in the database to hold."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await in_database(holds):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{holds} doesn't come to hold")


@contextmanager
def database_away() -> Iterator[None]:
    """No other process reaches the tests' database for the length of the block."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = sql.Identifier(connections["default"].settings_dict["NAME"])
    outside = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(outside, autocommit=True) as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname <> 'postgres' AND application_name <> %s",
                [connections["default"].settings_dict["OPTIONS"]["application_name"]],
            )
            yield
        finally:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


async def until_silent(guest: Guest) -> None:
    """Wait for the agent to have spoken."""
    quiet_since, known = time.monotonic(), -1
    while time.monotonic() - quiet_since < 0.8:
        recent = np.frombuffer(bytes(guest.heard[-9600:]), np.int16)
        loud = bool(len(recent) and np.abs(recent).max() > 500)
        if loud or known < 0:
            quiet_since, known = time.monotonic(), len(guest.heard)
        await asyncio.sleep(0.1)


async def test_somebody_speaks_in_a_meeting_and_is_answered_aloud(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="stub", runtime={"welcome_message": WELCOME})

    async with guest_in(livekit.url, token) as guest:
        await guest.until_said(WELCOME)
        await until_silent(guest)
        await guest.say("hello. what time is breakfast?")
        await guest.until_said("0@")
        thread = await until(lambda: len(thread_of(harbour, meeting)) == 2 and thread_of(harbour, meeting))
        assert [role for role, _ in thread] == ["contact", "agent"]
        assert len(guest.heard) > 48_000  # a second of sound at least
    assert await until(lambda: sessions_of(harbour, meeting) == ["ended"])


async def test_two_tenants_at_once_are_each_answered_by_their_own(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, agency: Tenant, meeting_of: Meetings
) -> None:
    hotel, hotels_token = await meeting_of(harbour, runtime={"welcome_message": "Welcome to the hotel."})
    estate, estates_token = await meeting_of(agency, runtime={"welcome_message": "Welcome to the agency."})

    async with guest_in(livekit.url, hotels_token) as ada, guest_in(livekit.url, estates_token) as ben:
        at_the_hotel = await ada.until_said("Welcome to the hotel.")
        at_the_agency = await ben.until_said("Welcome to the agency.")

    assert "agency" not in at_the_hotel
    assert "hotel" not in at_the_agency
    assert await in_database(sessions_of, agency, hotel) == []
    assert await in_database(sessions_of, harbour, estate) == []


async def test_a_room_that_is_nobodys_gets_no_agent(worker: Worker, livekit: LiveKitServer) -> None:
    grants = api.VideoGrants(room_join=True, room="harbour-01")
    made = api.RoomConfiguration(agents=[api.RoomAgentDispatch(agent_name="switchboard", metadata="harbour")])
    token = api.AccessToken(livekit.api_key, livekit.api_secret).with_identity("mallory").with_grants(grants)

    async with guest_in(livekit.url, token.with_room_config(made).to_jwt()) as guest:
        await asyncio.sleep(5.0)

        assert guest.captions == []
        assert guest.heard == b""


async def test_a_call_whose_worker_is_killed_is_taken_over_by_another(
    surroundings: dict[str, str],
    livekit: LiveKitServer,
    web_process: None,
    harbour: Tenant,
    meeting_of: Meetings,
    settings: Any,
) -> None:
    settings.LIVEKIT_AGENT_NAME = "mortal"
    meeting, token = await meeting_of(harbour, model="stub", runtime={"welcome_message": WELCOME})
    environment = {**surroundings, "LIVEKIT_AGENT_NAME": "mortal"}

    with running_worker(environment) as first:
        async with guest_in(livekit.url, token) as guest:
            await guest.until_said(WELCOME)
            with running_worker(environment):
                first.kill()
                await guest.until_said("I am back", seconds=120)

            assert await in_database(sessions_of, harbour, meeting) == ["lost", "live"]


async def test_whoever_came_before_any_worker_ran_is_greeted_once_one_does_and_it_stops_only_when_they_are_done(
    web_process: None,
    surroundings: dict[str, str],
    livekit: LiveKitServer,
    harbour: Tenant,
    meeting_of: Meetings,
    settings: Any,
) -> None:
    settings.LIVEKIT_AGENT_NAME = "late"
    meeting, token = await meeting_of(harbour, model="stub", runtime={"welcome_message": WELCOME})

    async with guest_in(livekit.url, token) as guest:
        with running_worker({**surroundings, "LIVEKIT_AGENT_NAME": "late"}) as worker:
            await guest.until_said(WELCOME, seconds=120)
            assert await in_database(sessions_of, harbour, meeting) == ["live"]

            worker.process.send_signal(signal.SIGTERM)
            await until_silent(guest)
            await guest.say("hello. are you still there?")
            await guest.until_said("0@")
            assert worker.process.poll() is None
            await guest.leave()
            assert await asyncio.to_thread(worker.process.wait, 60) == 0
    assert await in_database(sessions_of, harbour, meeting) == ["ended"]


async def test_a_call_goes_on_while_the_database_is_away_and_is_told_afterwards(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model=BRIEF, runtime={"welcome_message": WELCOME})

    async with guest_in(livekit.url, token) as guest:
        await guest.until_said(WELCOME)
        await until_silent(guest)
        await guest.say("hello. what time is breakfast?")
        await guest.until_said("0@")
        await until_silent(guest)
        guest.captions.clear()
        with database_away():
            await guest.say("hello. and what time is lunch?")
            await guest.until_said("0@")
            await until_silent(guest)
        await until(lambda: len(thread_of(harbour, meeting)) == 4)

    def used() -> list[str]:
        keys = UsageEvent.objects.filter(conversation_id=meeting.conversation_id, service="llm")
        return list(keys.values_list("idempotency_key", flat=True))

    assert [role for role, _ in await in_database(thread_of, harbour, meeting)] == ["contact", "agent"] * 2
    assert len(await in_database(in_tenant, harbour, used)) == 2
    assert await until(lambda: sessions_of(harbour, meeting) == ["ended"])


async def test_what_is_recorded_by_consent_holds_both_sides(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    behind = {"ambience": "office", "thinking": "keyboard", "volume": 0.2}
    meeting, token = await meeting_of(
        harbour, model="stub", recorded=True, runtime={"welcome_message": WELCOME, "background_audio": behind}
    )
    async with guest_in(livekit.url, token) as guest:
        await guest.until_said(WELCOME)
        await guest.say("thank you. good bye.")

    def recording() -> str:
        with use_tenant(harbour):
            return VoiceSession.objects.get(meeting=meeting.pk).recording

    name = await until(recording)
    assert name.startswith(f"{harbour.schema_name}/recordings/")
    with default_storage.open(name) as file, av.open(file) as container:
        seconds = sum(one.samples / one.sample_rate for one in container.decode(audio=0))
    assert seconds > 2.0
