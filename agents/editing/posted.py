"""A posted form as a draft. What can't be read is kept as it was typed: a draft may be wrong, but nothing is lost."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from typing import Any, Final, cast

from django.http import QueryDict

from agents.content.base import Content, Part, is_too_deep
from agents.editing.fields import ROOT
from agents.editing.kinds import Shape, shape_of

_MOST_ROWS: Final = 200
# Whole contents come in one field where a page holds one back while its author decides.
WHOLE: Final = "content_json"


def posted_content(kind: type[Content], data: QueryDict) -> dict[str, Any]:
    """What somebody typed into the form of `fields.sections_of`.

    Args:
        kind: the content's model, which says what is read and how.
        data: the request's; a field that isn't there takes its default later.
    """
    if WHOLE in data:
        with suppress(ValueError, RecursionError):
            whole = json.loads(str(data[WHOLE]))
            if isinstance(whole, dict) and not is_too_deep(whole):
                return whole
    return _part(kind, data, ROOT)


def _part(kind: type[Part], data: QueryDict, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        value = _value(shape_of(info), data, f"{path}.{name}")
        if value is not _NOTHING:
            found[name] = value
    return found


_NOTHING: Final = object()


def _value(shape: Shape, data: QueryDict, name: str) -> Any:
    match shape.widget:
        case "section":
            return _part(cast(type[Part], shape.part), data, name)
        case "optional":
            return _part(cast(type[Part], shape.part), data, name) if f"{name}.on" in data else None
        case "rows":
            return [
                _part(cast(type[Part], shape.part), data, f"{name}.{row}") for row in _rows(data, name)[:_MOST_ROWS]
            ]
        case "switch":
            return name in data
    if name not in data:
        return _NOTHING
    text = str(data[name]).replace("\r\n", "\n")
    match shape.widget:
        case "lines":
            return [line.strip() for line in text.split("\n") if line.strip()]
        case "integer" | "number":
            return _number(text.strip(), whole=shape.widget == "integer")
        case "json":
            return _json(text)
    return text


def _rows(data: QueryDict, name: str) -> list[str]:
    """Numbers of a list's rows in the order of the page, which need not be that of the numbers."""
    begins = re.compile(re.escape(name) + r"\.(\d{1,6})\.")
    return list(dict.fromkeys(match[1] for key in data if (match := begins.match(key))))


def _number(text: str, *, whole: bool) -> Any:
    if not text:
        return _NOTHING
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value):
            return value
    return text


def _json(text: str) -> Any:
    if not text.strip():
        return _NOTHING
    with suppress(ValueError, RecursionError):
        found = json.loads(text, parse_constant=lambda word: word)
        return text if is_too_deep(found) else found
    return text


def revision_in(text: str | None) -> int:
    """A draft's revision from a form; one that can't be is none that was ever there."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
