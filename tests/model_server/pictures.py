"""The pictures in a request, in whichever of the protocols it is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, and the text that came right before it."""

    label: str
    media_type: str
    data: bytes


def pictures_in(request: dict[str, Any]) -> list[Picture]:
    """All pictures of a request, in their order."""
    found: list[Picture] = []
    for message in [*request.get("messages", ()), *request.get("contents", ())]:
        parts = message.get("content", message.get("parts"))
        before = ""
        for part in parts if isinstance(parts, list) else ():
            for media_type, data in _picture(part):
                found.append(Picture(before, media_type, base64.b64decode(data, validate=True)))
            before = part.get("text", "")
    return found


def is_picture(part: dict[str, Any]) -> bool:
    """Whether a part of a message is one."""

    return any(True for _ in _picture(part))


def _picture(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Its media type and its data in base64, where the part is one."""
    if part.get("type") == "image_url":  # OpenAI
        address = part["image_url"]["url"]
        head, _, data = address.partition(";base64,")
        yield head.removeprefix("data:"), data
    elif part.get("type") == "image":  # Anthropic
        yield part["source"]["media_type"], part["source"]["data"]
    elif "inlineData" in part:  # Google
        # Its client writes bytes in the alphabet for addresses, and some names as Python has them; the API takes both.
        picture = part["inlineData"]
        data = picture["data"].replace("-", "+").replace("_", "/")
        yield picture.get("mimeType") or picture["mime_type"], data
