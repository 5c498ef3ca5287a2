"""API keys: made, recognised, rotated, revoked."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.models import ApiKey, Tenant
from tenants.permissions import OPERATORS_ONLY, PLATFORM_SCOPES, Permission, allows

# What a tenant's key may have at most.
TENANT_SCOPES: Final = frozenset(Permission) - OPERATORS_ONLY
# How long a rotated key goes on beside the new one: enough to bring the new one everywhere.
OVERLAP_HOURS: Final = 24
MOST_OVERLAP_HOURS: Final = 168

_SHAPE = re.compile(r"^sb_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")
_LAST_USED_EVERY = dt.timedelta(minutes=1)


def create_api_key(
    *,
    tenant: Tenant | None,
    name: str,
    scopes: Iterable[Permission | str] | None = None,
    expires_at: dt.datetime | None = None,
    kind: str = ApiKey.Kind.BEARER,
    by: object | None = None,
) -> tuple[ApiKey, str]:
    """A new key: its row, and the key itself (of a signing key, its secret), which can't be had again.

    The secret has 256 bits, so a plain SHA-256 guards it; a slow hash is for what people choose.

    Args:
        tenant: whose it is; None makes a platform key.
        scopes: what it may do; None gives all that such a key can have and `by` has.
        kind: whether it is sent with each call, or signs them.
        by: who makes it, and can't give what they don't have; None is the system itself.

    Raises:
        Invalid: `invalid_scopes`.
        Problem: 403 `scope_not_held`.
    """
    given = _checked_scopes(tenant, scopes, by)
    prefix = secrets.token_hex(6)
    if kind == ApiKey.Kind.SIGNING:
        key = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        kept = {"secret": key}
    else:
        key = f"sb_{prefix}_{secrets.token_urlsafe(32)}"
        kept = {"digest": digest_of(key)}
    row = ApiKey.objects.create(
        tenant=tenant, kind=kind, name=name, scopes=given, prefix=prefix, expires_at=expires_at, **kept
    )
    return row, key


def rotate_api_key(*, key: ApiKey, hours: int = OVERLAP_HOURS, by: object | None = None) -> tuple[ApiKey, str]:
    """A new key in a key's place, with its name, scopes and length of life. The old one goes on for a while.

    Args:
        hours: how long the old key goes on; 0 ends it at once.
        by: who rotates it: whoever gets the new key must have what it may do.

    Raises:
        Invalid: `invalid_overlap`.
        Conflict: `api_key_ended`; `api_key_rotated`, where it has been already.
        Problem: 403 `scope_not_held`.
    """
    if not 0 <= hours <= MOST_OVERLAP_HOURS:
        raise Invalid("invalid_overlap", f"Give 0 to {MOST_OVERLAP_HOURS} hours.", field="hours")
    with transaction.atomic():
        old = ApiKey.objects.select_related("tenant").select_for_update(of=("self",)).get(pk=key.pk)
        if not old.is_usable:
            raise Conflict("api_key_ended", "The key has ended. Make a new one.")
        if old.replaced_by_id is not None:
            raise Conflict("api_key_rotated", "The key has been rotated already. Rotate the one that replaced it.")
        now = timezone.now()
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        expires_at = _after(now, lifetime) if lifetime else None
        new, text = create_api_key(
            tenant=old.tenant, name=old.name, scopes=old.permissions, expires_at=expires_at, kind=old.kind, by=by
        )
        end = now + dt.timedelta(hours=hours)
        old.replaced_by = new
        old.expires_at = min(old.expires_at or end, end)
        if hours == 0:
            old.revoked_at = now
        old.save(update_fields=["replaced_by", "expires_at", "revoked_at"])
    return new, text


def _after(now: dt.datetime, lifetime: dt.timedelta) -> dt.datetime:
    """When a new key ends; the end of time for one that was to last until about then."""
    return now + min(lifetime, dt.datetime.max.replace(tzinfo=dt.UTC) - now)


def revoke_api_key(*, key: ApiKey) -> None:
    """End a key. Every process forgets it within `directory.MEMORY_SECONDS`."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


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
    row = ApiKey.objects.select_related("tenant").filter(kind=ApiKey.Kind.BEARER, prefix=shape[1]).first()
    if row is None or not hmac.compare_digest(row.digest, digest_of(key)) or not row.is_usable:
        return None
    note_use(row)
    return row


def recognise_signing(prefix: str) -> ApiKey | None:
    """The usable signing key of this prefix, its tenant loaded, or None. Whoever names it has proven nothing yet."""
    row = ApiKey.objects.select_related("tenant").filter(kind=ApiKey.Kind.SIGNING, prefix=prefix).first()
    if row is None or not row.is_usable:
        return None
    note_use(row)
    return row


def note_use(row: ApiKey) -> None:
    """Note that a key was used, once a minute at most."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at < now - _LAST_USED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _LAST_USED_EVERY)
        ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now)


def _checked_scopes(tenant: Tenant | None, scopes: Iterable[Permission | str] | None, by: object | None) -> list[str]:
    most = TENANT_SCOPES if tenant is not None else PLATFORM_SCOPES
    if scopes is None:
        given = {scope for scope in most if by is None or allows(by, scope)}
    else:
        texts = [str(scope) for scope in scopes]
        unknown = [text for text in texts if text not in {str(scope) for scope in most}]
        if unknown or not texts:
            detail = f"“{unknown[0][:60]}” is no scope of such a key." if unknown else "Give at least one scope."
            raise Invalid("invalid_scopes", detail, field="scopes")
        given = {Permission(text) for text in texts}
        lacking = sorted(scope for scope in given if by is not None and not allows(by, scope))
        if lacking:
            raise Problem("scope_not_held", f"You can't give what you don't have: {', '.join(lacking)}.", status=403)
    # In the order of the vocabulary, so that two keys with the same scopes look the same.
    return [scope.value for scope in Permission if scope in given]
