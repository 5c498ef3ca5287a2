"""Screen shares and cameras of a real room, as somebody turns them on and off."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from livekit import api, rtc
from PIL import Image

from bench.vision.screen import editor, slide
from tests.voice_worker.livekit_server import LiveKitServer
from tests.voice_worker.vision.frames import decoded, difference, frame_of, patches
from voice_worker.vision.buffer import FrameBuffer
from voice_worker.vision.watching import watch_tracks

SCREEN = rtc.TrackSource.SOURCE_SCREENSHARE
CAMERA = rtc.TrackSource.SOURCE_CAMERA
QUICK = 0.1  # seconds between frames in these tests


class Sharing:
    """Somebody in a room who shows pictures thirty times a second."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self._tasks: list[asyncio.Task[None]] = []

    async def show(self, *pictures: Image.Image, source: Any = SCREEN) -> rtc.LocalTrackPublication:
        """Publish a track that goes round these pictures."""
        width, height = pictures[0].size
        frames = [frame_of(picture) for picture in pictures]
        video = rtc.VideoSource(width, height, is_screencast=source == SCREEN)
        track = rtc.LocalVideoTrack.create_video_track("shown", video)
        options = rtc.TrackPublishOptions(source=source, simulcast=False)
        publication = await self.room.local_participant.publish_track(track, options)

        async def play() -> None:
            number = 0
            while True:
                video.capture_frame(frames[number % len(frames)])
                number += 1
                await asyncio.sleep(1 / 30)

        self._tasks.append(asyncio.create_task(play()))
        return publication

    async def leave(self) -> None:
        """Go."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await self.room.disconnect()


class Meeting:
    """A room with somebody who shows things, and somebody who watches."""

    def __init__(self, server: LiveKitServer) -> None:
        self._server = server
        self._name = f"vision-{uuid.uuid4().hex}"
        self._rooms: list[rtc.Room] = []
        self._sharing: list[Sharing] = []

    async def join(self, who: str, *, auto_subscribe: bool = True) -> rtc.Room:
        grants = api.VideoGrants(room_join=True, room=self._name)
        token = api.AccessToken(self._server.api_key, self._server.api_secret).with_identity(who).with_grants(grants)
        room = rtc.Room()
        await room.connect(self._server.url, token.to_jwt(), rtc.RoomOptions(auto_subscribe=auto_subscribe))
        self._rooms.append(room)
        return room

    async def sharing(self, who: str) -> Sharing:
        self._sharing.append(Sharing(await self.join(who)))
        return self._sharing[-1]

    async def close(self) -> None:
        for sharing in self._sharing:
            await sharing.leave()
        for room in self._rooms:
            with contextlib.suppress(Exception):
                await room.disconnect()


@pytest.fixture
async def meeting(livekit: LiveKitServer) -> AsyncIterator[Meeting]:
    made = Meeting(livekit)
    yield made
    await made.close()


@pytest.fixture
def buffer() -> FrameBuffer:
    made = FrameBuffer()
    made.pause = QUICK
    return made


async def until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it didn't happen in time"
        await asyncio.sleep(0.02)


async def until_shown(buffer: FrameBuffer, picture: Image.Image) -> str:
    """Wait until the newest picture of a buffer is this one; returns its label."""
    label = ""

    def is_shown() -> bool:
        nonlocal label
        latest = buffer.latest(5)
        for image in latest:
            if image.label.endswith("(most recent)") and difference(decoded(image.jpeg), picture) < 12:
                label = image.label
                return True
        return False

    await until(is_shown)
    return label


async def test_a_shared_screen_and_a_camera_are_seen_at_most_once_a_second(meeting: Meeting) -> None:
    buffer = FrameBuffer()
    sharing = await meeting.sharing("contact")
    async with watch_tracks(await meeting.join("agent"), buffer):
        await sharing.show(editor(240, cursor=True), editor(240, cursor=False))
        await sharing.show(patches(1), source=CAMERA)
        assert (await until_shown(buffer, editor(240, cursor=False))).startswith("Screen share, frame")
        assert (await until_shown(buffer, patches(1))).startswith("Camera, frame")
        before = buffer.counters.seen
        await asyncio.sleep(3)
        assert 4 <= buffer.counters.seen - before <= 8  # of two tracks
        assert buffer.counters.dropped == 0  # nothing was taken that nobody wanted


async def test_what_was_shared_before_anybody_watched_is_seen(meeting: Meeting, buffer: FrameBuffer) -> None:
    sharing = await meeting.sharing("contact")
    await sharing.show(slide(0))
    async with watch_tracks(await meeting.join("agent"), buffer):
        await until_shown(buffer, slide(0))


async def test_who_joined_for_sound_alone_sees_all_the_same(meeting: Meeting, buffer: FrameBuffer) -> None:
    sharing = await meeting.sharing("contact")
    await sharing.show(slide(0))
    room = await meeting.join("agent", auto_subscribe=False)
    async with watch_tracks(room, buffer):
        await until_shown(buffer, slide(0))


async def test_sharing_may_end_and_begin_again(meeting: Meeting, buffer: FrameBuffer) -> None:
    sharing = await meeting.sharing("contact")
    async with watch_tracks(await meeting.join("agent"), buffer):
        for number in range(3):
            publication = await sharing.show(slide(number))
            assert "ended" not in await until_shown(buffer, slide(number))
            await sharing.room.local_participant.unpublish_track(publication.sid)
            await until(lambda: "ended" in buffer.latest(1)[0].label)


async def test_a_muted_camera_shows_nothing_until_it_is_unmuted(meeting: Meeting, buffer: FrameBuffer) -> None:
    sharing = await meeting.sharing("contact")
    async with watch_tracks(await meeting.join("agent"), buffer):
        publication = await sharing.show(patches(1), source=CAMERA)
        await until_shown(buffer, patches(1))
        track = publication.track
        assert isinstance(track, rtc.LocalVideoTrack)
        track.mute()
        await until(lambda: "ended" in buffer.latest(1)[0].label)
        seen = buffer.counters.seen
        await asyncio.sleep(0.5)
        assert buffer.counters.seen <= seen + 1
        track.unmute()
        await until(lambda: "ended" not in buffer.latest(1)[0].label)


async def test_of_two_screens_the_one_shared_last_is_seen_and_then_the_other(
    meeting: Meeting, buffer: FrameBuffer
) -> None:
    first, second = await meeting.sharing("ada"), await meeting.sharing("ben")
    async with watch_tracks(await meeting.join("agent"), buffer):
        await first.show(slide(0))
        await until_shown(buffer, slide(0))
        await second.show(patches(2))
        await until_shown(buffer, patches(2))
        await asyncio.sleep(3 * QUICK)
        await until_shown(buffer, patches(2))
        await second.leave()
        await until_shown(buffer, slide(0))


async def test_of_many_cameras_one_is_received(meeting: Meeting, buffer: FrameBuffer) -> None:
    people = [await meeting.sharing(f"person-{number}") for number in range(4)]
    room = await meeting.join("agent", auto_subscribe=False)

    def received() -> list[str]:
        return [
            who.identity
            for who in room.remote_participants.values()
            for publication in who.track_publications.values()
            if publication.subscribed
        ]

    async with watch_tracks(room, buffer):
        for number, person in enumerate(people):
            await person.show(patches(number), source=CAMERA)
            await until_shown(buffer, patches(number))
        await until(lambda: received() == ["person-3"])
        await people[3].leave()
        await until_shown(buffer, patches(2))
        await until(lambda: received() == ["person-2"])


async def test_nothing_is_taken_once_nobody_watches(meeting: Meeting, buffer: FrameBuffer) -> None:
    sharing = await meeting.sharing("contact")
    room = await meeting.join("agent")
    async with watch_tracks(room, buffer):
        await sharing.show(slide(0))
        await until_shown(buffer, slide(0))
    seen = buffer.counters.seen
    await asyncio.sleep(0.5)
    assert buffer.counters.seen == seen
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("watch")]


async def test_a_room_that_is_gone_holds_nobody_up(meeting: Meeting, buffer: FrameBuffer) -> None:
    sharing = await meeting.sharing("contact")
    room = await meeting.join("agent")
    began = time.monotonic()
    async with watch_tracks(room, buffer):
        await sharing.show(slide(0))
        await until_shown(buffer, slide(0))
        await room.disconnect()
        began = time.monotonic()
    assert time.monotonic() - began < 5


async def test_two_rooms_at_once_never_cross(livekit: LiveKitServer) -> None:
    meetings = [Meeting(livekit), Meeting(livekit)]
    shown = [slide(0), patches(7)]
    buffers = [FrameBuffer(), FrameBuffer()]
    sharing = [await meeting.sharing("contact") for meeting in meetings]
    rooms = [await meeting.join("agent") for meeting in meetings]
    async with watch_tracks(rooms[0], buffers[0]), watch_tracks(rooms[1], buffers[1]):
        for one, picture in zip(sharing, shown, strict=True):
            await one.show(picture)
        for buffer, picture in zip(buffers, shown, strict=True):
            await until_shown(buffer, picture)
        await asyncio.sleep(2.2)
    for buffer, picture in zip(buffers, shown, strict=True):
        assert all(difference(decoded(image.jpeg), picture) < 12 for image in buffer.latest(10))
    for meeting in meetings:
        await meeting.close()
