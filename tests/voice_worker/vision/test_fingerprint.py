"""What counts as a change on a screen, and what doesn't."""

from __future__ import annotations

import pytest
from PIL import Image

from bench.vision.screen import editor, page, slide, with_dialog, with_pointer, with_video
from tests.voice_worker.vision.frames import encoded
from voice_worker.vision.fingerprint import CHANGED_BITS, fingerprint

_UNCHANGED = "itself cursor letter code-noise slide-noise page-noise bitrate pointer pointer-on-slide dimmer"
_CHANGED = "slide-1 slide-2 slide-3 slide-noise dialog dialog-on-slide line-scrolled page video window typed"
EDITOR = editor(240, cursor=False)


def distance(one: Image.Image, other: Image.Image) -> int:
    return fingerprint(one.convert("L")).distance(fingerprint(other.convert("L")))


def same(one: Image.Image, other: Image.Image) -> bool:
    return fingerprint(one.convert("L")).shows_the_same(fingerprint(other.convert("L")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (EDITOR, EDITOR),
        (EDITOR, editor(240, cursor=True)),
        (EDITOR, editor(241, cursor=False)),
        (EDITOR, encoded(EDITOR)),
        (slide(0), encoded(slide(0))),
        (page(0), encoded(page(0))),
        (encoded(page(0), 25), encoded(page(0), 60)),
        (with_pointer(EDITOR, 300, 500), with_pointer(EDITOR, 700, 300)),
        (with_pointer(slide(0), 300, 500), with_pointer(slide(0), 700, 300)),
        (page(0), page(0).point(lambda level: level * 0.93)),
    ],
    ids=[
        "itself",
        "cursor",
        "letter",
        "code-noise",
        "slide-noise",
        "page-noise",
        "bitrate",
        "pointer",
        "pointer-on-slide",
        "dimmer",
    ],
)
def test_nothing_new(one: Image.Image, other: Image.Image) -> None:
    assert same(one, other)
    assert distance(one, other) <= CHANGED_BITS - 3  # well on this side


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (slide(0), slide(1)),
        (slide(1), slide(2)),
        (slide(2), slide(3)),
        (encoded(slide(0)), encoded(slide(1))),
        (EDITOR, with_dialog(EDITOR, "no rate for Portugal")),
        (slide(0), with_dialog(slide(0), "no rate for Portugal")),
        (page(0), page(34)),
        (page(0), page(300)),
        (with_video(0), with_video(1)),
        (slide(0), EDITOR),
        (editor(60, cursor=False), editor(240, cursor=False)),
    ],
    ids=_CHANGED.split(),
)
def test_something_new(one: Image.Image, other: Image.Image) -> None:
    assert not same(one, other)
    assert distance(one, other) >= CHANGED_BITS + 2  # and well on that one


def test_a_screen_that_goes_black_has_changed() -> None:
    white, black = Image.new("RGB", (1280, 720), "white"), Image.new("RGB", (1280, 720), "black")
    assert distance(white, black) == 0
    assert not same(white, black)


def test_a_hash_does_not_depend_on_the_size() -> None:
    assert same(slide(1), slide(1).resize((640, 360)))
