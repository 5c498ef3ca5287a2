"""The platform's signing keys, as every process remembers them for a moment, and what is published of them."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

import jwt
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from switchboard.kernel.memory import Memory
from tenants.context import use_public
from tenants.models import ApiKey, SigningKey

ALGORITHM: Final = "RS256"
# A key that is revoked is forgotten by every process within this and `verification.MEMORY_SECONDS`.
MEMORY_SECONDS: Final = 2.0
LONGEST_LIFE: Final = dt.timedelta(hours=24)
LEEWAY_SECONDS: Final = 30


def issuer_name() -> str:
    """The `iss` of the platform's own tokens."""
    return f"https://{settings.PLATFORM_HOST}"


def published() -> list[dict[str, Any]]:
    """The public keys, as JWKs: those in use, the next one, and those whose tokens may still be on their way."""
    with use_public():
        return [dict(row) for row in _valid().values_list("public_jwk", flat=True)]


def _valid() -> Any:
    forgotten = timezone.now() - LONGEST_LIFE - dt.timedelta(seconds=LEEWAY_SECONDS)
    living = ~Q(state=SigningKey.State.RETIRED) | Q(retired_at__gt=forgotten)
    return SigningKey.objects.filter(living, revoked_at=None).order_by("created_at")


def _load(_: str) -> Mapping[str, Any]:
    return {jwk["kid"]: jwt.PyJWK(jwk, ALGORITHM).key for jwk in published()}


def _is_revoked(key_id: uuid.UUID) -> bool:
    with use_public():
        return not ApiKey.objects.filter(pk=key_id, revoked_at=None).exists()


keys: Memory[str, Mapping[str, Any]] = Memory(_load, seconds=MEMORY_SECONDS)
revoked_api_keys: Memory[uuid.UUID, bool] = Memory(_is_revoked, seconds=MEMORY_SECONDS)


_PAUSE_SECONDS: Final = 0.5
_looked_again = 0.0


def may_look_again() -> bool:
    """Whether a key that isn't known is worth another query now."""
    global _looked_again
    now = time.monotonic()
    if now - _looked_again < _PAUSE_SECONDS:
        return False
    _looked_again = now
    return True


def forget() -> None:
    """Ask the database again from here on."""
    keys.forget()
    revoked_api_keys.forget()
