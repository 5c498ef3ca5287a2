"""Plain values to YAML that people read and compare: one form for each value, so that the same says the same bytes.

PyYAML's emitter folds long lines, and writes a text with an emoji or a space before a line's end as one quoted line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from agents.configuration.reading import plain

# Longer texts stand in a block of their own.
_LONG: Final = 100
_INDENT: Final = "  "
# What a YAML reader takes as it stands; everything else is escaped. U+2028 and its like are line breaks to some.
_UNPRINTABLE: Final = re.compile(
    "[^\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_STARTS_PLAIN: Final = re.compile(r"\w|/\w")
_NEEDS_QUOTES: Final = re.compile(r": |:$| #|[\n\t]| $")


def as_yaml(value: Mapping[str, Any]) -> str:
    """A document's text. Keys keep the order they come in."""
    return "".join(f"{line}\n" for line in _mapping(value, ""))


def _mapping(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in value.items():
        yield from _item(f"{indent}{_key(key)}:", item, indent)


def _list(value: list[Any], indent: str) -> Iterator[str]:
    for item in value:
        inner = indent + _INDENT
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(item, inner)
            yield f"{indent}- {first.removeprefix(inner)}"
            yield from rest
        else:
            yield from _item(f"{indent}-", item, indent)


def _item(head: str, value: Any, indent: str) -> Iterator[str]:
    inner = indent + _INDENT
    if isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, inner)
    elif isinstance(value, list) and value:
        yield head
        yield from _list(value, inner)
    elif isinstance(value, str) and _fits_block(value):
        yield f"{head} |" if value.endswith("\n") else f"{head} |-"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{inner}{line}" if line else ""
    else:
        yield f"{head} {_scalar(value)}"


def _fits_block(text: str) -> bool:
    if "\n" not in text and len(text) <= _LONG:
        return False
    if text[0] in " \t\n" or text.endswith("\n\n") or not text.strip():
        return False
    return not _UNPRINTABLE.search(text)


def _key(key: str) -> str:
    # A key is read as the text it is, whatever it looks like; others may read these documents too.
    return _text(key) if len(key) <= _LONG else _quoted(key)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return json.dumps(value)  # a whole number, {} or []


def _text(text: str) -> str:
    return text if _is_plain(text) else _quoted(text)


def _is_plain(text: str) -> bool:
    if not _STARTS_PLAIN.match(text) or _NEEDS_QUOTES.search(text) or _UNPRINTABLE.search(text):
        return False
    try:
        if not isinstance(plain(text), str):
            return False
    except ValueError:
        return False
    resolvers = yaml.SafeDumper.yaml_implicit_resolvers
    return not any(pattern.match(text) for _, pattern in [*resolvers.get(text[0], []), *resolvers.get(None, [])])


def _quoted(text: str) -> str:
    return _UNPRINTABLE.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
