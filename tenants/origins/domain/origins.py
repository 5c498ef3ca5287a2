"""Allowed origins: added and taken away."""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction

from switchboard.kernel.problems import Conflict, Invalid
from tenants.origins.matching import normal_origin
from tenants.origins.models import AllowedOrigin

MOST_ORIGINS: Final = 200


def allow_origin(*, origin: str) -> AllowedOrigin:
    """Let pages of an origin call the tenant's API.

    Raises:
        Invalid: `invalid_origin`.
        Conflict: `origin_exists`; `too_many_origins`.
    """
    name = normal_origin(origin)
    if name is None:
        detail = "Write it as browsers do, such as https://www.example.com or https://*.example.com."
        raise Invalid("invalid_origin", detail, field="origin")
    if AllowedOrigin.objects.count() >= MOST_ORIGINS:
        raise Conflict("too_many_origins", f"{MOST_ORIGINS} origins are the most.")
    try:
        with transaction.atomic():
            return AllowedOrigin.objects.create(origin=name)
    except IntegrityError:
        raise Conflict("origin_exists", "This origin is allowed already.") from None


def disallow_origin(*, origin: AllowedOrigin) -> None:
    """Let its pages call no more; browsers may remember a preflight for ten minutes."""
    origin.delete()
