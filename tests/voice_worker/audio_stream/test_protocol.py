"""What a client may say on an audio websocket."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import Any

import pytest

from switchboard.kernel.problems import Problem
from voice_worker.audio_stream.limits import Pace, one_of_few
from voice_worker.audio_stream.protocol import MOST_MESSAGE, End, Interrupt, Played, Sound, Start, parse

AGENT = uuid.UUID(int=7)


def said(**value: Any) -> Any:
    return parse(json.dumps(value))


def test_a_start_says_who_and_how() -> None:
    found = said(type="start", agent=str(AGENT), sample_rate=48_000, encoding="opus", format="base64", after=3)
    assert isinstance(found, Start)
    assert (found.agent, found.conversation, found.sample_rate, found.encoding) == (AGENT, None, 48_000, "opus")
    assert (found.form, found.after) == ("base64", 3)
    plain = said(type="start", conversation=str(AGENT))
    assert (plain.sample_rate, plain.encoding, plain.form, plain.after) == (24_000, "pcm16", "binary", None)


def test_the_other_requests() -> None:
    assert said(type="audio", audio=base64.b64encode(b"abc").decode()) == Sound(b"abc")
    assert said(type="played", segment=2, ms=812.4) == Played(2, 812)
    assert said(type="interrupt") == Interrupt()
    assert said(type="end") == End()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "unknown_request"),
        ({"type": "dance"}, "unknown_request"),
        ({"type": ["start"]}, "unknown_request"),
        ({"type": "start"}, "invalid_start"),
        ({"type": "start", "agent": "x"}, "invalid_start"),
        ({"type": "start", "agent": 7}, "invalid_start"),
        ({"type": "start", "agent": str(AGENT), "conversation": str(AGENT)}, "invalid_start"),
        ({"type": "start", "conversation": str(AGENT), "release": str(AGENT)}, "invalid_start"),
        ({"type": "start", "agent": str(AGENT), "encoding": "mp3"}, "invalid_encoding"),
        ({"type": "start", "agent": str(AGENT), "encoding": []}, "invalid_encoding"),
        ({"type": "start", "agent": str(AGENT), "format": "hex"}, "invalid_format"),
        ({"type": "start", "agent": str(AGENT), "sample_rate": 7_999}, "invalid_sample_rate"),
        ({"type": "start", "agent": str(AGENT), "sample_rate": 48_001}, "invalid_sample_rate"),
        ({"type": "start", "agent": str(AGENT), "sample_rate": True}, "invalid_sample_rate"),
        ({"type": "start", "agent": str(AGENT), "sample_rate": "8000"}, "invalid_sample_rate"),
        ({"type": "start", "agent": str(AGENT), "sample_rate": float("nan")}, "invalid_sample_rate"),
        ({"type": "start", "agent": str(AGENT), "encoding": "opus", "sample_rate": 44_100}, "invalid_sample_rate"),
        ({"type": "start", "agent": str(AGENT), "after": -1}, "invalid_after"),
        ({"type": "start", "agent": str(AGENT), "contact": "a\x00"}, "invalid_contact"),
        ({"type": "start", "agent": str(AGENT), "contact": "a" * 201}, "invalid_contact"),
        ({"type": "start", "agent": str(AGENT), "channel": "room"}, "invalid_channel"),
        ({"type": "audio", "audio": "!!"}, "invalid_audio"),
        ({"type": "audio", "audio": 7}, "invalid_audio"),
        ({"type": "audio", "audio": "\ud800"}, "invalid_audio"),
        ({"type": "played", "segment": 1}, "invalid_ms"),
        ({"type": "played", "segment": -1, "ms": 1}, "invalid_segment"),
        ({"type": "played", "segment": 1, "ms": 1e300}, "invalid_ms"),
    ],
)
def test_what_can_t_be_is_refused(value: Any, code: str) -> None:
    with pytest.raises(Problem) as refused:
        said(**value)
    assert refused.value.code == code
    assert refused.value.status < 500


@pytest.mark.parametrize("text", [None, "", "[]", "null", "{", "[" * 100_000, '"start"'])
def test_what_is_no_json_object_is_refused(text: str | None) -> None:
    with pytest.raises(Problem) as refused:
        parse(text)
    assert refused.value.code == "bad_request"


def test_a_message_of_any_size_isn_t_read() -> None:
    with pytest.raises(Problem) as refused:
        said(type="audio", audio="A" * 3 * MOST_MESSAGE)
    assert refused.value.code == "too_large"


def test_nobody_speaks_faster_than_time_passes() -> None:
    pace = Pace(10_000)
    for _ in range(39):
        pace.take(1_000)
    with pytest.raises(Problem) as refused:
        pace.take(4_000)
    assert refused.value.code == "audio_too_fast"
    patient = Pace(1_000_000)
    for _ in range(5):
        patient.take(20_000)
        time.sleep(0.02)


def test_a_process_has_so_many_places(settings: Any) -> None:
    settings.AUDIO_STREAMS = 1
    with one_of_few():
        with pytest.raises(Problem) as refused, one_of_few():
            raise AssertionError
        assert (refused.value.code, refused.value.status) == ("too_many_streams", 503)
    with one_of_few():
        pass
