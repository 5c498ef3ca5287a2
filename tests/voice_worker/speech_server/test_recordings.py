"""Whole recordings, by OpenAI's and Deepgram's addresses for them."""

from __future__ import annotations

import io
import wave

import httpx2

from tests.voice_worker.speech import silence, spoken


def _wav(pcm: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


def test_a_recording_is_written_down(speech_url: str) -> None:
    pcm, rate = spoken("good morning how can I help you today")
    files = {"file": ("speech.wav", _wav(silence(0.5) + pcm + silence(0.5), rate), "audio/wav")}
    fields = {"model": "pocketsphinx", "language": "en", "keyterm": ["good morning", "how can I help you today"]}
    answer = httpx2.post(f"{speech_url}/audio/transcriptions", files=files, data=fields, timeout=30)
    assert answer.status_code == 200
    assert answer.json() == {"text": "good morning how can I help you today"}
