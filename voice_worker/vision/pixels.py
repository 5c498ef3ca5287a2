"""A video frame as a small picture: only as large as a model may see it, and a JPEG only once one is asked for it."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from livekit import rtc
from PIL import Image

_QUALITY: Final = 80
_MOST_BYTES: Final = 1_500_000  # of one picture; providers take some megabytes a request
_LEAST_QUALITY: Final = 30
_Kind = rtc.VideoBufferType
# Which bytes of a pixel are red, green and blue, where it has four of them or three.
_CHANNELS: Final = {
    _Kind.RGBA: (4, 0, 1, 2),
    _Kind.ABGR: (4, 3, 2, 1),
    _Kind.ARGB: (4, 1, 2, 3),
    _Kind.BGRA: (4, 2, 1, 0),
    _Kind.RGB24: (3, 0, 1, 2),
}
# By how much the two planes of colour are smaller, across and down.
_COLOUR_PLANES: Final = {
    _Kind.I420: (2, 2),
    _Kind.I420A: (2, 2),
    _Kind.NV12: (2, 2),
    _Kind.I422: (2, 1),
    _Kind.I444: (1, 1),
}
# Video keeps black at 16 and white at 235 (ITU-R BT.601), JPEG at 0 and 255.
_FULL_LUMINANCE: Final = [round(min(255, max(0, (level - 16) * 255 / 219))) for level in range(256)]
_FULL_COLOUR: Final = [round(min(255, max(0, (level - 128) * 255 / 224 + 128))) for level in range(256)]
_TURNS: Final = {
    rtc.VideoRotation.VIDEO_ROTATION_90: Image.Transpose.ROTATE_270,
    rtc.VideoRotation.VIDEO_ROTATION_180: Image.Transpose.ROTATE_180,
    rtc.VideoRotation.VIDEO_ROTATION_270: Image.Transpose.ROTATE_90,
}


@dataclass(eq=False, slots=True)
class Shot:
    """A frame that is kept.

    Args:
        planes: luminance and the two of colour, or red, green and blue.
        is_video: whether they are the former.
        longest: most pixels of its longer side once it is a picture.
        rotation: how it must be turned to be upright.
    """

    planes: tuple[Image.Image, Image.Image, Image.Image]
    is_video: bool
    longest: int
    rotation: int = 0
    _jpeg: tuple[bytes, int, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def luminance(self) -> Image.Image:
        """Its shades of grey; green stands for them where it has colours."""
        return self.planes[0] if self.is_video else self.planes[1]

    def jpeg(self) -> tuple[bytes, int, int]:
        """The picture with its width and height; made once, and in a thread, for it takes 3 to 15 ms."""
        with self._lock:
            if self._jpeg is None:
                self._jpeg = _encoded(self._picture())
            return self._jpeg

    def _picture(self) -> Image.Image:
        size = _fitting(self.planes[0].size, self.longest)
        fitted = [plane.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0) for plane in self.planes]
        if self.is_video:
            fitted = [fitted[0].point(_FULL_LUMINANCE), *(plane.point(_FULL_COLOUR) for plane in fitted[1:])]
        picture = Image.merge("YCbCr" if self.is_video else "RGB", fitted)
        turn = _TURNS.get(self.rotation)  # type: ignore[call-overload]
        return picture if turn is None else picture.transpose(turn)


def shot_of(frame: rtc.VideoFrame, *, longest: int, rotation: int = 0) -> Shot:
    """A frame's pixels, averaged down as far as its size allows, so that ten of them are a few megabytes.

    Raises:
        ValueError: a kind of frame that is not known here, such as one of ten bits.
    """
    width, height = frame.width, frame.height
    by = max(1, max(width, height) // max(1, longest))
    data = np.frombuffer(frame.data, dtype=np.uint8)
    if frame.type in _CHANNELS:
        depth, *channels = _CHANNELS[frame.type]
        pixels = data[: width * height * depth].reshape(height, width, depth)
        red, green, blue = (_reduced(pixels[:, :, channel], by) for channel in channels)
        return Shot((red, green, blue), False, longest, rotation)
    if frame.type not in _COLOUR_PLANES:
        raise ValueError(f"frames of the kind {frame.type} are not known")
    across, down = _COLOUR_PLANES[frame.type]
    narrow, low = -(-width // across), -(-height // down)
    luminance = data[: width * height].reshape(height, width)
    colours = data[width * height :][: 2 * narrow * low]
    if frame.type == _Kind.NV12:
        first, second = colours[0::2], colours[1::2]
    else:
        first, second = colours[: narrow * low], colours[narrow * low :]
    planes = (luminance, first.reshape(low, narrow), second.reshape(low, narrow))
    return Shot((_reduced(planes[0], by), _reduced(planes[1], by), _reduced(planes[2], by)), True, longest, rotation)


def _reduced(plane: np.ndarray, by: int) -> Image.Image:
    """A copy of a plane, so many times smaller."""
    image = Image.fromarray(np.ascontiguousarray(plane))
    return image.reduce(by) if by > 1 else image.copy()


def _fitting(size: tuple[int, int], longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _encoded(picture: Image.Image) -> tuple[bytes, int, int]:
    quality = _QUALITY
    while True:
        kept = io.BytesIO()
        picture.save(kept, "JPEG", quality=quality)
        if kept.tell() <= _MOST_BYTES or quality <= _LEAST_QUALITY:
            return kept.getvalue(), picture.width, picture.height
        quality -= 25
