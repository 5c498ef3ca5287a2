"""One id for each request: in its log lines, in its answer, and in the audit trail."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Request-Id"
_SHAPE: Final = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
_request_id: ContextVar[str] = ContextVar("switchboard_request_id", default="")


def current_request_id() -> str:
    """The id of the request that is being answered, or ""."""
    return _request_id.get()


def set_request_id(value: str) -> None:
    """Say which request the code in this context answers."""
    _request_id.set(value)


def request_id_from(given: str | None) -> str:
    """The id that a caller or a proxy gave, where it has the shape of one; else a new one."""
    return given if given and _SHAPE.match(given) else uuid.uuid4().hex
