"""Whole recordings, by OpenAI's address for them, and what is no recording."""

from __future__ import annotations

import io
import wave
from typing import Any

import httpx2
import numpy as np
import openai
import pytest

from tests.voice_worker.speech import silence, spoken
from voice_worker.speech_server.multipart import form

_WORDS = "good morning how can I help you today"


def _wav(pcm: bytes, rate: int = 16_000, *, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


@pytest.fixture(scope="module")
def greeting() -> bytes:
    return silence(0.5) + spoken(_WORDS)[0] + silence(0.5)


def _write_down(url: str, file: bytes, **fields: Any) -> httpx2.Response:
    files = {"file": ("speech.wav", file, "audio/wav")}
    data = {"model": "pocketsphinx", "keyterm": [_WORDS], **fields}
    return httpx2.post(f"{url}/audio/transcriptions", files=files, data=data, timeout=60)


def test_a_recording_is_written_down(speech_url: str, greeting: bytes) -> None:
    answer = _write_down(speech_url, _wav(greeting), language="en")
    assert (answer.status_code, answer.json()) == (200, {"text": _WORDS})


def test_openais_own_client_is_answered(speech_url: str, greeting: bytes) -> None:
    with openai.OpenAI(base_url=speech_url, api_key="none") as client:
        file = ("speech.wav", _wav(greeting))
        answer = client.audio.transcriptions.create(
            model="pocketsphinx", file=file, language="en", extra_body={"keyterm": [_WORDS]}
        )
    assert answer.text == _WORDS


def test_sentences_of_a_recording_are_joined_and_may_come_as_text(speech_url: str, greeting: bytes) -> None:
    answer = _write_down(speech_url, _wav(greeting + silence(1) + greeting), response_format="text")
    assert answer.text == f"{_WORDS} {_WORDS}"
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_first_of_two_channels_is_heard(speech_url: str, greeting: bytes) -> None:
    left = np.frombuffer(greeting, "<i2")
    both = np.column_stack([left, np.zeros_like(left)]).tobytes()
    assert _write_down(speech_url, _wav(both, channels=2)).json() == {"text": _WORDS}


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        (b"", 400, "invalid_audio"),
        (b"not sound at all", 400, "invalid_audio"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", 400, "invalid_audio"),
        (_wav(silence(1))[:40], 400, "invalid_audio"),
        (_wav(bytes(8_000), width=1), 400, "invalid_audio"),
        (_wav(bytes(8_000), 4_000), 400, "invalid_audio"),
        (_wav(silence(301, rate=8_000), 8_000), 413, "recording_too_long"),
        (bytes(26 * 1024 * 1024), 413, "request_too_large"),
    ],
    ids=["empty", "text", "head", "cut", "8 bits", "4 kHz", "long", "large"],
)
def test_bad_recordings_are_refused(speech_url: str, file: bytes, status: int, code: str) -> None:
    answer = _write_down(speech_url, file)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_recording_that_was_cut_off_is_heard_as_far_as_it_goes(speech_url: str, greeting: bytes) -> None:
    assert _write_down(speech_url, _wav(greeting + silence(1))[: len(greeting)]).json() == {"text": _WORDS}


def test_other_languages_and_formats_are_refused(speech_url: str, greeting: bytes) -> None:
    for fields in ({"language": "de"}, {"response_format": "srt"}, {"keyterm": ["x" * 100]}):
        assert _write_down(speech_url, _wav(greeting), **fields).status_code == 400
    answer = httpx2.post(f"{speech_url}/audio/transcriptions", json={"file": "no"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_content_type")
    nothing = httpx2.post(f"{speech_url}/audio/transcriptions", files={"other": b"x"})
    assert (nothing.status_code, nothing.json()["error"]["param"]) == (400, "file")


@pytest.mark.parametrize(
    "body",
    [b"", b"--x", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n--x--", b"--x\r\n\r\n--x--"],
)
def test_forms_that_are_none_are_refused(speech_url: str, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = httpx2.post(f"{speech_url}/audio/transcriptions", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("invalid_form", "invalid_value")


def test_a_form_keeps_every_byte_of_a_file() -> None:
    file = bytes(range(256)) + b"\r\n--almost\r\n\r\n"
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a;b.wav"\r\n\r\n' + file
    body += b"\r\n--b\r\ncontent-disposition: form-data; name=keyterm[]\r\n\r\nsea\r\n--b--\r\n"
    assert form(b"multipart/form-data; boundary=b", body) == {"file": [file], "keyterm": [b"sea"]}
