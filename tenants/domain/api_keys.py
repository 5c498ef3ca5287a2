"""API keys: made, recognised, revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets

from django.db.models import Q
from django.utils import timezone

from tenants.models import ApiKey, Tenant

_SHAPE = re.compile(r"^sb_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")
_LAST_USED_EVERY = dt.timedelta(minutes=1)


def create_api_key(*, tenant: Tenant, name: str, expires_at: dt.datetime | None = None) -> tuple[ApiKey, str]:
    """A new key of a tenant: its row, and the key itself, which can't be had again.

    The secret has 256 bits, so a plain SHA-256 guards it; a slow hash is for what people choose.
    """
    prefix = secrets.token_hex(6)
    key = f"sb_{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(tenant=tenant, name=name, prefix=prefix, digest=digest_of(key), expires_at=expires_at)
    return row, key


def digest_of(key: str) -> str:
    """The hash that is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_shaped(key: str) -> bool:
    """Whether a text can be a key at all. What can't needs no look-up, and isn't remembered as unknown."""
    return _SHAPE.match(key) is not None


def recognise(key: str) -> ApiKey | None:
    """The usable key that this text is, its tenant loaded, or None. Notes that it was used, once a minute at most."""
    shape = _SHAPE.match(key)
    if shape is None:
        return None
    row = ApiKey.objects.select_related("tenant").filter(prefix=shape[1]).first()
    if row is None or not hmac.compare_digest(row.digest, digest_of(key)) or not row.is_usable:
        return None
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _LAST_USED_EVERY)
    if row.last_used_at is None or row.last_used_at < now - _LAST_USED_EVERY:
        ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now)
    return row


def revoke_api_key(*, key: ApiKey) -> None:
    """End a key. Every process forgets it within `directory.MEMORY_SECONDS`."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
