"""The last frames of what a contact shows, each of them different from the one before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

from livekit import rtc

from agents.engine.images import LabelledImage
from voice_worker.vision.fingerprint import Fingerprint, fingerprint
from voice_worker.vision.pixels import Shot, shot_of

Source = Literal["screen", "camera"]

CAPACITY: Final = 10
PLAIN_SIDE: Final = 512  # pixels of the longer side
ADVANCED_SIDE: Final = 1280
# Older ones tell nothing of what is talked about, and nobody expects to be watched for so long.
_OLDEST: Final = 600.0  # seconds
# Frames come when the network likes: one that is a little early is on time.
_EARLY: Final = 0.02  # seconds
_NAMES: Final[dict[Source, str]] = {"camera": "Camera", "screen": "Screen share"}
_encoders = ThreadPoolExecutor(max_workers=2, thread_name_prefix="frames")


@dataclass(slots=True)
class Counters:
    """What became of the frames.

    Attributes:
        dropped: came sooner than one is wanted, and were not looked at.
        seen: were looked at.
        kept: showed something new.
        sent: went to a model; one that goes with two questions counts twice.
    """

    dropped: int = 0
    seen: int = 0
    kept: int = 0
    sent: int = 0


@dataclass(eq=False, slots=True)
class _Frame:
    source: Source
    began: Fingerprint  # as it first looked: what is typed bit by bit adds up to something new
    shot: Shot
    at: float


class FrameBuffer:
    """Keeps ten frames that differ. Offered frames come from one event loop; pictures may be asked for in any thread.

    A frame that shows nothing new takes the place of the one that it is like: so the most recent picture is always of
    what can be seen now, to the letter, and costs no place.

    Args:
        longest: most pixels of a picture's longer side.
        frames_per_second: of each source; what comes sooner is dropped without being looked at.
    """

    def __init__(self, *, longest: int = PLAIN_SIDE, frames_per_second: float = 1.0, capacity: int = CAPACITY) -> None:
        self.counters = Counters()
        self.pause = 1.0 / min(1.0, frames_per_second)
        self.longest = longest
        self._capacity = capacity
        self._frames: list[_Frame] = []
        self._looked_at: dict[Source, float] = {}
        self._ended: dict[Source, float] = {}

    def wait(self, source: Source, at: float) -> float:
        """Seconds until the next frame of a source is wanted."""
        last = self._looked_at.get(source)
        return 0.0 if last is None else max(0.0, last + self.pause - at)

    def offer(self, frame: rtc.VideoFrame, source: Source, at: float, *, rotation: int = 0) -> bool:
        """Take a frame, if one is wanted and it shows something new.

        Args:
            at: `time.monotonic()` when it came.
            rotation: rtc.VideoRotation.

        Returns:
            Whether it shows something new.
        """
        if self.wait(source, at) > _EARLY:
            self.counters.dropped += 1
            return False
        self._looked_at[source] = at
        self._ended.pop(source, None)
        self.counters.seen += 1
        shot = shot_of(frame, longest=self.longest, rotation=rotation)
        looks = fingerprint(shot.luminance)
        last = next((kept for kept in reversed(self._frames) if kept.source == source), None)
        if last is not None and looks.shows_the_same(last.began):
            last.shot, last.at = shot, at
            return False
        self.counters.kept += 1
        self._frames.append(_Frame(source, looks, shot, at))
        if len(self._frames) > self._capacity:
            self._frames.remove(self._least_missed())
        return True

    def ended(self, source: Source, at: float) -> None:
        """A source shows nothing any more; what it showed is kept for a while, and called past."""
        self._ended[source] = at

    def clear(self) -> None:
        """Forget all frames."""
        self._frames.clear()

    def holds_any(self, *, now: float | None = None) -> bool:
        """Whether there is a frame that tells something still."""
        oldest = _now(now) - _OLDEST
        return any(frame.at > oldest for frame in self._frames)

    def latest(self, most: int, *, now: float | None = None) -> list[LabelledImage]:
        """The last frames as pictures, by source and oldest first; makes JPEGs, so call it in a thread, or use `look`.

        Of each source that shows something the newest is among them, however often the other one changes.
        """
        return self._pictures(self._chosen(most, now), now)

    async def look(self, most: int, *, now: float | None = None) -> list[LabelledImage]:
        """The same without holding up the event loop."""
        chosen = self._chosen(most, now)
        if not chosen:
            return []
        loop = asyncio.get_running_loop()
        # At the same time, as far as there are cores: somebody waits for the answer.
        await asyncio.gather(*(loop.run_in_executor(_encoders, shot.jpeg) for _, shot, _ in chosen))
        return self._pictures(chosen, now)

    def _chosen(self, most: int, now: float | None) -> list[tuple[_Frame, Shot, float]]:
        """Frames with their pixels as they are now: a newer one may take their place while these become pictures."""
        oldest = _now(now) - _OLDEST
        self._frames = [frame for frame in self._frames if frame.at > oldest]
        newest = {frame.source: frame for frame in self._frames}
        wanted = sorted(newest.values(), key=lambda frame: -frame.at)
        wanted += [frame for frame in reversed(self._frames) if frame not in wanted]
        chosen = sorted(wanted[: max(0, most)], key=lambda frame: (frame.source, frame.at))
        self.counters.sent += len(chosen)
        return [(frame, frame.shot, frame.at) for frame in chosen]

    def _pictures(self, chosen: Sequence[tuple[_Frame, Shot, float]], now: float | None) -> list[LabelledImage]:
        made = []
        for source in sorted({frame.source for frame, _, _ in chosen}):
            ours = [(shot, at) for frame, shot, at in chosen if frame.source == source]
            for number, (shot, at) in enumerate(ours, start=1):
                jpeg, width, height = shot.jpeg()
                made.append(LabelledImage(self._label(source, number, len(ours), at, _now(now)), jpeg, width, height))
        return made

    def _label(self, source: Source, number: int, count: int, at: float, now: float) -> str:
        name = _NAMES[source]
        ended = self._ended.get(source)
        if ended is not None:
            name += f" (ended {_ago(now - ended)})"
        place = " (most recent)" if number == count else " (first)" if number == 1 else ""
        return f"{name}, frame {number} of {count}, {_ago(now - at)}{place}"

    def _least_missed(self) -> _Frame:
        """The oldest frame of the source that has most: a camera, where something always moves, doesn't crowd a screen
        out.
        """
        counts = {source: sum(frame.source == source for frame in self._frames) for source in _NAMES}
        fullest = max(counts, key=lambda source: counts[source])
        return next(frame for frame in self._frames if frame.source == fullest)


def _now(now: float | None) -> float:
    return time.monotonic() if now is None else now


def _ago(seconds: float) -> str:
    whole = round(max(0.0, seconds))
    if whole == 0:
        return "now"
    return f"{whole} s ago" if whole < 120 else f"{whole // 60} min ago"
