"""Sound as it travels, and as livekit-agents takes and gives it. Loaded when somebody first speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from livekit import rtc

from switchboard.kernel.problems import Problem
from voice_worker.audio_stream.protocol import Encoding

HEARD_RATE: Final = 16_000  # what ears are built for; a telephone has half of it
CHUNK_MS: Final = 40
_OPUS_MS: Final = 20
_MOST_BAD: Final = 50  # Opus packets in a row that are none


class Decoder(Protocol):
    """From the client's bytes to frames at `HEARD_RATE`."""

    def decode(self, data: bytes) -> list[rtc.AudioFrame]:
        """Frames. Raises `Problem` for what is no sound."""
        ...


class Encoder(Protocol):
    """From frames of any rate to messages: bytes, and for how many milliseconds they last."""

    def encode(self, frame: rtc.AudioFrame) -> list[tuple[bytes, float]]:
        """Messages that are complete."""
        ...

    def flush(self) -> list[tuple[bytes, float]]:
        """What is left of a stretch of speech."""
        ...


def decoder_of(encoding: Encoding, rate: int) -> Decoder:
    """For what a client sends."""
    return _OpusDecoder() if encoding == "opus" else _PcmDecoder(rate)


def encoder_of(encoding: Encoding, rate: int) -> Encoder:
    """For what it is sent."""
    return _OpusEncoder(rate) if encoding == "opus" else _PcmEncoder(rate)


def bytes_a_second(encoding: Encoding, rate: int) -> int:
    """What somebody who speaks sends at most."""
    return rate * 2 if encoding == "pcm16" else 512_000 // 8


class _Resampler:
    """One channel from a rate to another; nothing is done where they are the same."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._from = 0
        self._inner: rtc.AudioResampler | None = None

    def push(self, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        if frame.sample_rate == self._rate:
            return [frame]
        if self._inner is None or self._from != frame.sample_rate:
            self._from = frame.sample_rate
            self._inner = rtc.AudioResampler(frame.sample_rate, self._rate, quality=rtc.AudioResamplerQuality.QUICK)
        return list(self._inner.push(frame))

    def flush(self) -> list[rtc.AudioFrame]:
        inner, self._inner = self._inner, None
        return list(inner.flush()) if inner is not None else []


class _PcmDecoder:
    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._half = b""  # of a sample that was cut in two
        self._resampler = _Resampler(HEARD_RATE)

    def decode(self, data: bytes) -> list[rtc.AudioFrame]:
        whole = self._half + data
        end = len(whole) // 2 * 2
        self._half = whole[end:]
        if not end:
            return []
        return self._resampler.push(rtc.AudioFrame(whole[:end], self._rate, 1, end // 2))


class _OpusDecoder:
    def __init__(self) -> None:
        self._bad = 0
        self._resampler = _Resampler(HEARD_RATE)
        self._codec = self._opened()

    def decode(self, data: bytes) -> list[rtc.AudioFrame]:
        import av

        if not data:
            return []
        try:
            frames = self._codec.decode(av.Packet(data))
        except av.error.FFmpegError:
            # A packet is lost now and then; a client that sends something else altogether is told so.
            self._codec = self._opened()
            self._bad += 1
            if self._bad >= _MOST_BAD:
                raise Problem("bad_audio", "This is no Opus: send one packet a message.", status=422) from None
            return []
        self._bad = 0
        return [heard for frame in frames for heard in self._resampler.push(_mono(frame))]

    def _opened(self) -> Any:
        import av

        codec = av.CodecContext.create("libopus", "r")
        codec.layout = "mono"
        return codec


def _mono(frame: Any) -> rtc.AudioFrame:
    samples = frame.to_ndarray().reshape(-1)
    return rtc.AudioFrame(samples.tobytes(), frame.sample_rate, 1, len(samples))


class _PcmEncoder:
    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = rate * CHUNK_MS // 1000 * 2
        self._resampler = _Resampler(rate)
        self._left = bytearray()

    def encode(self, frame: rtc.AudioFrame) -> list[tuple[bytes, float]]:
        for resampled in self._resampler.push(frame):
            self._left += resampled.data.cast("B")
        return list(self._whole())

    def flush(self) -> list[tuple[bytes, float]]:
        for resampled in self._resampler.flush():
            self._left += resampled.data.cast("B")
        chunks = list(self._whole())
        if self._left:
            chunks.append((bytes(self._left), len(self._left) / 2 / self._rate * 1000))
            self._left.clear()
        return chunks

    def _whole(self) -> Iterator[tuple[bytes, float]]:
        while len(self._left) >= self._size:
            yield bytes(self._left[: self._size]), self._size / 2 / self._rate * 1000
            del self._left[: self._size]


class _OpusEncoder:
    def __init__(self, rate: int) -> None:
        import av

        self._rate = rate
        self._pcm = _PcmEncoder(rate)
        self._size = rate * _OPUS_MS // 1000 * 2
        self._at = 0
        self._left = bytearray()
        self._codec: Any = av.CodecContext.create("libopus", "w")
        self._codec.sample_rate = rate
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.options = {"application": "voip"}

    def encode(self, frame: rtc.AudioFrame) -> list[tuple[bytes, float]]:
        return self._packets(self._pcm.encode(frame))

    def flush(self) -> list[tuple[bytes, float]]:
        chunks = self._pcm.flush()
        packets = self._packets(chunks)
        if self._left:
            silence = bytes(self._size - len(self._left))
            packets += self._packets([(silence, 0.0)])
        return packets

    def _packets(self, chunks: list[tuple[bytes, float]]) -> list[tuple[bytes, float]]:
        import av
        import numpy as np

        for data, _ in chunks:
            self._left += data
        packets = []
        while len(self._left) >= self._size:
            samples = np.frombuffer(bytes(self._left[: self._size]), np.int16).reshape(1, -1)
            del self._left[: self._size]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = self._rate, self._at
            self._at += samples.shape[1]
            packets += [(bytes(packet), float(_OPUS_MS)) for packet in self._codec.encode(frame)]
        return packets
