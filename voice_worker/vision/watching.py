"""The screen shares and cameras of a room, into a buffer: at most one frame a second is taken from each.

While a stream is open, the SDK copies every frame into Python, thirty a second, whoever reads them. So one is opened
for each frame that is wanted and closed again; in between the track is decoded, as WebRTC must, and no more
(docs/adr/0032-vision.md has what that saves).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from livekit import rtc

from voice_worker.vision.buffer import FrameBuffer, Source

logger = logging.getLogger(__name__)

_SOURCES: Final[dict[int, Source]] = {
    rtc.TrackSource.SOURCE_SCREENSHARE: "screen",
    rtc.TrackSource.SOURCE_CAMERA: "camera",
}
_CLOSING_SECONDS: Final = 2.0
_EVENTS: Final[tuple[rtc.room.EventTypes, ...]] = (
    "track_published",
    "track_subscribed",
    "track_unsubscribed",
    "track_unpublished",
    "track_muted",
    "track_unmuted",
    "participant_disconnected",
    "reconnected",
)


@dataclass(frozen=True, slots=True)
class _Followed:
    sid: str
    track: rtc.RemoteVideoTrack
    task: asyncio.Task[None]


@contextlib.asynccontextmanager
async def watch_tracks(
    room: rtc.Room, buffer: FrameBuffer, *, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[None]:
    """Keep a buffer filled from a room's screen shares and cameras for as long as this is open.

    Of several tracks of a source the one that was published last is followed, and when it ends the one before it; the
    others aren't received.
    Tracks may be muted, taken back and published anew at any time.
    """
    watcher = _Watcher(room, buffer, clock)
    for name in _EVENTS:
        room.on(name, watcher.look_around)
    watcher.look_around()
    try:
        yield
    finally:
        for name in _EVENTS:
            room.off(name, watcher.look_around)
        await watcher.stop()


class _Watcher:
    def __init__(self, room: rtc.Room, buffer: FrameBuffer, clock: Callable[[], float]) -> None:
        self._room = room
        self._buffer = buffer
        self._clock = clock
        self._followed: dict[Source, _Followed] = {}
        self._order: dict[str, int] = {}  # of publications, as they were met
        self._closing: set[asyncio.Task[None]] = set()

    def look_around(self, *_: Any) -> None:
        """Something of the room has changed: follow what is to be seen now, and have nothing else sent."""
        wanted: dict[Source, rtc.RemoteTrackPublication] = {}
        seen: dict[Source, rtc.RemoteTrackPublication] = {}
        shown = [publication for publication in self._publications() if not publication.muted]
        for publication in shown:
            source = _SOURCES[publication.source]
            wanted[source] = publication  # the last one wins
            if publication.subscribed and publication.track is not None:
                seen[source] = publication
        for publication in shown:
            source = _SOURCES[publication.source]
            if publication is wanted[source]:
                self._subscribe(publication, True)
            elif publication is not seen.get(source):
                # Each that is sent is decoded, and in a meeting there may be a hundred cameras.
                self._subscribe(publication, False)
        for source in _SOURCES.values():
            self._follow(source, seen.get(source))

    def _publications(self) -> list[rtc.RemoteTrackPublication]:
        """Those that may show something, in the order they were met."""
        found = [
            publication
            for participant in self._room.remote_participants.values()
            for publication in participant.track_publications.values()
            if publication.kind == rtc.TrackKind.KIND_VIDEO and publication.source in _SOURCES
        ]
        for publication in found:
            self._order.setdefault(publication.sid, len(self._order))
        return sorted(found, key=lambda publication: self._order[publication.sid])

    def _subscribe(self, publication: rtc.RemoteTrackPublication, wanted: bool) -> None:
        # A room that was joined for sound alone doesn't send pictures by itself.
        if publication.subscribed == wanted:
            return
        try:
            publication.set_subscribed(wanted)
        except Exception:
            logger.warning("a track can't be subscribed to, or no longer", exc_info=True)

    def _follow(self, source: Source, publication: rtc.RemoteTrackPublication | None) -> None:
        before = self._followed.get(source)
        track = publication.track if publication is not None else None
        if before is not None and track is before.track and not before.task.done():
            return
        if before is not None:
            del self._followed[source]
            before.task.cancel()
            self._closing.add(before.task)
            before.task.add_done_callback(self._closing.discard)
            if publication is None:
                self._buffer.ended(source, self._clock())
        if publication is not None and isinstance(track, rtc.RemoteVideoTrack):
            _ask_for_enough(publication, self._buffer.longest)
            task = asyncio.get_running_loop().create_task(self._take_frames(source, track), name=f"watch {source}")
            self._followed[source] = _Followed(publication.sid, track, task)

    async def _take_frames(self, source: Source, track: rtc.RemoteVideoTrack) -> None:
        while True:
            await asyncio.sleep(self._buffer.wait(source, self._clock()))
            taken = await _next_frame(track)
            try:
                self._buffer.offer(taken.frame, source, self._clock(), rotation=int(taken.rotation))  # type: ignore[call-overload]
            except Exception:
                # One that nobody can read is no reason to be blind to all others.
                logger.warning("a frame can't be read", exc_info=True)
                await asyncio.sleep(self._buffer.pause)

    async def stop(self) -> None:
        """Follow nothing any more."""
        tasks = [followed.task for followed in self._followed.values()] + list(self._closing)
        self._followed.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _next_frame(track: rtc.RemoteVideoTrack) -> rtc.VideoFrameEvent:
    """The next frame of a track, whenever it comes."""
    stream = rtc.VideoStream(track, capacity=1)
    try:
        return await anext(stream)
    finally:
        # Bounded: a stream whose room is gone may never say that it has ended.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stream.aclose(), _CLOSING_SECONDS)


def _ask_for_enough(publication: rtc.RemoteTrackPublication, longest: int) -> None:
    """Of a track that comes in several sizes, the smallest that is large enough: less to receive and to decode."""
    if not publication.simulcasted:
        return
    side = max(publication.width, publication.height)
    quality = rtc.VideoQuality.VIDEO_QUALITY_HIGH
    if side // 4 >= longest:
        quality = rtc.VideoQuality.VIDEO_QUALITY_LOW
    elif side // 2 >= longest:
        quality = rtc.VideoQuality.VIDEO_QUALITY_MEDIUM
    with contextlib.suppress(ValueError):
        publication.set_video_quality(quality)
