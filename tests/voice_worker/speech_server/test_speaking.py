"""What is written is spoken: livekit's own client of OpenAI against the real process, and others by hand."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import psutil
import pytest
from livekit.plugins import openai

from tests.voice_worker.speech import running_speech_server, spoken
from voice_worker.speech_server.speaking import sentences

_GREETING = "Good morning. How can I help you today?"
_RATE = 24_000


def _say(url: str, text: str = _GREETING, **request: Any) -> httpx2.Response:
    body = {"model": "espeak-ng", "input": text, "response_format": "pcm", **request}
    return httpx2.post(f"{url}/audio/speech", json=body, timeout=30)


def _seconds(answer: httpx2.Response) -> float:
    assert answer.status_code == 200, answer.text
    return len(answer.content) / 2 / _RATE


async def test_livekits_client_gets_the_voice_piece_by_piece(speech_url: str) -> None:
    mouth = openai.TTS(base_url=speech_url, api_key="none", model="espeak-ng", voice="en-us", response_format="pcm")
    started = time.perf_counter()
    seconds, first = 0.0, 0.0
    async for piece in mouth.synthesize(_GREETING * 20):
        first = first or time.perf_counter() - started
        assert piece.frame.sample_rate == _RATE
        seconds += piece.frame.duration
    await mouth.aclose()
    assert seconds > 30
    assert first < time.perf_counter() - started


def test_it_is_the_voice_of_espeak(speech_url: str) -> None:
    answer = _say(speech_url, "Good morning")
    assert answer.headers["content-type"] == "audio/pcm"
    heard, expected = _loudness(answer.content), _loudness(spoken("Good morning", rate=_RATE)[0])
    assert abs(len(heard) - len(expected)) <= 3
    shorter = min(len(heard), len(expected))
    assert np.corrcoef(heard[:shorter], expected[:shorter])[0, 1] > 0.9


def _loudness(pcm: bytes) -> Any:
    """Of each hundredth of a second; espeak-ng does not give the same samples twice."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return np.sqrt((samples[: len(samples) // 240 * 240].reshape(-1, 240) ** 2).mean(axis=1))


def test_a_wav_file_says_its_rate(speech_url: str) -> None:
    with wave.open(io.BytesIO(_say(speech_url, response_format="wav").content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (_RATE, 1, 2)
        assert np.abs(np.frombuffer(file.readframes(_RATE), "<i2")).max() > 1_000


@pytest.mark.parametrize("voice", ["de", "fr", "es", "en-gb", "de-AT", "pt-br", "en-us+f3", "alloy"])
def test_it_speaks_languages_and_knows_openais_voices(speech_url: str, voice: str) -> None:
    assert 0.5 < _seconds(_say(speech_url, "Internationale Information", voice=voice)) < 4


def test_languages_sound_different(speech_url: str) -> None:
    assert _say(speech_url, voice="de").content != _say(speech_url, voice="en-us").content


def test_it_speaks_faster_and_slower(speech_url: str) -> None:
    slow, usual, fast = (_seconds(_say(speech_url, speed=speed)) for speed in (0.5, 1, 2))
    assert slow > 1.3 * usual > 1.5 * 1.3 * fast


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"input": ""}, "invalid_value"),
        ({"input": " \n"}, "invalid_value"),
        ({"input": ["a"]}, "invalid_value"),
        ({"input": "a" * 5_000}, "input_too_long"),
        ({"voice": "../../etc"}, "voice_not_found"),
        ({"voice": "xq"}, "voice_not_found"),
        ({"voice": 7}, "voice_not_found"),
        ({"speed": 0}, "invalid_value"),
        ({"speed": "fast"}, "invalid_value"),
        ({"response_format": "mp3"}, "invalid_value"),
    ],
)
def test_what_cannot_be_spoken_gets_openais_error_object(speech_url: str, request_: dict[str, Any], code: str) -> None:
    answer = _say(speech_url, **{"text": "Hello", **request_} if "input" not in request_ else {})
    if "input" in request_:
        body = {"model": "espeak-ng", "response_format": "pcm", **request_}
        answer = httpx2.post(f"{speech_url}/audio/speech", json=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_other_bodies_and_addresses_are_refused(speech_url: str) -> None:
    json_type = {"content-type": "application/json"}
    address = f"{speech_url}/audio/speech"
    assert httpx2.post(address, content=b"{", headers=json_type).status_code == 400
    assert httpx2.post(address, content=b"[" * 50_000, headers=json_type).status_code == 400
    assert httpx2.post(address, content=b"{}", headers={"content-type": "text/plain"}).status_code == 400
    assert httpx2.post(address, content=b" " * 200_000, headers=json_type).status_code == 413
    assert (
        httpx2.post(address, json={"input": "Hi"}, headers={"origin": "https://elsewhere.example"}).status_code == 403
    )
    assert httpx2.get(address).status_code == 405
    assert httpx2.get(f"{speech_url}/nothing").status_code == 404


def test_odd_texts_are_spoken(speech_url: str) -> None:
    for text in ("a\\ud800b\\u0000c", "🏨 宿泊", "<speak>&amp;</speak>", "[[h@l'oU]]", "x" * 4_000, "!?" * 1_000):
        body = '{"input": "' + text + '", "response_format": "pcm"}'
        answer = httpx2.post(
            f"{speech_url}/audio/speech", content=body, headers={"content-type": "application/json"}, timeout=60
        )
        assert answer.status_code == 200, text


def test_many_speak_at_once_each_their_own_words(speech_url: str) -> None:
    texts = ["This is one more guest. " * number for number in range(1, 13)]
    alone = [_seconds(_say(speech_url, text)) for text in texts]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda text: _seconds(_say(speech_url, text)), texts))
    assert together == pytest.approx(alone, rel=0.02)
    assert len({round(seconds) for seconds in together}) == 12


@pytest.fixture
def own_server() -> Iterator[tuple[str, int]]:
    with running_speech_server() as (url, process):
        yield url, process.pid


def test_a_killed_voice_is_replaced(own_server: tuple[str, int]) -> None:
    url, server = own_server
    before = _seconds(_say(url))
    family = psutil.Process(server).children(recursive=True)
    os.kill(next(one.pid for one in family if one.ppid() != server), signal.SIGKILL)
    assert _seconds(_say(url)) == pytest.approx(before, rel=0.02)


def test_a_text_is_spoken_sentence_by_sentence() -> None:
    assert list(sentences("Good morning! We open at 7.30.\n\nSee you; until then.  ")) == [
        "Good morning!",
        "We open at 7.30.",
        "See you;",
        "until then.",
    ]
    assert [len(piece) for piece in sentences("word " * 200)] == [599, 399]
    assert list(sentences("x" * 1_300)) == ["x" * 600, "x" * 600, "x" * 100]


def test_health_and_models_are_told(speech_url: str) -> None:
    health = httpx2.get(speech_url.replace("/v1", "/healthz")).json()
    assert health["status"] == "ok"
    assert json.dumps(httpx2.get(f"{speech_url}/models").json()).count('"id"') == 2
