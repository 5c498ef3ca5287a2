"""Somebody in a room: speaks with espeak's voice, shows pictures, and hears what the agent says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from livekit import rtc

from tests.voice_worker.speech import silence, spoken

RATE: Final = 24_000
_FRAME_SECONDS: Final = 0.02
# Of what is heard, louder than this is somebody who speaks.
_LOUD: Final = 300


class Guest:
    """A headless participant."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.captions: list[str] = []  # what the agent says, as it is said
        self.heard = bytearray()  # of the agent, at RATE
        self._source = rtc.AudioSource(RATE, 1)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def join(self, url: str, token: str) -> None:
        """Come in with a microphone."""
        self.room.on("track_subscribed", self._subscribed)
        self.room.register_text_stream_handler("lk.transcription", self._captioned)
        await self.room.connect(url, token)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self._spawn(self._breathe())

    async def leave(self) -> None:
        """Go."""
        for task in list(self._tasks):
            task.cancel()
        await self.room.disconnect()

    async def say(self, text: str) -> None:
        """Speak, until the last word is out."""
        data, _ = spoken(text, rate=RATE)
        async with self._mouth:
            await self._play(data + silence(0.1, rate=RATE))

    async def show(self, pictures: Callable[[int], rtc.VideoFrame], *, fps: float = 5.0) -> None:
        """Share a screen from now on: `pictures(n)` is its nth picture."""
        first = pictures(0)
        source = rtc.VideoSource(first.width, first.height)
        track = rtc.LocalVideoTrack.create_video_track("screen", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE)
        await self.room.local_participant.publish_track(track, options)

        async def share() -> None:
            number = 0
            while True:
                source.capture_frame(pictures(number))
                number += 1
                await asyncio.sleep(1 / fps)

        self._spawn(share())

    def agents(self) -> list[rtc.RemoteParticipant]:
        """The agents in the room."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return [one for one in self.room.remote_participants.values() if one.kind == kind]

    async def until_said(self, words: str, *, seconds: float = 60.0) -> str:
        """Wait for the agent to say something. Returns all that it said."""
        said = ""
        for _ in range(int(seconds / 0.05)):
            said = " ".join("".join(self.captions).split())
            if words.lower() in said.lower():
                return said
            await asyncio.sleep(0.05)
        raise AssertionError(f"The agent said “{said}” and not “{words}” within {seconds} s.")

    # --- parts --------------------------------------------------------------------------------------------------------
    _mouth: asyncio.Lock

    async def _breathe(self) -> None:
        """A microphone is never quite without sound: silence between what is said."""
        while True:
            async with self._mouth:
                await self._play(silence(_FRAME_SECONDS, rate=RATE))

    async def _play(self, data: bytes) -> None:
        size = int(RATE * _FRAME_SECONDS) * 2
        for start in range(0, len(data), size):
            piece = data[start : start + size].ljust(size, b"\0")
            await self._source.capture_frame(rtc.AudioFrame(piece, RATE, 1, size // 2))

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._spawn(self._hear(track))

    async def _hear(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            self.heard += event.frame.data.tobytes()

    def _captioned(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if identity != self.room.local_participant.identity and any(one.identity == identity for one in self.agents()):
            self._spawn(self._read(reader))

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        async for piece in reader:
            self.captions.append(piece)
        self.captions.append(" ")

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@contextlib.asynccontextmanager
async def guest_in(url: str, token: str) -> AsyncIterator[Guest]:
    """A guest who is in the room for the length of the block."""
    guest = Guest(rtc.Room())
    guest._mouth = asyncio.Lock()
    await guest.join(url, token)
    try:
        yield guest
    finally:
        await guest.leave()
