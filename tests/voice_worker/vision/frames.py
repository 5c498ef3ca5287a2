"""Video frames of pictures."""

from __future__ import annotations

import io

import numpy as np
from livekit import rtc
from PIL import Image

_ORDERS = {
    rtc.VideoBufferType.RGBA: [0, 1, 2, 3],
    rtc.VideoBufferType.ABGR: [3, 2, 1, 0],
    rtc.VideoBufferType.ARGB: [3, 0, 1, 2],
    rtc.VideoBufferType.BGRA: [2, 1, 0, 3],
    rtc.VideoBufferType.RGB24: [0, 1, 2],
}


def frame_of(picture: Image.Image, kind: rtc.VideoBufferType.ValueType = rtc.VideoBufferType.I420) -> rtc.VideoFrame:
    """A frame as a track brings it."""
    rgba = np.asarray(picture.convert("RGBA"))
    kinds = rtc.VideoBufferType
    if kind in _ORDERS:
        return rtc.VideoFrame(picture.width, picture.height, kind, rgba[:, :, _ORDERS[kind]].tobytes())
    frame = rtc.VideoFrame(picture.width, picture.height, kinds.RGBA, rgba.tobytes()).convert(kinds.I420)
    if kind == kinds.I420:
        return frame
    size = frame.width * frame.height
    half = ((frame.width + 1) // 2, (frame.height + 1) // 2)
    light, first, second = np.split(np.frombuffer(frame.data, np.uint8), [size, size + half[0] * half[1]])
    if kind == kinds.NV12:
        colours = np.stack([first, second], axis=-1).ravel()
    else:
        by = {kinds.I422: (2, 1), kinds.I444: (2, 2)}[kind]
        colours = np.concatenate(
            [np.kron(one.reshape(half[::-1]), np.ones(by, np.uint8)).ravel() for one in (first, second)]
        )
    return rtc.VideoFrame(picture.width, picture.height, kind, np.concatenate([light, colours]).tobytes())


def encoded(picture: Image.Image, quality: int = 35) -> Image.Image:
    """The same after a lossy encoder has had it."""
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=quality)
    return Image.open(kept).convert("RGB")


def decoded(jpeg: bytes) -> Image.Image:
    """The picture in a JPEG."""
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures of a size are apart on average, in levels of 255."""
    pairs = zip(one.resize((64, 36)).tobytes(), other.resize((64, 36)).tobytes(), strict=True)
    return sum(abs(mine - theirs) for mine, theirs in pairs) / (64 * 36 * 3)


def patches(number: int) -> Image.Image:
    """A picture that is like no other."""
    colours = np.random.default_rng(number).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((1280, 720), Image.Resampling.NEAREST)
