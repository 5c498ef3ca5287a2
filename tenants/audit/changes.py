"""What an event changed, as people read it: one line for each thing that differs, long texts line by line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from tenants.audit.models import AuditEvent

MOST_CHANGES: Final = 60
LONGEST_TEXT: Final = 4_000
_DEEPEST: Final = 5
# Longer ones are shown whole: comparing them line by line takes time that grows with their product.
_MOST_LINES: Final = 400
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text that was changed."""

    kind: Literal["same", "old", "new", "gap"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. With `lines`, they say it and the two texts needn't be shown."""

    name: str
    old: str
    new: str
    lines: tuple[Line, ...] = ()


def changes_of(event: AuditEvent) -> list[Change]:
    """What differs, of which an event that made or removed something has only one side; `MOST_CHANGES` at most."""
    found: list[Change] = []
    for name, old, new in _flat(event.old or {}, event.new or {}, (), 0):
        if old in (None, "", [], {}) and new in (None, "", [], {}) and None in (event.old, event.new):
            continue  # of what is new or gone, what was never filled in says nothing
        found.append(Change(name, _text(old), _text(new), _lines(old, new)))
        if len(found) == MOST_CHANGES:
            break
    return found


def _flat(old: Any, new: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, Any, Any]]:
    """Leaves that differ, with their path in words; of a JSON object what differs inside it."""
    sides = [side for side in (old, new) if side is not None]
    if depth <= _DEEPEST and sides and all(isinstance(side, dict) for side in sides) and any(sides):
        for name in dict.fromkeys([*(old or {}), *(new or {})]):
            before, after = (old or {}).get(name), (new or {}).get(name)
            if before != after or depth == 0:
                yield from _flat(before, after, (*path, str(name)), depth + 1)
    elif path:
        yield _words(path), old, new


def _words(path: tuple[str, ...]) -> str:
    plain = [part.removesuffix("_id").replace("_", " ").strip() or part for part in path]
    return " / ".join([plain[0][:1].upper() + plain[0][1:], *plain[1:]])[:200]


def _text(value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = value or "(empty)"
    elif isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        text = ", ".join(map(str, value)) or "(none)"
    else:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"


def _lines(old: Any, new: Any) -> tuple[Line, ...]:
    """The differing lines of two texts with one around them; none where a text is short, or too long to compare."""
    if not isinstance(old, str) or not isinstance(new, str) or "\n" not in old + new:
        return ()
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > _MOST_LINES:
        return ()
    found: list[Line] = []
    kinds: dict[str, Literal["same", "old", "new"]] = {" ": "same", "-": "old", "+": "new"}
    for text in list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]:
        if text.startswith("@@"):
            found += [Line("gap", "…")] if found else []
        else:
            found.append(Line(kinds[text[0]], text[1:][:LONGEST_TEXT]))
    return tuple(found)
