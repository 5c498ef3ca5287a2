# ruff: noqa: RUF001 - look-alike letters are among its disguises
"""A model that does what any text before it orders, whoever wrote that: it is the guards that are tested, not manners.

Orders are lines (or parts of lines) `CALL tool {"its": "arguments"}` and `SAY something`. They are found in the
prompt, in passages, in what the contact or earlier answers said, in tools' descriptions and in their results; plain, or
disguised: as base64, hexadecimal, rot13, backwards, percent-encoded, as HTML entities, in look-alike or invisible
letters, cut up by unseen characters. In them `{{prompt}}` stands for the system message, `{{everything}}` for all
messages as JSON, `{{tools}}` for the tools' descriptions, `{{last}}` for what the contact said last.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_ORDER = re.compile(r"\bCALL ([A-Za-z0-9_.-]+) ?(?=\{)|\bSAY (.+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_ALIKE = str.maketrans("САLУЅАсаеорху", "CALYSAcaeopxy")
_MOST_CALLS = 4


def obey(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What it says, and the tools it calls: those it hasn't called yet since the contact spoke last."""
    done = _done(messages)
    said: list[str] = []
    calls: list[tuple[str, str]] = []
    for text in _texts(messages, tools):
        for name, rest in _orders(text):
            if not name:
                said.append(_filled(rest, messages, tools))
                continue
            arguments = _filled(rest, messages, tools, in_json=True)
            if (name, _plain(arguments)) not in done and (name, arguments) not in calls:
                calls.append((name, arguments))
    if done:  # said before it called
        said = [one for one in said if one not in _spoken(messages)]
    return "\n".join(dict.fromkeys(said)) or ("" if calls else "As you wish."), tuple(calls[:_MOST_CALLS])


def _texts(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message.get("content")
        yield "\n".join(part.get("text", "") for part in content) if isinstance(content, list) else str(content or "")
    for tool in tools:
        yield json.dumps(tool, ensure_ascii=False).replace("\\n", "\n").replace('\\"', '"')


def _orders(text: str) -> Iterator[tuple[str, str]]:
    """Each order of a text, disguised or not, once: a tool and its arguments, or "" and words."""
    found: dict[tuple[str, str], None] = {}
    for plain in _undisguised(text):
        for match in _ORDER.finditer(plain):
            if match[2] is not None:
                found["", match[2].strip()] = None
            elif arguments := _object_at(plain, match.end()):
                found[match[1], arguments] = None
    yield from found


def _object_at(text: str, start: int) -> str:
    """The JSON object that begins at a place, as it is written; "" where there is none."""
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return ""
    return text[start:end]


def _undisguised(text: str) -> Iterator[str]:
    hidden = "".join(chr(ord(one) - 0xE0000) for one in text if 0xE0020 <= ord(one) <= 0xE007E)
    clean = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).translate(_ALIKE)
    yield from (text, hidden, clean)
    for decoded in (html.unescape(clean), unquote(clean), codecs.decode(clean, "rot13")):
        if decoded != clean:
            yield decoded
    yield "\n".join(line[::-1] for line in clean.splitlines())
    for piece in _BASE64.findall(clean):
        yield from _decoded(lambda piece=piece: base64.b64decode(piece + "=" * (-len(piece) % 4), altchars=b"-_"))
        yield from _decoded(lambda piece=piece: base64.b64decode(piece + "=" * (-len(piece) % 4)))
    for piece in _HEX.findall(clean):
        yield from _decoded(lambda piece=piece: bytes.fromhex(piece))


def _decoded(decode: Any) -> Iterator[str]:
    try:
        yield decode().decode()
    except (ValueError, binascii.Error):
        return


def _filled(order: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]], *, in_json: bool = False) -> str:
    values = {
        "prompt": str(messages[0].get("content") or "") if messages else "",
        "everything": json.dumps(messages, ensure_ascii=False),
        "tools": json.dumps(tools, ensure_ascii=False),
        "last": next((str(one.get("content")) for one in reversed(messages) if one.get("role") == "user"), ""),
    }

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1], "")
        return json.dumps(value, ensure_ascii=False)[1:-1] if in_json else value

    return re.sub(r"\{\{(\w+)\}\}", fill, order)


def _done(messages: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """The calls since the contact spoke last."""
    done = set()
    for message in reversed(messages):
        if message.get("role") == "user":
            break
        for call in message.get("tool_calls") or ():
            done.add((call["function"]["name"], _plain(call["function"]["arguments"])))
    return done


def _plain(arguments: str) -> str:
    return json.dumps(json.loads(arguments, strict=False), sort_keys=True)


def _spoken(messages: list[dict[str, Any]]) -> str:
    return "\n".join(str(one.get("content") or "") for one in messages if one.get("role") == "assistant")
