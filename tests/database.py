"""The database of the tests: migrated once, with two tenants that stay, and emptied after tests that commit."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from switchboard.kernel.redis import redis_client
from tenants.context import use_public
from tenants.domain.migrate import migrate_platform
from tenants.domain.provision import create_tenant
from tenants.domain.removal import remove_tenant
from tenants.models import Tenant

HARBOUR, AGENCY = "harbour", "agency"
_NAMES = {HARBOUR: "Harbour Hotel", AGENCY: "Agency Homes"}

# What the set-up made and no test may take away.
_KEPT = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "tenants_schematemplate",
        "tenants_tenant",
        "tenants_domain",
    }
)
_BIG = 1_000_000  # bytes


def set_up() -> None:
    """Migrate everything and make the two tenants."""
    with use_public():
        migrate_platform(report=lambda line: None)
        for slug, name in _NAMES.items():
            create_tenant(name=name, slug=slug, domains=[f"{slug}.localhost"])


def tenant(slug: str) -> Tenant:
    """The row of one of the two tenants."""
    with use_public():
        return Tenant.objects.get(slug=slug)


def clean_up() -> None:
    """Remove what tests committed: rows of both tenants and the public schema, further tenants, and all of Redis."""
    with use_public():
        for other in Tenant.objects.exclude(slug__in=_NAMES):
            remove_tenant(tenant=other)
        Tenant.objects.update(status=Tenant.Status.READY)
        with connection.cursor() as cursor:
            # A connection that a test leaked in the middle of a transaction shows here, and not as a hang.
            cursor.execute("SET lock_timeout = '10s'")
            cursor.execute(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN "
                "(SELECT schema_name FROM tenants_tenant UNION SELECT 'public')"
            )
            quote = connection.ops.quote_name
            tables = [f"{quote(schema)}.{quote(table)}" for schema, table in cursor.fetchall() if table not in _KEPT]
            cursor.execute(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables))
            filled = [row[0] for row in cursor.fetchall()]
            if filled:
                _empty(cursor, filled)
            cursor.execute("RESET lock_timeout")
        connection.close()
    redis_client().flushdb()


def _empty(cursor: Any, tables: list[str]) -> None:
    """As TRUNCATE, but for tables of a few rows in a hundredth of the time."""
    # The audit trail refuses to be emptied, and would note that all else was.
    cursor.execute("SET session_replication_role = replica")
    with transaction.atomic():
        # Whoever still writes is waited for.
        cursor.execute(f"LOCK TABLE {', '.join(tables)}")
        cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))
    # What was deleted keeps its place in the file.
    cursor.execute("SELECT one FROM unnest(%s::text[]) one WHERE pg_relation_size(one) > %s", [tables, _BIG])
    if big := [row[0] for row in cursor.fetchall()]:
        cursor.execute(f"TRUNCATE {', '.join(big)} CASCADE")
    cursor.execute("RESET session_replication_role")
