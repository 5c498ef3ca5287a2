"""What it costs to let a model see a screen: frames and tokens sent, ours beside 30 a second and 1 a second.

Two minutes of a made-up screen (bench/vision/screen.py) are offered at 30 frames a second, as a track brings them, in
virtual time. Meanwhile somebody talks with the agent: some of what they say asks about the screen. Fails where a
picture that was sent isn't what could be seen, or one was sent that nobody asked for.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from livekit import rtc
from PIL import Image

from agents.engine.images import LabelledImage, image_tokens
from bench.measure import percentile, ratio, table
from bench.vision.screen import HEIGHT, SECONDS, WIDTH, screen
from voice_worker.vision.asking import wants_to_see
from voice_worker.vision.buffer import ADVANCED_SIDE, PLAIN_SIDE, FrameBuffer

FRAMES_A_SECOND = 30
# When something is said, what, and whether it asks about the screen.
SAID = (
    (6.0, "Hello, can you hear me?", False),
    (12.0, "What is on this slide?", True),
    (20.0, "When does the spa open?", False),
    (26.0, "Thank you, I see.", False),
    (50.0, "Is there a mistake in this code?", True),
    (56.0, "All right, I'll go on then.", False),
    (76.0, "Let me think about it for a moment.", False),
    (88.0, "What does this error mean?", True),
    (97.0, "Could you book me a table for two tonight?", False),
    (108.0, "Can you read that paragraph to me?", True),
    (117.0, "What is playing in this video?", True),
)
MOST = 5
# Levels of 255, on average, by which a picture may be off: a video half a second later is by ten.
_SAME = 14.0


@dataclass
class Tally:
    """What one way of looking has sent."""

    frames: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bytes: int = 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--longest", type=int, default=PLAIN_SIDE, choices=[PLAIN_SIDE, ADVANCED_SIDE])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    ours = Run(arguments.longest, arguments.seconds)
    ours.play()
    ours.report()
    for fault in ours.faults:
        sys.stdout.write(f"WRONG: {fault}\n")
    return 1 if ours.faults else 0


class Run:
    """The recording, seen by all three."""

    def __init__(self, longest: int, seconds: float) -> None:
        self._now = 0.0
        self._seconds = seconds
        self._buffer = FrameBuffer(longest=longest)
        self._longest = longest
        self._at_thirty, self._at_one, self._last_five, self._ours = Tally(), Tally(), Tally(), Tally()
        self._kept: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._looking: list[float] = []
        self._passing: list[float] = []
        self._encoding: list[float] = []
        self.faults: list[str] = []

    def play(self) -> None:
        """From its beginning to its end."""
        to_come = list(SAID)
        size: tuple[int, int] = (self._longest, round(self._longest * HEIGHT / WIDTH))
        frame, picture, name = None, None, ""
        for number in range(int(self._seconds * FRAMES_A_SECOND)):
            self._now = number / FRAMES_A_SECOND
            # The frames in between are never looked at: one stands for them.
            if number % (FRAMES_A_SECOND // 2) == 0 or frame is None:
                name, picture = screen(self._now)
                frame = _frame(picture)
            self._count(self._at_thirty, *size)
            if number % FRAMES_A_SECOND == 0:
                assert picture is not None
                self._count(self._at_one, *size, len(_jpeg(picture.resize(size))))
            self._offer(frame, name)
            while to_come and to_come[0][0] <= self._now:
                assert picture is not None
                _, said, asks = to_come.pop(0)
                for _ in range(min(MOST, int(self._now))):
                    self._count(self._last_five, *size)
                self._hear(said, asks, picture)

    def _offer(self, frame: rtc.VideoFrame, name: str) -> None:
        seen = self._buffer.counters.seen
        began = time.perf_counter()
        is_new = self._buffer.offer(frame, "screen", self._now)
        took = time.perf_counter() - began
        was_looked_at = self._buffer.counters.seen > seen
        (self._looking if was_looked_at else self._passing).append(took)
        counts = self._kept[name]
        counts[0] += 1
        counts[1] += was_looked_at
        counts[2] += is_new

    def _hear(self, said: str, asks: bool, shown: Image.Image) -> None:
        if wants_to_see(said) != asks:
            self.faults.append(f"{said!r} was {'not ' if asks else ''}taken for a question about the screen")
            return
        if not asks:
            return
        began = time.perf_counter()
        images = self._buffer.latest(MOST, now=self._now)
        self._encoding.append(time.perf_counter() - began)
        if not images or _apart(images[-1], shown) > _SAME:
            self.faults.append(f"what was sent with {said!r} is not what could be seen")
        for image in images:
            self._count(self._ours, image.width, image.height, len(image.jpeg))

    def _count(self, tally: Tally, width: int, height: int, size: int = 0) -> None:
        tally.frames += 1
        tally.bytes += size
        for provider in ("openai", "anthropic", "google"):
            tally.tokens[provider] += image_tokens(LabelledImage("", b"", width, height), provider)

    def report(self) -> None:
        """Everything, side by side."""
        counters = self._buffer.counters
        others = (
            ("30 a second", self._at_thirty),
            ("1 a second", self._at_one),
            ("the last 5 with all that is said", self._last_five),
        )
        rows = []
        for name, tally in (*others, ("ours", self._ours)):
            counted = [f"{tally.tokens[provider]:,}" for provider in ("openai", "anthropic", "google")]
            rows.append([name, f"{tally.frames:,}", *counted])
        for name, tally in others:
            counted = [_times(tally.tokens[one], self._ours.tokens[one]) for one in ("openai", "anthropic", "google")]
            rows.append([f"{name} / ours", _times(tally.frames, self._ours.frames), *counted])
        head = [f"{self._seconds:.0f} s, {self._longest} px", "frames sent", "OpenAI tokens", "Anthropic", "Google"]
        _write(table(head, rows))
        by_scene = [
            [name, f"{offered:,}", f"{seen}", f"{kept}", ratio(kept, seen)]
            for name, (offered, seen, kept) in self._kept.items()
        ]
        by_scene.append(["all", f"{counters.dropped + counters.seen:,}", f"{counters.seen}", f"{counters.kept}",
                         ratio(counters.kept, counters.seen)])  # fmt: skip
        _write(table(["scene", "offered", "looked at", "new", "share"], by_scene))
        milliseconds = [
            [
                name,
                f"{len(samples):,}",
                f"{percentile(samples, 0.5) * 1000:.3f}",
                f"{percentile(samples, 0.95) * 1000:.3f}",
            ]
            for name, samples in (
                ("a frame that is dropped", self._passing),
                ("a frame that is looked at", self._looking),
                ("pictures for a question", self._encoding),
            )
        ]
        _write(table(["ms", "times", "p50", "p95"], milliseconds))


def _frame(picture: Image.Image) -> rtc.VideoFrame:
    rgba = picture.convert("RGBA")
    kinds = rtc.VideoBufferType
    return rtc.VideoFrame(rgba.width, rgba.height, kinds.RGBA, rgba.tobytes()).convert(kinds.I420)


def _jpeg(picture: Image.Image) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=80)
    return kept.getvalue()


def _apart(image: LabelledImage, shown: Image.Image) -> float:
    """How far a picture is from the screen, in levels of 255 on average."""
    size = (64, 36)
    sent = np.asarray(Image.open(io.BytesIO(image.jpeg)).convert("RGB").resize(size), dtype=float)
    return float(np.abs(sent - np.asarray(shown.convert("RGB").resize(size), dtype=float)).mean())


def _times(theirs: int, ours: int) -> str:
    return f"{theirs / ours:,.1f}x" if ours else "-"


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n\n")


if __name__ == "__main__":
    sys.exit(main())
