"""Migrations over the public schema, the template and every tenant, one after the other, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from tenants.checks import refuse_transaction_pooling
from tenants.context import PUBLIC_SCHEMA, use_public
from tenants.domain import provision, template
from tenants.domain.schema_migrator import SchemaMigrator
from tenants.models import SchemaTemplate, Tenant

Report = Callable[[str], None]

# Any fixed number: who holds it is migrating.
_LOCK = 4_711_001


def migrate_platform(*, report: Report) -> None:
    """Bring everything up to this code. Interrupted, it goes on where it stopped; run twice, the second does nothing.

    Args:
        report: takes one line of progress at a time.
    """
    refuse_transaction_pooling()
    with use_public(), _alone():
        migrator = SchemaMigrator()
        migrator.migrate(PUBLIC_SCHEMA)
        digest = template.current_digest()
        if not SchemaTemplate.objects.filter(digest=digest).exists():
            report("making the template for new tenants")
            _ensure_schema(template.TEMPLATE_SCHEMA)
            migrator.migrate(template.TEMPLATE_SCHEMA)
            template.refresh()
        behind = list(Tenant.objects.exclude(migrated_to=digest).order_by("created_at"))
        for index, tenant in enumerate(behind, start=1):
            report(f"migrating tenant {index} of {len(behind)}: {tenant.slug}")
            migrator.migrate(tenant.schema_name)
            Tenant.objects.filter(pk=tenant.pk).update(migrated_to=digest)
        for tenant in Tenant.objects.filter(status=Tenant.Status.PREPARING):
            report(f"finishing tenant {tenant.slug}")
            provision.open_doors(tenant=tenant)
        report(f"{Tenant.objects.count()} tenants are up to date")


def _ensure_schema(schema_name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {connection.ops.quote_name(schema_name)}")


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
