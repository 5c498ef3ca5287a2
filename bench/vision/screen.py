"""A screen as somebody shares it, made up: slides, typing, a cursor that blinks, a page that is scrolled, a video.

Drawn anew each time, so that no recording need be kept: the same second always looks the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH: Final = 1280
HEIGHT: Final = 720
_INK: Final = "#1f2937"
_PAPER: Final = "#ffffff"
_BLUE: Final = "#1d4ed8"

_SLIDES: Final = (
    (
        "Quarterly review",
        ("Revenue rose by 12 % to 4.1 million", "Two new regions opened in March", "Churn: 1.9 %"),
    ),
    (
        "Where we lose time",
        ("Invoices wait nine days for a signature", "Three tools hold one address", "Nobody owns it"),
    ),
    ("What we propose", ("One inbox for all three teams", "Signatures within a day, by phone", "Start with Lisbon")),
    ("Costs", ("Licences: 18,000 a year", "Training: 6 days", "Saved: 31,000 a year from the second year on")),
)
_CODE: Final = (
    "def total(invoice):",
    "    lines = invoice.lines",
    "    net = sum(line.price * line.count for line in lines)",
    "    if invoice.country in EU:",
    "        return net * (1 + rate(invoice.country))",
    "    return net",
    "",
    "def rate(country):",
    "    found = RATES.get(country)",
    "    if found is None:",
    '        raise LookupError(f"no rate for {country}")',
    "    return found",
)
_SENTENCES: Final = (
    "The harbour was quiet when the first boat came in.",
    "Nobody had told the crew that the market was closed.",
    "They sold what they could to the two hotels on the hill.",
    "By noon the ice had gone, and with it most of the price.",
    "A letter about it is still in the town's archive.",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of the recording.

    Args:
        draws: the screen, so many seconds into the scene.
    """

    name: str
    seconds: float
    draws: Callable[[float], Image.Image]


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow."""
    return ImageFont.load_default(size)


def _window(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 36), fill="#374151")
    draw.text((16, 8), title, font=font(16), fill="#f9fafb")
    return image, draw


@functools.lru_cache(maxsize=8)
def slide(number: int) -> Image.Image:
    """A slide of a deck: all have one layout."""
    title, points = _SLIDES[number % len(_SLIDES)]
    image, draw = _window("Review.pdf")
    draw.rectangle((0, 36, WIDTH, 46), fill=_BLUE)
    draw.text((80, 110), title, font=font(56), fill=_BLUE)
    for row, point in enumerate(points):
        draw.ellipse((90, 262 + row * 90, 106, 278 + row * 90), fill=_BLUE)
        draw.text((130, 250 + row * 90), point, font=font(34), fill=_INK)
    draw.text((1200, 680), f"{number + 1}", font=font(18), fill="#6b7280")
    return image


def editor(written: int, *, cursor: bool) -> Image.Image:
    """An editor in which so many characters are written."""
    image, draw = _window("total.py — editor")
    draw.rectangle((0, 36, 220, HEIGHT), fill="#f3f4f6")
    for row in range(9):
        draw.text((20, 60 + row * 30), f"module_{row}.py", font=font(16), fill="#4b5563")
    left = written
    x, y = 250.0, 60
    for line in _CODE:
        shown = line[: max(0, left)]
        draw.text((250, y), shown, font=font(20), fill=_INK)
        x = 250 + draw.textlength(shown, font=font(20))
        left -= len(line) + 1
        if left < 0:
            break
        y += 30
    if cursor:
        draw.rectangle((x + 1, y, x + 3, y + 24), fill="#000000")
    return image


def page(offset: int) -> Image.Image:
    """A long page, scrolled by so many pixels."""
    image, draw = _window("Chronicle — browser")
    for row in range(400):
        y = 80 + row * 34 - offset
        if y < -40 or y > HEIGHT:
            continue
        if row % 11 == 0:
            draw.text((180, y), f"Chapter {row // 11 + 1}", font=font(26), fill=_BLUE)
        else:
            draw.text((180, y), f"{_SENTENCES[row % 5]} {_SENTENCES[(row * 7 + 3) % 5]}", font=font(19), fill=_INK)
    draw.rectangle((0, 0, WIDTH, 36), fill="#374151")
    draw.text((16, 8), "Chronicle — browser", font=font(16), fill="#f9fafb")
    return image


def with_video(at: float) -> Image.Image:
    """A page with a video playing in it."""
    image = page(0).copy()
    rows, columns = np.mgrid[0:225, 0:400]
    shade = 127 + 80 * np.sin(columns / 30 + at * 3) + 40 * np.cos(rows / 20 - at * 2)
    clip = np.stack([shade, np.roll(shade, 40, axis=1), 255 - shade], axis=-1).clip(0, 255).astype(np.uint8)
    image.paste(Image.fromarray(clip), (820, 120))
    return image


def with_pointer(image: Image.Image, x: float, y: float) -> Image.Image:
    """The same with a mouse pointer."""
    image = image.copy()
    points = [(x, y), (x, y + 20), (x + 5, y + 15), (x + 13, y + 14)]
    ImageDraw.Draw(image).polygon(points, fill="#000000", outline="#ffffff")
    return image


def with_dialog(image: Image.Image, text: str) -> Image.Image:
    """The same under a small dialog."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    draw.rectangle((420, 260, 860, 420), fill="#fef2f2", outline="#b91c1c", width=3)
    draw.text((450, 290), "Error", font=font(26), fill="#b91c1c")
    draw.text((450, 340), text, font=font(18), fill=_INK)
    return image


def _slides(at: float) -> Image.Image:
    return with_pointer(slide(int(at // 7)), 300 + 40 * at, 500 + 20 * np.sin(at))


def _typing(at: float) -> Image.Image:
    return editor(int(at * 8), cursor=at % 1 < 0.5)


def _thinking(at: float) -> Image.Image:
    return editor(240, cursor=at % 1 < 0.5)


def _scrolling(at: float) -> Image.Image:
    stops, into = divmod(at, 5)
    return page(int(stops * 600 + 300 * min(into, 2)))


def _failing(at: float) -> Image.Image:
    shown = editor(240, cursor=at % 1 < 0.5)
    return with_dialog(shown, "no rate for Portugal (line 11)") if at >= 4 else shown


SCENES: Final = (
    Scene("slides", 28, _slides),
    Scene("typing", 30, _typing),
    Scene("only the cursor", 20, _thinking),
    Scene("an error", 12, _failing),
    Scene("scrolling", 20, _scrolling),
    Scene("a video", 10, with_video),
)
SECONDS: Final = sum(scene.seconds for scene in SCENES)


def screen(at: float) -> tuple[str, Image.Image]:
    """The scene's name and the screen at a second of the recording."""
    for scene in SCENES:
        if at < scene.seconds:
            return scene.name, scene.draws(at)
        at -= scene.seconds
    return SCENES[-1].name, SCENES[-1].draws(at + SCENES[-1].seconds)


def recording(frames_per_second: float) -> Iterator[tuple[float, str, Image.Image]]:
    """The whole of it: the second, the scene's name, the screen."""
    for number in range(int(SECONDS * frames_per_second)):
        at = number / frames_per_second
        yield at, *screen(at)
