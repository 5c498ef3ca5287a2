"""Every stored secret brought under the newest key, so that the older ones can be given up.

The encrypted fields are found by walking the models, so none is forgotten; each is looked at in every schema where its
table stands. Rows are read a few at a time and written only as they were read. Interrupted, it is run again: what is
under the newest key already is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

from switchboard.kernel.encryption import EncryptedTextField, SecretUnreadable, is_newest, renew
from tenants.actor import doing
from tenants.context import PUBLIC_SCHEMA, use_public, use_schema
from tenants.models import Tenant

Report = Callable[[str], None]
_ROWS_AT_ONCE: Final = 200


@dataclass(slots=True)
class Tally:
    """What a rotation found and did. `unreadable` names secrets that no configured key opens."""

    secrets: int = 0
    renewed: int = 0
    unreadable: int = 0
    left: int = 0


def rotate_encryption(*, report: Report) -> Tally:
    """Re-encrypt what isn't under the newest key, then look at everything once more.

    Args:
        report: takes one line of progress at a time.

    Returns:
        The tally; `left` counts what the newest key alone doesn't open, which is 0 where the older keys may go.
    """
    tally = Tally()
    columns = encrypted_columns()
    schemas = [PUBLIC_SCHEMA, *_tenant_schemas()]
    for index, schema in enumerate(schemas, start=1):
        before = tally.renewed
        with doing("encryption.rotated"):
            for model, names in columns.items():
                _renew(schema, model, names, tally, report)
        report(f"{index} of {len(schemas)}, {schema}: {tally.renewed - before} re-encrypted")
    for schema in schemas:
        for model, names in columns.items():
            for _, values in _rows(schema, model, names):
                tally.left += sum(1 for value in values if value and not is_newest(value))
    return tally


def encrypted_columns() -> dict[type[Model], list[str]]:
    """Every model with encrypted fields, and their columns."""
    found = {
        model: [str(field.column) for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
    return {model: names for model, names in found.items() if names}


def _tenant_schemas() -> list[str]:
    with use_public():
        return list(Tenant.objects.order_by("id").values_list("schema_name", flat=True))


def _renew(schema: str, model: type[Model], names: list[str], tally: Tally, report: Report) -> None:
    for pk, values in _rows(schema, model, names):
        for name, value in zip(names, values, strict=True):
            if not value:
                continue
            tally.secrets += 1
            if is_newest(value):
                continue
            try:
                tally.renewed += _write(schema, model, name, pk, value, renew(value))
            except SecretUnreadable:
                tally.unreadable += 1
                report(f"{schema}: {model._meta.label} {pk} {name} can't be read with any key; it stays as it is")


def _rows(schema: str, model: type[Model], names: list[str]) -> Iterator[tuple[Any, list[str | None]]]:
    """The rows of a table in one schema, a few at a time, with what is stored in these columns."""
    quote = connection.ops.quote_name
    table = f"{quote(schema)}.{quote(model._meta.db_table)}"
    key = quote(str(model._meta.pk.column))
    listed = ", ".join([key, *map(quote, names)])
    last: Any = None
    with use_schema(schema), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        if not cursor.fetchone()[0]:
            return
    while True:
        after = "" if last is None else f"WHERE {key} > %s"
        with use_schema(schema), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {listed} FROM {table} {after} ORDER BY {key} LIMIT {_ROWS_AT_ONCE}",  # noqa: S608
                [] if last is None else [last],
            )
            rows = cursor.fetchall()
        for pk, *values in rows:
            yield pk, values
        if len(rows) < _ROWS_AT_ONCE:
            return
        last = rows[-1][0]


def _write(schema: str, model: type[Model], name: str, pk: Any, before: str, after: str) -> int:
    """Put a value in the place of one, unless somebody has changed it meanwhile: then it is newer than ours."""
    quote = connection.ops.quote_name
    table = f"{quote(schema)}.{quote(model._meta.db_table)}"
    key, column = quote(str(model._meta.pk.column)), quote(name)
    with use_schema(schema), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s",  # noqa: S608
            [after, pk, before],
        )
        return int(cursor.rowcount)
