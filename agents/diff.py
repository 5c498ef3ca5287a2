"""What differs between two versions or two releases: structure for JSON, words for prose."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

# Words are compared in quadratic time at worst; longer texts are compared line by line.
_MOST_WORDS: Final = 6_000
# Time grows with the pairs of equal words, and some texts have little else.
_MOST_PAIRS: Final = 300_000
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

    Texts that would take long are compared line by line, and where that would too, as a whole.
    """
    before, after = _TOKENS.findall(old), _TOKENS.findall(new)
    if len(before) + len(after) > _MOST_WORDS or _pairs(before, after) > _MOST_PAIRS:
        before, after = _LINES.findall(old), _LINES.findall(new)
        if _pairs(before, after) > _MOST_PAIRS:
            before, after = [old], [new]
    segments: list[Segment] = []
    # What stands between words is in every place: a match grows over it, but doesn't begin with it.
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(str.isspace, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            segments.append(Segment("same", _joined(before, i1, i2)))
            continue
        if i2 > i1:
            segments.append(Segment("removed", _joined(before, i1, i2)))
        if j2 > j1:
            segments.append(Segment("added", _joined(after, j1, j2)))
    return segments


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    """How many pairs of equal words a comparison looks at."""
    there = Counter(token for token in before if not token.isspace())
    return sum(there[token] for token in after if token in there)


def _joined(tokens: Sequence[str], start: int, end: int) -> str:
    return "".join(tokens[start:end])
