"""What differs between two versions or two releases: structure for JSON, words for prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

# What a comparison takes grows with the square of this: some tenths of a second.
_MOST_EDITS: Final = 600
_PROSE_FROM: Final = 40  # characters; shorter texts are shown whole, before and after
_TOKENS: Final = re.compile(r"\s+|\w+|[^\w\s]")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")

Side = Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text that is on one side or on both."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs.

    Args:
        path: dotted, such as `runtime_config.content.llm.model`.
        kind: what happened to it from old to new.
        segments: for prose, the words; empty otherwise.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None
    segments: tuple[Segment, ...] = ()


def diff_json(old: Any, new: Any, path: str = "") -> list[Change]:
    """Every value that differs, in the order of the new document.

    Lists are aligned by what names their items (`slug`, `name`, `id`) where they have such, else by position.
    """
    return list(_differences(old, new, path))


def _differences(old: Any, new: Any, path: str) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _entry(old, new, key, f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif old == new and isinstance(old, bool) == isinstance(new, bool):
        return
    elif isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) >= _PROSE_FROM:
        yield Change(path, "changed", old, new, tuple(diff_words(old, new)))
    else:
        yield Change(path, "changed", old, new)


def _entry(old: Mapping[str, Any], new: Mapping[str, Any], key: str, path: str) -> Iterator[Change]:
    if key not in old:
        yield Change(path, "added", None, new[key])
    elif key not in new:
        yield Change(path, "removed", old[key], None)
    else:
        yield from _differences(old[key], new[key], path)


def _lists(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    before, after = _named(old), _named(new)
    if before is None or after is None:
        before = {str(index): item for index, item in enumerate(old)}
        after = {str(index): item for index, item in enumerate(new)}
    for key in [*after, *(key for key in before if key not in after)]:
        yield from _entry(before, after, key, f"{path}.{key}")
    if list(before) != list(after) and sorted(before) == sorted(after):
        yield Change(f"{path} (order)", "changed", list(before), list(after))


def _named(items: list[Any]) -> dict[str, Any] | None:
    """Items by what names them; None where nothing does, or not uniquely."""
    for key in ("slug", "name", "id"):
        if all(isinstance(item, Mapping) and isinstance(item.get(key), str) for item in items):
            named = {item[key]: item for item in items}
            if len(named) == len(items):
                return named
    return None


def diff_words(old: str, new: str) -> list[Segment]:
    """Two texts side by side, word by word; their `same` and `removed` parts make up the old one exactly.

    Texts with little in common are compared line by line, and those with less still are shown one after the other: what
    it takes is bounded, whatever the texts are.
    """
    for pattern in (_TOKENS, _LINES):
        before, after = pattern.findall(old), pattern.findall(new)
        runs = _runs(before, after)
        if runs is not None:
            return [Segment(side, "".join(tokens)) for side, tokens in _grouped(runs)]
    return [Segment("removed", old), Segment("added", new)]


def _runs(old: Sequence[str], new: Sequence[str]) -> list[tuple[Side, Sequence[str]]] | None:
    """The least that leads from old to new; None where that is too much."""
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    steps = _steps(a, b)
    if steps is None:
        return None
    return [("same", old[:start]), *steps, ("same", old[len(old) - end :])]


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many items are the same from the beginning."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(old), len(new)))


def _steps(a: Sequence[str], b: Sequence[str]) -> list[tuple[Side, Sequence[str]]] | None:
    """Myers' greedy algorithm (1986), given up after `_MOST_EDITS`.

    `reached[k]` is how far into `a` the paths of so many edits come on the diagonal k, which is x - y.
    """
    if not a or not b:
        return [("removed", a), ("added", b)]
    reached = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(_MOST_EDITS, len(a) + len(b)) + 1):
        trace.append(dict(reached))
        for k in range(-edits, edits + 1, 2):
            x = reached[k + 1] if _goes_down(reached, k, edits) else reached[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reached[k] = x
            if x >= len(a) and x - k >= len(b):
                return _walked_back(a, b, trace)
    return None


def _goes_down(reached: Mapping[int, int], k: int, edits: int) -> bool:
    """Whether the best path onto a diagonal adds an item of the new text, rather than removing one of the old."""
    return k == -edits or (k != edits and reached[k - 1] < reached[k + 1])


def _walked_back(
    a: Sequence[str], b: Sequence[str], trace: Sequence[Mapping[int, int]]
) -> list[tuple[Side, Sequence[str]]]:
    x, y = len(a), len(b)
    steps: list[tuple[Side, Sequence[str]]] = []
    for edits in range(len(trace) - 1, -1, -1):
        k = x - y
        down = _goes_down(trace[edits], k, edits)
        from_x = trace[edits][k + 1] if down else trace[edits][k - 1]
        from_y = from_x - (k + 1 if down else k - 1)
        begun = max(0, from_x + (not down))  # where the run of what is the same begins
        steps.append(("same", a[begun:x]))
        if edits:
            steps.append(("added", b[from_y : from_y + 1]) if down else ("removed", a[from_x : from_x + 1]))
        x, y = from_x, from_y
    return steps[::-1]


def _grouped(runs: Iterable[tuple[Side, Sequence[str]]]) -> Iterator[tuple[Side, list[str]]]:
    """Neighbours of one kind in one; what was removed stands before what was added in its place."""
    removed: list[str] = []
    added: list[str] = []
    same: list[str] = []
    for side, tokens in runs:
        if not tokens:
            continue
        if side == "same":
            yield from _told(("removed", removed), ("added", added))
            removed, added = [], []
            same.extend(tokens)
        else:
            yield from _told(("same", same))
            same = []
            (removed if side == "removed" else added).extend(tokens)
    yield from _told(("same", same), ("removed", removed), ("added", added))


def _told(*groups: tuple[Side, list[str]]) -> Iterator[tuple[Side, list[str]]]:
    yield from (group for group in groups if group[1])
