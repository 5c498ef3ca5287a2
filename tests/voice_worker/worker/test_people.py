"""People in a room with an agent: who breaks in, is cut off, comes back, shows their screen, or brings others."""

from __future__ import annotations

import asyncio
import sys
import time

from livekit import api, rtc

from bench.vision.screen import slide
from switchboard.kernel.database import in_database
from tenants.models import Tenant
from tests.model_server.pictures import pictures_in
from tests.model_server.process import ModelServer
from tests.voice_worker.livekit_server import LiveKitServer
from tests.voice_worker.vision.frames import frame_of
from tests.voice_worker.worker.conftest import ROOT, Meetings, Worker
from tests.voice_worker.worker.guest import guest_in
from tests.voice_worker.worker.test_rooms import in_tenant, sessions_of, thread_of, until, until_silent
from voice_worker.meetings.tokens import contact_of, expiry, identity_of, join_token
from voice_worker.models import Meeting

WELCOME = "Welcome to Harbour House."


def hears(*terms: str) -> dict[str, object]:
    """A runtime config whose ears know what they are about to hear."""
    return {"stt": {"options": {"keyterm": list(terms)}}}


async def rooms_at(livekit: LiveKitServer) -> set[str]:
    async with api.LiveKitAPI(livekit.http_url, livekit.api_key, livekit.api_secret) as asked:
        found = await asked.room.list_rooms(api.ListRoomsRequest())
    return {room.name for room in found.rooms}


def token_for(livekit: LiveKitServer, meeting: Meeting, identity: str) -> str:
    grants = api.VideoGrants(room_join=True, room=meeting.room)
    return api.AccessToken(livekit.api_key, livekit.api_secret).with_identity(identity).with_grants(grants).to_jwt()


def guests_token(meeting: Meeting, tenant: Tenant) -> str:
    """A guest's way in, as the platform makes it."""
    return join_token(
        meeting=meeting,
        tenant=tenant.slug,
        identity=identity_of("guest", meeting),
        name="Ben",
        contact="",
        expires_at=expiry(300),
    ).token


async def cut_off_after_coming(url: str, token: str) -> None:
    """Somebody comes into a room, and is gone without a word."""
    words = ["-m", "tests.voice_worker.worker.cut_off", url, token]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"in\n"
    process.kill()
    await process.wait()


async def test_the_agent_stops_for_whoever_breaks_in_and_what_was_not_heard_is_not_kept(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="stub-50x20")

    async with guest_in(livekit.url, token) as guest:
        await until(lambda: sessions_of(harbour, meeting) == ["live"])
        await guest.say("hello. what time is breakfast?")
        await guest.until_said("1@")
        await guest.say("stop. stop please. thank you.")
        began = time.monotonic()
        thread = await until(lambda: (found := thread_of(harbour, meeting))[2:] and found)

    captions = "".join(guest.captions)
    said = thread[1][1]
    assert thread[1][0] == "agent"
    assert "0@" in said
    assert said.count("@") < 50, "nobody heard all of it"
    assert said.count("@") <= captions.count("@") + 1
    assert time.monotonic() - began < 60, "fifty of these take two minutes to say"


