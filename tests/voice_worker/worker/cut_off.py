"""Somebody in a room who can be cut off: a process of its own, that ends without leaving.

    python -m tests.voice_worker.worker.cut_off <url> <token>

Prints `in` once it is in the room with a microphone, and stays.
"""

from __future__ import annotations

import asyncio
import sys

from livekit import rtc


async def stay(url: str, token: str) -> None:
    room = rtc.Room()
    await room.connect(url, token)
    source = rtc.AudioSource(24_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    sys.stdout.write("in\n")
    sys.stdout.flush()
    while True:
        await source.capture_frame(rtc.AudioFrame(bytes(960), 24_000, 1, 480))


if __name__ == "__main__":
    asyncio.run(stay(sys.argv[1], sys.argv[2]))
