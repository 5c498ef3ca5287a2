"""Whether a screen has changed: a perceptual hash, which a blinking cursor leaves as it is and a new slide does not.

A difference hash (dHash): the picture is averaged down to 16 rows of 17 cells, and each bit says whether a cell is
lighter than the one to its left by more than a codec's noise. Brightness as a whole moves no bit, so a camera that
adjusts its exposure shows nothing new. What is of one tone throughout has no such bits at all: sixteen averages beside
them tell a white screen from a black one.

The usual 64 bits don't do for screens: a mouse pointer that crosses an editor turns three of them, and so does a new
slide of the same layout. Of 256, measured on made-up screens (tests/voice_worker/vision/test_fingerprint.py), the
cursor turns none, the pointer two, an encoder's artefacts at most two, a slide, a dialog or a scrolled line eight or
more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

_SIDE: Final = 16
_SLACK: Final = 4.0  # levels of 255 by which a cell must be lighter
CHANGED_BITS: Final = 6
_TONES: Final = 4  # a side
CHANGED_TONE: Final = 40.0  # levels


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is remembered of a picture to tell others from it.

    Args:
        bits: the difference hash.
        tones: averages of sixteen parts, in levels of 255.
    """

    bits: int
    tones: tuple[float, ...]

    def distance(self, other: Fingerprint) -> int:
        """In how many bits they differ."""
        return (self.bits ^ other.bits).bit_count()

    def shows_the_same(self, other: Fingerprint) -> bool:
        """Whether nothing that matters has changed from one to the other."""
        if self.distance(other) >= CHANGED_BITS:
            return False
        return all(abs(mine - theirs) < CHANGED_TONE for mine, theirs in zip(self.tones, other.tones, strict=True))


def fingerprint(luminance: Image.Image) -> Fingerprint:
    """Of a picture in shades of grey (mode L)."""
    cells = np.asarray(luminance.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX), dtype=np.float32)
    lighter = (cells[:, 1:] - cells[:, :-1]) > _SLACK
    parts = cells[:, :_SIDE].reshape(_TONES, _SIDE // _TONES, _TONES, _SIDE // _TONES).mean(axis=(1, 3))
    return Fingerprint(int.from_bytes(np.packbits(lighter).tobytes()), tuple(parts.ravel().tolist()))
