"""Templates of a request filled in with arguments, so that an argument stays what it is: it adds no path, no parameter,
no header, no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from agents.content.http_request import HttpRequest
from agents.content.prompt import TemplateRefused, render
from agents.tools.results import ToolContext, ToolFailed, as_text

_WHOLE: Final = re.compile(r"\{\{([^{}]*)\}\}")
_MISSING: Final = object()


def values_of(arguments: Mapping[str, Any], context: ToolContext) -> dict[str, Any]:
    """What templates may name. Who the contact is, no argument says."""
    return {
        **arguments,
        "context.contact": context.contact,
        "context.conversation": str(context.conversation_id),
    }


def url_of(template: str, request: HttpRequest, values: Mapping[str, Any]) -> str:
    """The URL with its arguments percent-encoded.

    Raises:
        ToolFailed: `tool_arguments_invalid`, where one is missing in the path, or would lead out of it.
    """
    encoded = {name: quote(as_text(value), safe="") for name, value in values.items()}
    scheme, _, rest = template.partition("://")
    try:
        url = f"{scheme}://{render(rest, encoded)}"
    except TemplateRefused as refused:
        raise ToolFailed("tool_arguments_invalid", str(refused)) from None
    path = url.partition("://")[2].partition("?")[0].partition("#")[0]
    asked = rest.partition("?")[0].partition("#")[0]
    for segment, wanted in zip(path.split("/"), asked.split("/"), strict=False):
        # An encoded slash stays within its segment; dots and nothing at all are what a server takes for another path.
        if "{{" in wanted and segment.strip(".") == "":
            raise ToolFailed("tool_arguments_invalid", "An argument of the path may not be empty or dots alone.")
    pairs = [(one.name, text) for one in request.query if (text := _text(one.value, values)) is not None]
    if not pairs:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"


def headers_of(request: HttpRequest, values: Mapping[str, Any]) -> dict[str, str]:
    """The headers. Raises `ToolFailed` for an argument that no header can carry."""
    found = {}
    for header in request.headers:
        text = _text(header.value, values)
        if text is not None:
            found[header.name] = header_value(text)
    return found


def header_value(text: str) -> str:
    """A text as a header can carry it. Raises `ToolFailed` for control characters and what isn't ASCII."""
    if not text.isascii() or not text.isprintable():
        raise ToolFailed("tool_arguments_invalid", "A header can't carry this text.")
    return text


def body_of(request: HttpRequest, arguments: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """The body, as JSON: the template's, or the arguments themselves; None for a request without one."""
    if request.method == "GET" or (request.method == "DELETE" and request.body is None):
        return None
    return dict(arguments) if request.body is None else _filled(request.body, values)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A template's value: a text that is one place and nothing else becomes the argument itself, of whatever type."""
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value.strip())
        if whole:
            return values.get(whole[1].strip(), _MISSING)
        text = _text(value, values)
        return _MISSING if text is None else text
    if isinstance(value, dict):
        filled = {key: _filled(inner, values) for key, inner in value.items()}
        return {key: inner for key, inner in filled.items() if inner is not _MISSING}
    if isinstance(value, list):
        return [inner for inner in (_filled(one, values) for one in value) if inner is not _MISSING]
    return value


def _text(template: str, values: Mapping[str, Any]) -> str | None:
    """A template filled in; None where an argument that it names wasn't given."""
    try:
        return render(template, {name: as_text(value) for name, value in values.items()})
    except TemplateRefused:
        return None
