"""The end of a tenant: deleted, restored within a while, and then purged with everything that is kept of it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from typing import Final

from django.core.files.storage import Storage, default_storage
from django.db import connection, transaction
from django.utils import timezone

from switchboard.kernel.problems import Conflict
from switchboard.kernel.redis import redis_client
from tenants.context import use_public
from tenants.models import Tenant

logger = logging.getLogger(__name__)

# How long a deleted tenant can be had back.
RESTORE_DAYS: Final = 30
_KEYS_AT_ONCE: Final = 500


def delete_tenant(*, tenant: Tenant) -> None:
    """Close a tenant for good, unless it is restored within `RESTORE_DAYS`. Nothing of it is removed until then.

    Its hostnames and its slug stay its own meanwhile: nobody else gets the visitors of a company that comes back.

    Raises:
        Conflict: `tenant_deleted`; `tenant_not_ready`, while it is being made.
    """
    with use_public(), transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if row.status == Tenant.Status.DELETED:
            raise Conflict("tenant_deleted", "The tenant is deleted already.")
        if row.status == Tenant.Status.PREPARING:
            raise Conflict("tenant_not_ready", "The tenant is still being made.")
        row.was_suspended = row.status == Tenant.Status.SUSPENDED
        row.status, row.deleted_at = Tenant.Status.DELETED, timezone.now()
        row.save(update_fields=["status", "deleted_at", "was_suspended"])


def restore_tenant(*, tenant: Tenant) -> None:
    """Have a deleted tenant back as it was: one that was suspended is so again.

    Raises:
        Conflict: `tenant_not_deleted`; `tenant_gone`, where it is too late.
    """
    with use_public(), transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if row.status != Tenant.Status.DELETED:
            raise Conflict("tenant_not_deleted", "Only a deleted tenant can be restored.")
        if row.deleted_at is None or row.deleted_at <= _too_late():
            raise Conflict("tenant_gone", f"It was deleted more than {RESTORE_DAYS} days ago, and is being removed.")
        row.status = Tenant.Status.SUSPENDED if row.was_suspended else Tenant.Status.READY
        row.deleted_at = None
        row.save(update_fields=["status", "deleted_at"])


def due_for_purge() -> list[Tenant]:
    """The deleted tenants that can't be restored any more."""
    with use_public():
        return list(Tenant.objects.filter(status=Tenant.Status.DELETED, deleted_at__lte=_too_late()).order_by("id"))


def purge_tenant(*, tenant: Tenant) -> None:
    """Remove everything of a deleted tenant: files, Redis keys, schema, rows. There is no way back.

    What is outside the database goes first: interrupted, the row is still there, and the next purge goes on.

    Raises:
        Conflict: `tenant_not_deleted`.
    """
    with use_public():
        if not Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.DELETED).exists():
            raise Conflict("tenant_not_deleted", "Only a deleted tenant can be purged.")
    remove_tenant(tenant=tenant)
    logger.info("a deleted tenant was purged", extra={"slug": tenant.slug})


def remove_tenant(*, tenant: Tenant) -> None:
    """What a purge does, whatever the tenant's state: for tenants that were made to be thrown away."""
    _remove_files(tenant.schema_name)
    _remove_redis_keys(tenant.schema_name)
    with use_public(), transaction.atomic():
        schema = connection.ops.quote_name(tenant.schema_name)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        tenant.delete()


def _too_late() -> dt.datetime:
    return timezone.now() - dt.timedelta(days=RESTORE_DAYS)


def _remove_files(schema_name: str) -> None:
    """Every file of a tenant: they all stand under its schema's name."""
    for path in list(_paths(default_storage, schema_name)):
        default_storage.delete(path)


def _paths(storage: Storage, folder: str) -> Iterator[str]:
    """The files in a folder and below it, then the folder itself."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in folders:
        if name:
            yield from _paths(storage, f"{folder}/{name}")
    for name in files:
        if name:
            yield f"{folder}/{name}"
    yield folder


def _remove_redis_keys(schema_name: str) -> None:
    """Every key in the tenant's name spaces (`tenants.context.tenant_key`, `tenants.cache`)."""
    redis = redis_client()
    for pattern in (f"t:{schema_name}:*", f"cache:{schema_name}:*"):
        batch: list[str] = []
        for key in redis.scan_iter(match=pattern, count=_KEYS_AT_ONCE):
            batch.append(key)
            if len(batch) >= _KEYS_AT_ONCE:
                redis.unlink(*batch)
                batch.clear()
        if batch:
            redis.unlink(*batch)
