"""The template schema: migrated like a tenant's, dumped once for each state of the migrations, copied for each tenant.

Running the migrations for a new tenant takes half a second; replaying their outcome takes a tenth of that.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tenants.context import use_public, use_schema
from tenants.models import SchemaTemplate

TEMPLATE_SCHEMA: Final = "switchboard_template"
_DUMP_SECONDS = 120
# A dump begins by setting up its session; ours is set up already. Lines with a backslash speak to psql.
_NOT_FOR_US = ("SET ", "SELECT pg_catalog.set_config", "\\", "--")


@functools.cache
def current_digest() -> str:
    """What names the state of the migrations in this code: a hash over the names of all of them."""
    names = sorted(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    return hashlib.sha256(repr(names).encode()).hexdigest()


def refresh() -> None:
    """Dump the template schema, once its migrations have run. Idempotent."""
    with use_public():
        sql = _dump()
        SchemaTemplate.objects.update_or_create(digest=current_digest(), defaults={"sql": sql})
        SchemaTemplate.objects.exclude(digest=current_digest()).delete()
    _sql.cache_clear()


def copy_to(*, schema_name: str) -> None:
    """Make a schema out of the template, in the caller's transaction."""
    statements = _sql(current_digest()).replace(TEMPLATE_SCHEMA, schema_name)
    with use_schema(schema_name), connection.cursor() as cursor:
        cursor.execute(statements)


@functools.lru_cache(maxsize=1)
def _sql(digest: str) -> str:
    return SchemaTemplate.objects.get(digest=digest).sql


def _dump() -> str:
    parameters = connection.get_connection_params()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PGHOST": str(parameters.get("host", "")),
        "PGPORT": str(parameters.get("port", "") or "5432"),
        "PGUSER": str(parameters.get("user", "")),
        "PGPASSWORD": str(parameters.get("password", "")),
        "PGDATABASE": str(parameters["dbname"]),
    }
    command = [
        settings.PG_DUMP, "--schema", TEMPLATE_SCHEMA, "--inserts", "--rows-per-insert=200",
        "--no-owner", "--no-privileges", "--no-comments",
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_DUMP_SECONDS, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"pg_dump failed: {done.stderr.strip()[-400:]}")
    kept = (line for line in done.stdout.splitlines() if line and not line.startswith(_NOT_FOR_US))
    return "\n".join(kept)
