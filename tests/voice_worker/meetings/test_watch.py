"""Meetings whose webhooks never come: what LiveKit says of its rooms is asked for, and believed."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import F
from django.utils import timezone
from livekit import api, rtc

from switchboard.kernel.database import in_database
from switchboard.launcher.ports import free_port
from tenants import recovery
from tenants.context import scope_of, use_public, use_tenant
from tenants.domain.leases import Abandoned
from tenants.models import Tenant, WorkLease
from tests.conversations.caller import Caller
from tests.voice_worker.livekit_server import LiveKitServer
from voice_worker.models import Meeting, VoiceSession

MEETINGS = "/api/v1/meetings"


@pytest.fixture
async def meeting(hotel: Caller, rooms: LiveKitServer) -> dict[str, Any]:
    return await begin(hotel)


async def begin(company: Caller) -> dict[str, Any]:
    answer = await company.http.request("POST", MEETINGS, {"conversation": str(await company.begin())})
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json()
    return made


@contextlib.asynccontextmanager
async def inside(meeting: dict[str, Any]) -> AsyncIterator[rtc.Room]:
    room = rtc.Room()
    await asyncio.wait_for(room.connect(meeting["url"], meeting["token"]), 60)
    try:
        yield room
    finally:
        await room.disconnect()


@contextlib.asynccontextmanager
async def asking(rooms: LiveKitServer) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(rooms.url, rooms.api_key, rooms.api_secret) as client:
        yield client


async def shown(company: Caller, meeting: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await company.http.request("GET", f"{MEETINGS}/{meeting['id']}")).json()
    return found


async def looked_at(*meetings: tuple[Tenant, dict[str, Any]]) -> None:
    """Their time has come, and what is found has been seen to."""
    for tenant, meeting in meetings:
        await recovery.recover(Abandoned("meeting", UUID(meeting["id"]), scope_of(tenant), attempts=0))
    await asyncio.wait([task for task in asyncio.all_tasks() if task.get_name() == "look at meetings"])


def next_look(meeting: dict[str, Any]) -> float | None:
    """In how many seconds it is looked at again; None where it is watched no more."""
    with use_public():
        lease = WorkLease.objects.filter(object_id=meeting["id"]).first()
    return (lease.until - timezone.now()).total_seconds() if lease is not None else None


def change(tenant: Tenant, **values: Any) -> None:
    with use_tenant(tenant):
        Meeting.objects.update(**values)


async def test_who_comes_and_goes_unheard_is_found(
    hotel: Caller, harbour: Tenant, meeting: dict[str, Any], rooms: LiveKitServer
) -> None:
    async with inside(meeting):
        await looked_at((harbour, meeting))
        found = await shown(hotel, meeting)
        assert found["status"] == "live"
        assert [(one["identity"], one["kind"], one["left_at"]) for one in found["participants"]] == [
            (meeting["identity"], "contact", None)
        ]
    await looked_at((harbour, meeting))
    found = await shown(hotel, meeting)
    assert found["participants"][0]["left_at"] is not None
    assert found["status"] == "live", "the room is there still, and they may come back"

    async with asking(rooms) as livekit:
        await livekit.room.delete_room(api.DeleteRoomRequest(room=meeting["room"]))
    await looked_at((harbour, meeting))
    await looked_at((harbour, meeting))
    assert (await shown(hotel, meeting))["status"] == "live", "a server that was restarted has no rooms for a moment"
    await in_database(change, harbour, missing_since=F("missing_since") - dt.timedelta(seconds=30))
    await looked_at((harbour, meeting))
    found = await shown(hotel, meeting)
    assert (found["status"], found["agent"]) == ("ended", "gone")
    assert await in_database(next_look, meeting) is None


async def test_a_meeting_nobody_came_to_ends_once_nobody_can_come(
    hotel: Caller, harbour: Tenant, meeting: dict[str, Any]
) -> None:
    await looked_at((harbour, meeting))
    assert (await shown(hotel, meeting))["status"] == "planned"
    await in_database(change, harbour, joinable_until=timezone.now() - dt.timedelta(seconds=1))
    await looked_at((harbour, meeting))
    assert (await shown(hotel, meeting))["status"] == "ended"


async def test_each_company_hears_of_its_own_rooms(
    hotel: Caller, estate_agency: Caller, harbour: Tenant, agency: Tenant, meeting: dict[str, Any]
) -> None:
    elsewhere = await begin(estate_agency)
    async with inside(meeting):
        await looked_at((agency, elsewhere), (harbour, meeting))
        assert len((await shown(hotel, meeting))["participants"]) == 1
        found = await shown(estate_agency, elsewhere)
        assert (found["status"], found["participants"]) == ("planned", [])


async def test_nothing_is_concluded_while_livekit_is_away(
    hotel: Caller, harbour: Tenant, meeting: dict[str, Any], rooms: LiveKitServer, settings: Any
) -> None:
    async with inside(meeting):
        await looked_at((harbour, meeting))
        settings.LIVEKIT_URL = f"ws://127.0.0.1:{free_port()}"
        await looked_at((harbour, meeting))
        found = await shown(hotel, meeting)
        assert (found["status"], found["participants"][0]["left_at"]) == ("live", None)
        settings.LIVEKIT_URL = rooms.url
    await looked_at((harbour, meeting))
    assert (await shown(hotel, meeting))["participants"][0]["left_at"] is not None


async def calls_for_an_agent(rooms: LiveKitServer, meeting: dict[str, Any]) -> int:
    async with asking(rooms) as livekit:
        return len(await livekit.agent_dispatch.list_dispatch(meeting["room"]))


def elsewhere_at_work(tenant: Tenant) -> WorkLease:
    """A session of the tenant in another process."""
    until = timezone.now() + dt.timedelta(minutes=5)
    with use_public():
        return WorkLease.objects.create(kind="voice", object_id=uuid4(), tenant=tenant, owner="other", until=until)


async def test_whoever_waits_is_told_and_an_agent_is_called_until_it_is_too_late(
    hotel: Caller, harbour: Tenant, meeting: dict[str, Any], rooms: LiveKitServer, settings: Any
) -> None:
    assert (await shown(hotel, meeting))["agent"] == "expected"
    async with inside(meeting):
        assert await calls_for_an_agent(rooms, meeting) == 1, "LiveKit's own, with the room"
        await looked_at((harbour, meeting))
        assert (await shown(hotel, meeting))["agent"] == "coming"
        called = await calls_for_an_agent(rooms, meeting)
        assert called >= 2
        assert (await in_database(next_look, meeting) or 0) < 9, "and again soon"

        settings.TENANT_VOICE_SESSIONS = 1
        lease = await in_database(elsewhere_at_work, harbour)
        assert (await shown(hotel, meeting))["agent"] == "busy", "all places are taken"
        await looked_at((harbour, meeting))
        assert await calls_for_an_agent(rooms, meeting) == called, "no worker is sent that would have to leave"
        await in_database(lease.delete)
        assert (await shown(hotel, meeting))["agent"] == "coming"

        await in_database(change, harbour, agent_awaited_since=timezone.now() - dt.timedelta(minutes=6))
        assert (await shown(hotel, meeting))["agent"] == "unavailable"
        called = await calls_for_an_agent(rooms, meeting)
        await looked_at((harbour, meeting))
        assert await calls_for_an_agent(rooms, meeting) == called, "nobody is called any more"
    await looked_at((harbour, meeting))
    assert (await shown(hotel, meeting))["agent"] == "expected"


@pytest.mark.parametrize(
    ("status", "reason", "minutes_ago", "is_called"),
    [
        ("live", "", 1, False),
        ("lost", "worker_lost", 1, True),
        ("ended", "participant_disconnected", 0, True),
        ("ended", "user_initiated", 0, False),
        ("ended", "user_initiated", 60, True),
        ("failed", "speech_unavailable", 0, False),
    ],
    ids=["present", "lost", "its listener left", "has left", "left before they came", "can't speak"],
)
async def test_an_agent_is_called_where_one_would_be_of_use(
    hotel: Caller,
    harbour: Tenant,
    meeting: dict[str, Any],
    rooms: LiveKitServer,
    status: str,
    reason: str,
    minutes_ago: int,
    is_called: bool,
) -> None:
    def had_an_agent() -> None:
        with use_tenant(harbour):
            session = VoiceSession.objects.create(
                conversation_id=meeting["conversation"], meeting_id=meeting["id"], channel="room", status=status
            )
            ended_at = timezone.now() + dt.timedelta(seconds=10) - dt.timedelta(minutes=minutes_ago)
            VoiceSession.objects.filter(pk=session.pk).update(
                end_reason=reason, ended_at=None if status == "live" else ended_at
            )

    async with inside(meeting):
        await in_database(had_an_agent)
        await looked_at((harbour, meeting))
        assert (await calls_for_an_agent(rooms, meeting) > 1) is is_called
        assert ((await shown(hotel, meeting))["agent"] == "coming") is is_called
