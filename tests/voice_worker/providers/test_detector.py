"""Speech is told from silence, and no thread is asked for it."""

from __future__ import annotations

import threading

import pytest
from livekit import rtc
from livekit.agents.vad import VADEventType

from tests.voice_worker.speech import silence, spoken
from voice_worker.providers.detector import AtOnce, speech_detector


async def test_it_tells_where_speech_begins_and_ends() -> None:
    stream = speech_detector().stream()
    threads = threading.active_count()
    pcm = silence(0.5) + spoken("Good morning, how are you?")[0] + silence(1.0)
    stream.push_frame(rtc.AudioFrame(pcm, 16_000, 1, len(pcm) // 2))
    stream.end_input()

    kinds = [event.type async for event in stream if event.type is not VADEventType.INFERENCE_DONE]

    assert kinds[0] is VADEventType.START_OF_SPEECH
    assert kinds[-1] is VADEventType.END_OF_SPEECH
    assert threading.active_count() == threads
    await stream.aclose()


def test_what_is_done_at_once_is_done_here() -> None:
    assert AtOnce().submit(threading.get_ident).result() == threading.get_ident()


def test_what_fails_at_once_fails_where_it_is_asked_for() -> None:
    failed = AtOnce().submit(int, "none")

    with pytest.raises(ValueError, match="none"):
        failed.result()
