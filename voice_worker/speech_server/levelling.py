"""Bringing speech to the loudness and the noise floor that the acoustic model was made of.

The model was trained with recordings of rooms: quiet voices over a little noise. Speech that is louder, or that has
nothing at all under it, as a synthetic voice has not, is misheard far more often.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_LOUDNESS = 600.0  # root mean square of speech (-35 dB of full scale)
_NOISE = 22.0  # and of the noise under it
_MOST_GAIN = 8.0
_ADAPTS = 0.1  # how much of the level one frame with a voice makes up: half of it in 0.2 s

Samples = npt.NDArray[np.float32]


def loudness(samples: Samples) -> float:
    """Root mean square."""
    return math.sqrt(float(np.dot(samples, samples)) / len(samples))


class Levelling:
    """Follows how loud a speaker is."""

    def __init__(self) -> None:
        # The same noise each time, so that the same sound is always heard the same way.
        self._noise = np.random.default_rng(1).normal(0.0, _NOISE, 48_000).astype(np.float32)
        self._place = 0
        self._power: float | None = None

    def learn(self, samples: Samples) -> None:
        """Take a frame with a voice into account."""
        power = float(np.dot(samples, samples)) / len(samples)
        self._power = power if self._power is None else self._power + _ADAPTS * (power - self._power)

    def level(self, samples: Samples) -> bytes:
        """The frame as the recognizer likes it: PCM16."""
        gain = 1.0 if not self._power else min(_MOST_GAIN, _LOUDNESS / math.sqrt(self._power))
        if self._place + len(samples) > len(self._noise):
            self._place = 0
        noise = self._noise[self._place : self._place + len(samples)]
        self._place += len(samples)
        levelled: bytes = np.clip(np.rint(samples * gain + noise), -32768, 32767).astype("<i2").tobytes()
        return levelled
