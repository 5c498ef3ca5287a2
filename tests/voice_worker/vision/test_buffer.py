"""The last frames of what a contact shows: which are kept, which are sent, how large, and under what labels."""

from __future__ import annotations

import time

import pytest
from livekit import rtc
from PIL import Image

from bench.vision.screen import editor, slide, with_video
from tests.voice_worker.vision.frames import decoded, difference, frame_of, patches
from voice_worker.vision.buffer import ADVANCED_SIDE, FrameBuffer

_NAMES = ("I420", "NV12", "I422", "I444", "RGBA", "BGRA", "ARGB", "ABGR", "RGB24")
KINDS = [rtc.VideoBufferType.Value(name) for name in _NAMES]


def labels(buffer: FrameBuffer, most: int, now: float) -> list[str]:
    return [image.label for image in buffer.latest(most, now=now)]


def test_frames_of_a_screen_are_labelled_first_to_most_recent() -> None:
    buffer = FrameBuffer()
    for number in range(3):
        assert buffer.offer(frame_of(slide(number)), "screen", at=10.0 * number)

    assert labels(buffer, 5, now=32.0) == [
        "Screen share, frame 1 of 3, 32 s ago (first)",
        "Screen share, frame 2 of 3, 22 s ago",
        "Screen share, frame 3 of 3, 12 s ago (most recent)",
    ]
    assert labels(buffer, 1, now=20.0) == ["Screen share, frame 1 of 1, now (most recent)"]
    assert labels(buffer, 0, now=20.0) == []
    assert FrameBuffer().latest(5) == []


def test_ten_are_kept_and_the_last_of_them_sent() -> None:
    buffer = FrameBuffer()
    for number in range(14):
        assert buffer.offer(frame_of(patches(number)), "screen", at=float(number))

    assert len(buffer.latest(99, now=14.0)) == 10
    last = buffer.latest(5, now=14.0)
    assert [image.label.partition(", ")[2] for image in last] == [
        "frame 1 of 5, 5 s ago (first)",
        "frame 2 of 5, 4 s ago",
        "frame 3 of 5, 3 s ago",
        "frame 4 of 5, 2 s ago",
        "frame 5 of 5, 1 s ago (most recent)",
    ]
    assert difference(decoded(last[-1].jpeg), patches(13)) < 6


def test_more_than_one_frame_a_second_is_not_even_looked_at() -> None:
    buffer = FrameBuffer()
    for number in range(90):
        buffer.offer(frame_of(with_video(number)), "screen", at=number / 30)

    assert (buffer.counters.seen, buffer.counters.dropped) == (3, 87)
    slow = FrameBuffer(frames_per_second=0.2)
    assert [slow.offer(frame_of(slide(number)), "screen", at=float(number)) for number in range(6)] == [
        True, False, False, False, False, True,
    ]  # fmt: skip
    assert slow.wait("screen", 6.0) == pytest.approx(4.0)


def test_what_did_not_change_takes_no_place_but_is_the_newest() -> None:
    buffer = FrameBuffer()
    for second in range(20):
        buffer.offer(frame_of(editor(240, cursor=second % 2 == 0)), "screen", at=float(second))
    (image,) = buffer.latest(5, now=20.0)

    assert (buffer.counters.seen, buffer.counters.kept, buffer.counters.sent) == (20, 1, 1)
    assert image.label == "Screen share, frame 1 of 1, 1 s ago (most recent)"

    buffer.offer(frame_of(editor(241, cursor=False)), "screen", at=21.0)
    assert buffer.counters.kept == 1
    (newer,) = buffer.latest(5, now=21.0)
    assert newer.jpeg != image.jpeg


def test_what_is_typed_letter_by_letter_adds_up() -> None:
    buffer = FrameBuffer()
    for second in range(60):
        buffer.offer(frame_of(editor(second * 5, cursor=True)), "screen", at=float(second))

    assert 2 <= buffer.counters.kept <= 15