async def test_whoever_was_cut_off_finds_the_agent_as_they_left_it_and_nobody_is_waited_for_without_end(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="say-first", runtime=hears("hello there", "and the garden"))
    left, lefts_token = await meeting_of(harbour)
    alone, alones_token = await meeting_of(harbour)

    await cut_off_after_coming(livekit.url, alones_token)
    async with guest_in(livekit.url, lefts_token):
        await until(lambda: sessions_of(harbour, left) == ["live"])
    async with guest_in(livekit.url, token) as guest:
        await until(lambda: sessions_of(harbour, meeting) == ["live"])
        await guest.say("hello there")
        await until(lambda: len(thread_of(harbour, meeting)) == 2)
        await until_silent(guest)
    async with guest_in(livekit.url, token) as guest:  # left in order, and back
        await guest.say("and the garden")
        thread = await until(lambda: len(found := thread_of(harbour, meeting)) == 4 and found)
        assert thread[3] == ("agent", thread[0][1]), "it knows what was said before"
        assert thread[2] != thread[0]
    await cut_off_after_coming(livekit.url, token)
    async with guest_in(livekit.url, token) as guest:  # cut off, and back before LiveKit has noticed
        await asyncio.sleep(4.0)  # longer than an agent waits alone
        await guest.say("and the garden")
        await until(lambda: len(thread_of(harbour, meeting)) == 6)
        assert await in_database(sessions_of, harbour, meeting) == ["live"]
    for ended in (left, meeting, alone):
        assert await until(lambda ended=ended: sessions_of(harbour, ended) == ["ended"])  # type: ignore[misc]
    gone_by = time.monotonic() + 30
    while await rooms_at(livekit) & {left.room, meeting.room, alone.room}:  # whoever comes now is sent an agent
        assert time.monotonic() < gone_by, "a room that everybody has left is still there"
        await asyncio.sleep(0.2)


async def test_a_shared_screen_goes_to_the_model_with_the_question_about_it(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings, model_server: ModelServer
) -> None:
    seeing = {**hears("what is on my screen"), "vision": {"enabled": True}}
    meeting, token = await meeting_of(harbour, model="sees", runtime=seeing)
    frames = [frame_of(slide(number)) for number in range(3)]
    began = time.monotonic()

    async with guest_in(livekit.url, token) as guest:
        await guest.show(lambda _: frames[int(time.monotonic() - began) // 2 % 3])
        await until(lambda: sessions_of(harbour, meeting) == ["live"])
        await asyncio.sleep(4.0)
        await guest.say("what is on my screen")
        await until(lambda: len(thread_of(harbour, meeting)) == 2)

    pictures = pictures_in(model_server.requests()["requests"][-1])
    assert len(pictures) >= 2
    assert all(picture.label.startswith("Screen share, frame ") for picture in pictures)
    assert "(first)" in pictures[0].label
    assert "(most recent)" in pictures[-1].label


async def test_an_agent_is_there_for_its_contact_whoever_else_speaks(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="say", runtime=hears("hello there", "and the garden"))

    async with guest_in(livekit.url, token) as ada:
        await until(lambda: sessions_of(harbour, meeting) == ["live"])
        others = [token_for(livekit, meeting, f"guest-{number}") for number in range(2)]
        async with guest_in(livekit.url, others[0]) as ben, guest_in(livekit.url, others[1]):
            await ben.say("and the garden. and the garden.")
            await ada.say("hello there")
            thread = await until(lambda: len(found := thread_of(harbour, meeting)) == 2 and found)
            assert "hello" in thread[0][1].lower()
            kinds = rtc.ParticipantKind
            assert [one.kind for one in ada.agents()] == [kinds.PARTICIPANT_KIND_AGENT]
            assert ada.room.local_participant.identity == contact_of(meeting.conversation_id)
        await until_silent(ada)
        await ada.say("and the garden")  # the others have left; the agent has not
        await until(lambda: len(thread_of(harbour, meeting)) == 4)


async def test_a_guest_who_comes_first_is_told_whom_the_agent_waits_for_and_the_contact_is_welcomed(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    runtime = {"welcome_message": "Welcome back to your room, Ada."}
    meeting, token = await meeting_of(harbour, model="say", runtime=runtime)
    # The first to come brings the agent, with their token.
    first = await in_database(in_tenant, harbour, lambda: guests_token(meeting, harbour))

    async with guest_in(livekit.url, first) as ben:
        said = await ben.until_said("has yet to come")
        assert "Ada" not in said
        name = await in_database(in_tenant, harbour, lambda: meeting.conversation.agent.name)
        assert [one.name for one in ben.agents()] == [name], "everybody knows the agent by its name"
        async with guest_in(livekit.url, token) as ada:
            await ada.until_said("Welcome back to your room, Ada")
