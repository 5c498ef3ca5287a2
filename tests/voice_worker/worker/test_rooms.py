"""`manage.py run_voice_worker` on a real LiveKit server: who is answered, by whom, and that nobody else is."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from livekit import api

from conversations.models import Message
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.voice_worker.livekit_server import LiveKitServer
from tests.voice_worker.worker.conftest import Meetings, Worker, running_worker
from tests.voice_worker.worker.guest import Guest, guest_in
from voice_worker.models import Meeting, VoiceSession

WELCOME = "Welcome to Harbour House."


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


async def until(holds: Callable[[], Any], *, seconds: float = 40.0) -> Any:
    """Wait for something in the database to hold."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await in_database(holds):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{holds} doesn't come to hold")


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
    surroundings: dict[str, str], livekit: LiveKitServer, web_process: None, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="stub", runtime={"welcome_message": WELCOME})

    with running_worker(surroundings) as first:
        async with guest_in(livekit.url, token) as guest:
            await guest.until_said(WELCOME)
            with running_worker(surroundings):
                first.kill()
                await guest.until_said("I am back", seconds=60)

            assert await in_database(sessions_of, harbour, meeting) == ["lost", "live"]


async def test_a_worker_that_is_asked_to_stop_lets_its_call_end(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="stub", runtime={"welcome_message": WELCOME})

    async with guest_in(livekit.url, token) as guest:
        await guest.until_said(WELCOME)
        worker.process.send_signal(signal.SIGTERM)
        await until_silent(guest)
        await guest.say("hello. are you still there?")
        await guest.until_said("0@")
        assert worker.process.poll() is None

    assert await asyncio.to_thread(worker.process.wait, 30) == 0
    assert await in_database(sessions_of, harbour, meeting) == ["ended"]
