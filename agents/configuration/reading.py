"""Text to plain values, within bounds: YAML without its dangers (tags, anchors, surprising types), or JSON.

Both come out as the same values, and YAML with the line of each, so that a fault can say where it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from switchboard.kernel.problems import Problem

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_VALUES: Final = 250_000
DEEPEST: Final = 60
_MOST_FAULTS: Final = 100
_LONGEST_NUMBER: Final = 40

Path = tuple[str | int, ...]

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_DECIMAL: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A fault in a document: where, and what is wrong."""

    path: Path
    message: str


class DocumentInvalid(Problem):
    """A document that can't be applied, with all its faults.

    Args:
        places: each fault, in the order in which they were found.
        lines: the line of each value, where that is known.
    """

    def __init__(self, places: Iterable[Place], lines: Mapping[Path, int] | None = None) -> None:
        found = list(places)
        shown = [_described(place, lines or {}) for place in found[:_MOST_FAULTS]]
        count = "one fault" if len(found) == 1 else f"{len(found)} faults"
        super().__init__(
            "configuration_invalid", f"The document has {count}; nothing was changed.", status=422, errors=shown
        )


@dataclass(frozen=True, slots=True)
class Source:
    """What a document holds, and the line of each of its values."""

    data: Any
    lines: Mapping[Path, int] = field(default_factory=dict)


def read_text(raw: bytes) -> Source:
    """A document's values.

    Args:
        raw: YAML or JSON in UTF-8.

    Raises:
        Problem: 413 `too_large`.
        DocumentInvalid: it can't be read, or holds what a configuration never needs.
    """
    if len(raw) > MOST_BYTES:
        raise Problem("too_large", f"A document may have {MOST_BYTES:,} bytes; this has {len(raw):,}.", status=413)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse((), f"The document is not UTF-8 (byte {error.start + 1}).")
    if text.lstrip().startswith("{"):
        found = _json(text)
        if found is not None:
            return found
    return _Builder().built(text)


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of a value, or of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return lines.get(())


def plain(text: str) -> str | int | float | bool | None:
    """What an unquoted word means: as in YAML 1.2, so that `yes`, `on`, `12:30` and dates stay the text they are.

    Raises:
        ValueError: a number that is none any more: too long, or infinite.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.match(text):
        if len(text) > _LONGEST_NUMBER:
            raise ValueError(f"A number may have {_LONGEST_NUMBER} characters.")
        if _INTEGER.match(text):
            return int(text)
        number = float(text)
        if math.isinf(number):
            raise ValueError("This number is too large.")
        return number
    return text


def _json(text: str) -> Source | None:
    """A JSON document; None where it is YAML that begins with a brace."""
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except DocumentInvalid:
        raise
    except RecursionError:
        _refuse((), f"The document is nested more than {DEEPEST} deep.")
    except ValueError:
        return None
    _check(data)
    return Source(data)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            _refuse((key,), f"{key!r} is there twice.")
        found[key] = value
    return found


def _no_number(constant: str) -> NoReturn:
    _refuse((), f"{constant} is no number.")


def _check(data: Any) -> None:
    """Refuse what JSON allows and no database keeps, and too much or too deep of anything."""
    waiting: list[tuple[Path, Any]] = [((), data)]
    count = 0
    while waiting:
        path, value = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            _refuse((), f"The document has more than {MOST_VALUES:,} values.")
        if len(path) > DEEPEST:
            _refuse(path, f"The document is nested more than {DEEPEST} deep.")
        if isinstance(value, Mapping):
            for key, child in value.items():
                _check_text(path, key)
                waiting.append(((*path, key), child))
        elif isinstance(value, list):
            waiting += [((*path, index), child) for index, child in enumerate(value)]
        elif isinstance(value, str):
            _check_text(path, value)
        elif isinstance(value, float) and math.isinf(value):
            _refuse(path, "This number is too large.")
        elif isinstance(value, int) and abs(value) >= 10**_LONGEST_NUMBER:
            _refuse(path, f"A number may have {_LONGEST_NUMBER} characters.")


def _check_text(path: Path, text: str) -> None:
    if "\x00" in text:
        _refuse(path, "The text holds a NUL character, which can't be stored.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        _refuse(path, "The text holds half of a surrogate pair, which is no character.")


def _refuse(path: Path, message: str, line: int | None = None) -> NoReturn:
    raise DocumentInvalid([Place(path, message)], {path: line} if line else None)


def _described(place: Place, lines: Mapping[Path, int]) -> dict[str, str]:
    line = line_of(place.path, lines)
    described = {"field": ".".join(map(str, place.path)), "message": place.message}
    return {**described, "line": str(line)} if line else described


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    value: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


class _Builder:
    """Makes values of the parser's events one by one, so that a document is refused before it can grow."""

    def __init__(self) -> None:
        self._lines: dict[Path, int] = {}
        self._stack: list[_Open] = []
        self._root: Any = None
        self._documents = 0

    def built(self, text: str) -> Source:
        try:
            for event in yaml.parse(text, Loader=_Loader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            _refuse((), f"This is no YAML: {error.problem or error.context}.", mark.line + 1 if mark else None)
        except yaml.YAMLError as error:
            _refuse((), f"This is no YAML: {str(error).splitlines()[0]}.")
        if self._root is None:
            _refuse((), "The document is empty.")
        return Source(self._root, self._lines)

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.AliasEvent():
                self._refuse(event, "Anchors and aliases are not used here: write it out.")
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse(event, "There is a second document in it.")
            case yaml.ScalarEvent():
                self._check_node(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check_node(event)
                if len(self._stack) >= DEEPEST:
                    self._refuse(event, f"The document is nested more than {DEEPEST} deep.")
                made: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
                self._stack.append(_Open(made, self._put(event, made)))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text: str = event.value
        if "\x00" in text:
            self._refuse(event, "The text holds a NUL character, which can't be stored.")
        around = self._stack[-1] if self._stack else None
        if around and isinstance(around.value, dict) and around.key is None:
            # A key is the text it is written as, so that `3:` and `true:` need no quotes.
            if text in around.value:
                self._refuse(event, f"{text!r} is there twice.")
            around.key = text
            return
        value: Any = text
        if event.implicit[0]:
            try:
                value = plain(text)
            except ValueError as error:
                self._refuse(event, str(error))
        self._put(event, value)

    def _put(self, event: yaml.Event, value: Any) -> Path:
        """Put a value where it belongs; returns its path."""
        line = _line(event)
        if not self._stack:
            self._root = value
            self._lines[()] = line
            return ()
        around = self._stack[-1]
        if isinstance(around.value, list):
            path: Path = (*around.path, len(around.value))
            around.value.append(value)
        else:
            if around.key is None:
                self._refuse(event, "A key is a text.")
            path = (*around.path, around.key)
            around.value[around.key] = value
            around.key = None
        self._lines[path] = line
        if len(self._lines) > MOST_VALUES:
            self._refuse(event, f"The document has more than {MOST_VALUES:,} values.")
        return path

    def _check_node(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(event, "Anchors and aliases are not used here: write it out.")
        if event.tag is not None:
            self._refuse(event, f"Tags such as {event.tag[:60]} are not used here.")

    def _refuse(self, event: yaml.Event, message: str) -> NoReturn:
        path: Path = ()
        if self._stack:
            around = self._stack[-1]
            path = around.path if around.key is None else (*around.path, around.key)
        _refuse(path, message, _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
