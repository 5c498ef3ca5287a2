"""A token taken apart, strictly, before anything in it is believed.

After RFC 8725 ("JSON Web Token Best Current Practices"). What a header says of keys (`jku`, `x5u`, `jwk`, `x5c`) is
never looked at: keys come from where we know them. A name that occurs twice, which two readers may read differently,
is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from tenants.tokens.entries import TokenRefused

LONGEST: Final = 8 * 1024
_SHAPE: Final = re.compile(r"([A-Za-z0-9_-]{10,2048})\.([A-Za-z0-9_-]{10,8192})\.([A-Za-z0-9_-]{10,2048})")
_TYPES: Final = frozenset({None, "JWT", "jwt", "at+jwt"})
_TIMES: Final = ("exp", "iat", "nbf")
_LAST_MOMENT: Final = 2**40


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token claims. Nobody has looked at its signature yet."""

    algorithm: str
    kid: str
    claims: dict[str, Any]


def is_shaped(text: str) -> bool:
    """Whether a text looks like a token at all, rather than like an API key."""
    return text.count(".") == 2


def read(token: str) -> Unverified:
    """Take a token apart.

    Raises:
        TokenRefused: it isn't what RFC 7519 and our own bounds allow.
    """
    shape = _SHAPE.fullmatch(token) if len(token) <= LONGEST else None
    if shape is None:
        raise TokenRefused
    header, claims = _object(shape[1]), _object(shape[2])
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(kid, str) or not 0 < len(kid) <= 200:
        raise TokenRefused
    kind = header.get("typ")
    if "crit" in header or not (kind is None or isinstance(kind, str)) or kind not in _TYPES:
        raise TokenRefused
    for name in _TIMES:
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST_MOMENT:
            raise TokenRefused
    return Unverified(algorithm, kid, claims)


def _object(part: str) -> dict[str, Any]:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True).decode()
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse)
    except (ValueError, binascii.Error, RecursionError):
        raise TokenRefused from None
    if not isinstance(value, dict):
        raise TokenRefused
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
