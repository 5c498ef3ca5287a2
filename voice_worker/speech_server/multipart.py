"""Reading a form with a file (RFC 7578), without a web framework."""

from __future__ import annotations

import re
from email.message import Message

from switchboard.kernel.side_process import Refused

_MOST_PARTS = 400
_MOST_HEAD = 4_096  # bytes of a part's headers
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,60}")


def form(content_type: bytes, body: bytes) -> dict[str, list[bytes]]:
    """The values of each field, in order.

    Raises:
        Refused: this is no such form.
    """
    head = Message()
    head["content-type"] = content_type.decode("latin-1")
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise Refused(400, "Send multipart/form-data with a boundary.", code="invalid_content_type")
    line = b"\r\n--" + boundary.encode("latin-1", errors="replace")
    parts = (b"\r\n" + body).split(line, _MOST_PARTS + 1)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise Refused(400, "The form does not end, or has too many fields.", code="invalid_form")
    fields: dict[str, list[bytes]] = {}
    for part in parts[1:-1]:
        headers, found, value = part.partition(b"\r\n\r\n")
        name = _name(headers) if found and len(headers) <= _MOST_HEAD else None
        if name is None:
            raise Refused(400, "A field of the form can't be read.", code="invalid_form")
        fields.setdefault(name.removesuffix("[]"), []).append(value)
    return fields


def _name(headers: bytes) -> str | None:
    for line in headers.decode("utf-8", errors="replace").split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            disposition = Message()
            disposition["content-disposition"] = value.strip()
            name = disposition.get_param("name", header="content-disposition")
            return name if isinstance(name, str) and _NAME.fullmatch(name) else None
    return None
