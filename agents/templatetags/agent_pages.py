"""How differences are written out on the pages of agents and registries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import yaml
from django import template
from django.utils import timezone
from django.utils.timesince import timesince

from agents.diff import Change, Segment

register = template.Library()
_FOLDED_FROM: Final = 500  # characters that are the same on both sides
_KEPT: Final = 140
_PROSE_FROM: Final = 60


@register.filter
def place(path: str) -> str:
    """A dotted path as words: `llm.max_tokens` becomes `llm / max tokens`."""
    parts = [part.replace("_", " ") for part in path.split(".") if part != "content"]
    return " / ".join(parts)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one side's text. Of a long one that is the same on both sides, the middle is folded away."""

    side: str
    text: str
    folded: str = ""
    end: str = ""


@register.filter
def side(segments: Iterable[Segment], which: str) -> list[Piece]:
    """The words of one side of a comparison."""
    hidden = "added" if which == "old" else "removed"
    return [_piece(segment) for segment in segments if segment.side != hidden]


def _piece(segment: Segment) -> Piece:
    text = segment.text
    if segment.side != "same" or len(text) < _FOLDED_FROM:
        return Piece(segment.side, text)
    begin = text.rfind(" ", 0, _KEPT) + 1
    end = text.find(" ", len(text) - _KEPT)
    return Piece("same", text[:begin], text[begin:end], text[end:])


@register.filter
def is_short(change: Change) -> bool:
    """Whether a change fits on one line."""
    values = (change.old, change.new)
    return not change.segments and all(
        value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) < _PROSE_FROM)
        for value in values
    )


@register.filter
def as_value(value: Any) -> str:
    """A value of a content, as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, str):
        return value or "empty"
    if isinstance(value, (list, dict)):
        bare = _bare(value)
        return yaml.safe_dump(bare, sort_keys=False, allow_unicode=True, width=1000).strip() if bare else "empty"
    return str(value)


def _bare(value: Any) -> Any:
    """Without what tells people nothing: ids, and empty texts, lists and objects."""
    if isinstance(value, dict):
        kept = {key: _bare(item) for key, item in value.items() if key != "id"}
        return {key: bare for key, bare in kept.items() if bare not in ("", [], {}, None)}
    return [_bare(item) for item in value] if isinstance(value, list) else value


@register.filter
def ago(when: datetime) -> str:
    """How long ago something was, without minutes and seconds of what was just now."""
    if (timezone.now() - when).total_seconds() < 60:
        return "just now"
    return f"{timesince(when, depth=1)} ago"
