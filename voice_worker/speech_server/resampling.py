"""Changing the rate of sound as it comes, by a windowed sinc."""

from __future__ import annotations

from math import gcd

import numpy as np
import numpy.typing as npt

_CROSSINGS = 12  # of the sinc with zero, to each side: more of them cut sharper and cost more


class Resampler:
    """Turns PCM16 of one rate into PCM16 of another, piece by piece, without a seam between the pieces."""

    def __init__(self, source: int, target: int) -> None:
        divisor = gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        self._idle = source == target
        # Going down, what the lower rate cannot carry must be cut away first.
        cutoff = min(1.0, target / source) * 0.95
        self._half = int(np.ceil(_CROSSINGS / cutoff))
        offsets = np.arange(-self._half + 1, self._half + 1)
        phases = np.arange(self._up)[:, None] / self._up
        distance = offsets[None, :] - phases
        window = np.cos(np.pi * distance / (2 * self._half + 2)) ** 2
        table = np.sinc(distance * cutoff) * window
        self._table = (table / table.sum(axis=1, keepdims=True)).astype(np.float32)
        # The first sample has silence before it.
        self._held = np.zeros(self._half - 1, dtype=np.float32)
        self._position = 0  # of the next sample, in steps of 1/up of the source's

    def feed(self, pcm: bytes) -> bytes:
        """What can be told from the sound so far. Whole samples only."""
        if self._idle:
            return pcm
        self._held = np.concatenate([self._held, np.frombuffer(pcm, dtype="<i2").astype(np.float32)])
        windows = len(self._held) - 2 * self._half + 1
        if windows <= 0:
            return b""
        count = (windows * self._up - self._position + self._down - 1) // self._down
        if count <= 0:
            return b""
        places = self._position + np.arange(count, dtype=np.int64) * self._down
        first, phase = places // self._up, places % self._up
        view = np.lib.stride_tricks.sliding_window_view(self._held, 2 * self._half)
        samples = np.einsum("ij,ij->i", view[first], self._table[phase])
        following = self._position + count * self._down
        dropped = min(following // self._up, len(self._held))
        self._held = self._held[dropped:]
        self._position = following - dropped * self._up
        return _as_pcm(samples)

    def flush(self) -> bytes:
        """The rest, followed by silence."""
        return b"" if self._idle else self.feed(bytes(2 * self._half))


def _as_pcm(samples: npt.NDArray[np.float32]) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
