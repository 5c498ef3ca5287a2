"""ETag and If-Match (RFC 9110 §13): of two people who edit the same thing, the second learns of the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from switchboard.kernel.problems import Problem

IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag that was last seen. It is refused (412) if it isn't that any more.",
)


def etag_of(representation: Mapping[str, Any]) -> str:
    """A strong validator of what a client was shown."""
    text = json.dumps(representation, sort_keys=True, cls=JSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def check_if_match(request: Request, etag: str) -> None:
    """Refuse a change of something that isn't any more as the client saw it. Without If-Match all is allowed.

    Raises:
        Problem: 412 `stale`.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*" or etag in (part.strip() for part in wanted.split(",")):
        return
    raise Problem("stale", "It was changed meanwhile. Fetch it again and repeat your change.", status=412)
