"""Sound comes through as it was, whatever it travels as."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from switchboard.kernel.problems import Problem
from voice_worker.audio_stream.coding import HEARD_RATE, decoder_of, encoder_of
from voice_worker.audio_stream.protocol import OPUS_RATES

PITCH = 440


def tone(rate: int, seconds: float = 1.0) -> bytes:
    at = np.arange(int(rate * seconds)) / rate
    return bytes((np.sin(at * 2 * np.pi * PITCH) * 8000).astype(np.int16).tobytes())


def frame(data: bytes, rate: int) -> rtc.AudioFrame:
    return rtc.AudioFrame(data, rate, 1, len(data) // 2)


def samples_of(frames: list[rtc.AudioFrame]) -> Any:
    return np.frombuffer(b"".join(bytes(one.data) for one in frames), np.int16).astype(float)


def pitch_of(samples: Any, rate: int) -> float:
    heard = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(heard) * rate / len(samples))


def packets(rate: int, seconds: float = 1.0) -> list[bytes]:
    encoder = encoder_of("opus", rate)
    return [data for data, _ in [*encoder.encode(frame(tone(rate, seconds), rate)), *encoder.flush()]]


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_pcm_is_heard(rate: int) -> None:
    decoder = decoder_of("pcm16", rate)
    data, heard = tone(rate), []
    for at in range(0, len(data), 999):  # samples are cut in two
        heard += decoder.decode(data[at : at + 999])
    samples = samples_of(heard)
    assert {one.sample_rate for one in heard} == {HEARD_RATE}
    assert abs(len(samples) / HEARD_RATE - 1) < 0.05
    assert abs(pitch_of(samples, HEARD_RATE) - PITCH) < 5


@pytest.mark.parametrize("rate", OPUS_RATES)
def test_opus_is_heard(rate: int) -> None:
    decoder = decoder_of("opus", rate)
    samples = samples_of([heard for packet in packets(rate) for heard in decoder.decode(packet)])
    assert abs(len(samples) / HEARD_RATE - 1) < 0.1
    assert abs(pitch_of(samples[2000:], HEARD_RATE) - PITCH) < 5
    assert np.abs(samples[4000:8000]).max() > 3000


def test_lost_and_broken_packets_are_a_crackle() -> None:
    decoder = decoder_of("opus", 48_000)
    heard = 0
    for number, packet in enumerate(packets(48_000)):
        heard += len(decoder.decode(b"" if number % 7 == 3 else os.urandom(40) if number % 7 == 5 else packet))
    assert heard > 20


def test_what_is_no_opus_is_said_so() -> None:
    decoder = decoder_of("opus", 48_000)
    with pytest.raises(Problem) as refused:
        for _ in range(60):
            decoder.decode(b"\xff" * 7)
    assert refused.value.code == "bad_audio"


@pytest.mark.parametrize("encoding", ["pcm16", "opus"])
@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_speech_goes_out_whole(encoding: Any, rate: int) -> None:
    encoder = encoder_of(encoding, rate)
    spoken = frame(tone(22_050, 0.99), 22_050)
    messages = [*encoder.encode(spoken), *encoder.flush()]
    assert abs(sum(ms for _, ms in messages) - 990) < 50
    if encoding == "pcm16":
        samples = np.frombuffer(b"".join(data for data, _ in messages), np.int16)
        assert abs(pitch_of(samples, rate) - PITCH) < 5
        assert max(len(data) for data, _ in messages) <= rate * 2 * 40 // 1000
    # Another stretch begins anew.
    assert abs(sum(ms for _, ms in [*encoder.encode(spoken), *encoder.flush()]) - 990) < 50