def test_a_camera_does_not_crowd_the_screen_out() -> None:
    buffer = FrameBuffer()
    buffer.offer(frame_of(slide(0)), "screen", at=0.0)
    for second in range(1, 30):
        buffer.offer(frame_of(patches(second)), "camera", at=float(second))

    told = labels(buffer, 5, now=30.0)
    assert told[-1] == "Screen share, frame 1 of 1, 30 s ago (most recent)"
    assert [label.partition(",")[0] for label in told] == ["Camera"] * 4 + ["Screen share"]
    assert told[3].endswith("1 s ago (most recent)")


def test_what_has_ended_is_called_past_until_it_is_too_old() -> None:
    buffer = FrameBuffer()
    buffer.offer(frame_of(slide(0)), "screen", at=0.0)
    buffer.ended("screen", at=5.0)
    assert labels(buffer, 5, now=15.0) == ["Screen share (ended 10 s ago), frame 1 of 1, 15 s ago (most recent)"]

    buffer.offer(frame_of(slide(1)), "screen", at=20.0)
    assert "ended" not in str(labels(buffer, 5, now=21.0))
    assert labels(buffer, 5, now=1000.0) == []


@pytest.mark.parametrize(
    ("longest", "size", "sent"),
    [
        (512, (1280, 720), (512, 288)),
        (512, (1920, 1080), (512, 288)),
        (512, (720, 1280), (288, 512)),
        (512, (320, 180), (320, 180)),
        (ADVANCED_SIDE, (3840, 2160), (1280, 720)),
        (ADVANCED_SIDE, (1281, 721), (1280, 720)),
    ],
)
def test_pictures_are_as_large_as_the_tier_allows(longest: int, size: tuple[int, int], sent: tuple[int, int]) -> None:
    buffer = FrameBuffer(longest=longest)
    buffer.offer(frame_of(slide(1).resize(size)), "screen", at=0.0)
    (image,) = buffer.latest(1, now=0.0)

    assert (image.width, image.height) == decoded(image.jpeg).size == sent
    assert len(image.jpeg) < 300_000


@pytest.mark.parametrize("kind", KINDS, ids=_NAMES)
def test_every_kind_of_frame_comes_out_in_its_own_colours(kind: rtc.VideoBufferType.ValueType) -> None:
    buffer = FrameBuffer()
    colours = with_video(0)
    buffer.offer(frame_of(colours, kind), "screen", at=0.0)
    (image,) = buffer.latest(1, now=0.0)

    assert difference(decoded(image.jpeg), colours) < 6


@pytest.mark.parametrize(("rotation", "degrees"), [(0, 0), (1, 270), (2, 180), (3, 90)])
def test_a_phone_that_is_held_upright_is_seen_upright(rotation: int, degrees: int) -> None:
    buffer = FrameBuffer()
    buffer.offer(frame_of(slide(1)), "camera", at=0.0, rotation=rotation)
    (image,) = buffer.latest(1, now=0.0)

    assert difference(decoded(image.jpeg), slide(1).rotate(degrees, expand=True)) < 6


async def test_pictures_are_made_beside_the_event_loop_and_once() -> None:
    buffer = FrameBuffer(longest=ADVANCED_SIDE)
    for number in range(4):
        buffer.offer(frame_of(slide(number)), "screen", at=float(number))
    first = await buffer.look(5, now=5.0)
    began = time.process_time()
    again = await buffer.look(5, now=5.0)

    assert [image.jpeg for image in again] == [image.jpeg for image in first]
    assert time.process_time() - began < 0.02
    assert await FrameBuffer().look(5) == []


def test_a_picture_without_end_is_no_trouble() -> None:
    noise = Image.effect_noise((3840, 2160), 200).convert("RGB")
    buffer = FrameBuffer(longest=ADVANCED_SIDE)
    buffer.offer(frame_of(noise), "screen", at=0.0)
    (image,) = buffer.latest(1, now=0.0)
    assert len(image.jpeg) <= 1_500_000


def test_the_smallest_of_frames() -> None:
    buffer = FrameBuffer()
    buffer.offer(frame_of(Image.new("RGB", (1, 1), "red")), "camera", at=0.0)
    (image,) = buffer.latest(1, now=0.0)
    assert (image.width, image.height) == (1, 1)
