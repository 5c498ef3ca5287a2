"""What happened in a session, as lanes on one time axis. Places are percent of its length, so that it can be zoomed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voice_worker.models import TimelineEntry

Kind = TimelineEntry.Kind

LANE_HEIGHT: Final = 30
AXIS_HEIGHT: Final = 24
_LEAST_WIDTH: Final = 0.05  # percent; a hairline more is drawn round each bar
_STEPS: Final = (
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
    3_600_000,
)  # fmt: skip
_TICKS: Final = 8
# What is written beside the axis at each zoom, so that marks are never too far apart: at 1, from 4 on, from 16 on.
_ZOOMS: Final = (1, 4, 16)
_SAID: Final = ("text", "name", "state", "message", "code", "model", "provider", "source")
_TIMES: Final = {"first_token_ms": "first word after", "first_audio_ms": "first sound after"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One entry: a stretch, or a moment where `is_moment`."""

    row: TimelineEntry
    x: float
    width: float
    is_moment: bool
    is_bad: bool
    is_cut: bool
    words: str

    @property
    def seconds(self) -> float:
        return self.row.at_ms / 1000

    @property
    def took_ms(self) -> int | None:
        return None if self.row.until_ms is None else self.row.until_ms - self.row.at_ms


@dataclass(frozen=True, slots=True)
class Lane:
    """All entries of one kind."""

    kind: str
    title: str
    y: int
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis.

    Args:
        zoom: from which zoom on it is shown.
    """

    x: float
    label: str
    zoom: int


@dataclass(frozen=True, slots=True)
class Axis:
    """The picture."""

    lanes: list[Lane]
    ticks: list[Tick]
    length_ms: int
    height: int

    @property
    def bars(self) -> list[Bar]:
        """All of them in the order of time, for the table."""
        return sorted((bar for lane in self.lanes for bar in lane.bars), key=lambda bar: (bar.row.at_ms, bar.row.pk))


def axis_of(entries: Sequence[TimelineEntry], *, least_ms: int = 0) -> Axis:
    """The axis of these entries.

    Args:
        least_ms: its length at least, such as the session's.
    """
    length = max([1, least_ms, *(max(entry.at_ms, entry.until_ms or 0) for entry in entries)])
    there = {entry.kind for entry in entries}
    kinds = [kind for kind in Kind if kind in there]
    lanes = [
        Lane(kind, str(kind.label), AXIS_HEIGHT + number * LANE_HEIGHT, list(_bars(entries, kind, length)))
        for number, kind in enumerate(kinds)
    ]
    return Axis(lanes, _ticks(length), length, AXIS_HEIGHT + max(len(lanes), 1) * LANE_HEIGHT)


def _bars(entries: Iterable[TimelineEntry], kind: str, length: int) -> Iterable[Bar]:
    for entry in entries:
        if entry.kind != kind:
            continue
        until = entry.at_ms if entry.until_ms is None else entry.until_ms
        width = max((until - entry.at_ms) / length * 100, _LEAST_WIDTH)
        data = entry.data if isinstance(entry.data, dict) else {}
        yield Bar(
            row=entry,
            x=round(min(entry.at_ms / length * 100, 100 - width), 4),
            width=round(width, 4),
            is_moment=entry.until_ms is None,
            is_bad=kind == Kind.ERROR or data.get("ok") is False or bool(data.get("error")),
            is_cut=bool(data.get("interrupted")),
            words=words_of(data),
        )


def words_of(data: dict[str, Any]) -> str:
    """What an entry says for itself, in a line."""
    said = [str(data[name]) for name in _SAID if isinstance(data.get(name), str) and data[name]]
    said += [
        f"{words} {data[name]:.0f} ms" for name, words in _TIMES.items() if isinstance(data.get(name), int | float)
    ]
    if data.get("interrupted") is True:
        said.append("broken off")
    if data.get("ok") is False:
        said.append("failed")
    if isinstance(data.get("frames"), int):
        said.append(f"{data['frames']} frames")
    return ", ".join(said)


def _ticks(length: int) -> list[Tick]:
    found: dict[int, int] = {}
    for zoom in _ZOOMS:
        step = next((one for one in _STEPS if length / zoom / one <= _TICKS), _STEPS[-1])
        # An axis of days has no more marks than one of hours.
        for at in list(range(0, length + 1, step))[: _TICKS * zoom + 1]:
            found.setdefault(at, zoom)
    return [Tick(round(at / length * 100, 4), clock(at), zoom) for at, zoom in sorted(found.items())]


def clock(milliseconds: int) -> str:
    """A moment of the axis: `0:07`, `1:02:07`, with tenths of a second where it has some."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tenths = f".{rest // 100}" if rest else ""
    return f"{hours}:{minutes:02}:{seconds:02}{tenths}" if hours else f"{minutes}:{seconds:02}{tenths}"
