"""How differences are written out on the pages of agents and registries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import template

from agents.diff import Segment

register = template.Library()


@register.filter
def place(path: str) -> str:
    """A dotted path as words: `llm.max_tokens` becomes `llm / max tokens`."""
    parts = [part.replace("_", " ") for part in path.split(".") if part != "content"]
    return " / ".join(parts)


@register.filter
def side(segments: Iterable[Segment], which: str) -> list[Segment]:
    """The words of one side of a comparison."""
    hidden = "added" if which == "old" else "removed"
    return [segment for segment in segments if segment.side != hidden]


@register.filter
def as_value(value: Any) -> str:
    """A value of a content, as people read it."""
    if isinstance(value, str):
        return value or "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, (list, dict)) and not value:
        return "(empty)"
    return json.dumps(value, indent=2, ensure_ascii=False)
