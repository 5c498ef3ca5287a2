"""django-tenants' backend with the tenant in a `ContextVar` instead of on the connection.

Stock django-tenants keeps the tenant on the connection object, one per thread. Under asyncio many requests share a
thread, and a request hops between threads, so the tenant of one request reaches the queries of another. Here the scope
travels with the context, and a connection is told its search path whenever what it was last told differs. Who acts
(`tenants.actor`) is told the same way, for the triggers of the audit trail.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import InternalError
from django_tenants.postgresql_backend import base

from tenants import actor
from tenants.context import PUBLIC, PUBLIC_SCHEMA, Scope, TenantNotSet, current_scope, set_scope

# Where a psycopg connection keeps what it was last told: the search path, and who acts. On the raw connection, not on
# Django's wrapper: with a pool, wrapper and connection meet anew each time.
_TOLD = "_switchboard_told"
# One statement for both, so that who acts costs no round trip where the scope changes as well.
_TELL = f"SELECT set_config('search_path', %s, false), set_config('{actor.SETTING}', %s, false)"


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """One thread's handle on the database; the scope is read from the context at each cursor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._initialising = True
        super().__init__(*args, **kwargs)
        self._initialising = False

    # django-tenants reads and writes these four; ours go to the context.
    @property
    def tenant(self) -> Scope | None:
        return current_scope()

    @tenant.setter
    def tenant(self, value: object) -> None:
        """Ignored: set_tenant() is told at the same time."""

    @property
    def schema_name(self) -> str | None:
        scope = current_scope()
        return scope.schema_name if scope else None

    @schema_name.setter
    def schema_name(self, value: object) -> None:
        """Ignored, as above."""

    @property
    def include_public_schema(self) -> bool:
        scope = current_scope()
        return scope.include_public if scope else True

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        if self._initialising:
            return
        set_scope(
            Scope(
                tenant.schema_name,
                tenant_id=getattr(tenant, "id", None),
                name=getattr(tenant, "name", ""),
                include_public=include_public,
            )
        )

    def set_schema_to_public(self) -> None:
        if not self._initialising:
            set_scope(PUBLIC)

    def _cursor(self, name: str | None = None) -> Any:
        scope = current_scope()
        if scope is None:
            raise TenantNotSet(
                "A query was made with no tenant in force. Wrap it in tenants.context.use_tenant(...) or use_public()."
            )
        # Past django-tenants' own _cursor(), which would decide by the connection object.
        cursor = super(base.DatabaseWrapper, self)._cursor(name)
        self._tell(scope)
        return cursor

    def _tell(self, scope: Scope) -> None:
        told = (_search_path(scope), actor.as_setting())
        if getattr(self.connection, _TOLD, None) == told:
            return
        setattr(self.connection, _TOLD, None)
        try:
            # A connection that was cut is told of as Django tells of it: whoever tries again knows only that.
            with self.wrap_database_errors:
                self.connection.execute(_TELL, told)
        except InternalError as error:
            if isinstance(error.__cause__, psycopg.errors.InFailedSqlTransaction):
                return  # Only a rollback can follow, and it comes through here again.
            raise
        setattr(self.connection, _TOLD, told)

    def _forget_what_was_told(self) -> None:
        # PostgreSQL undoes a SET made inside a transaction that is rolled back.
        if self.connection is not None:
            setattr(self.connection, _TOLD, None)

    def _rollback(self) -> None:
        super()._rollback()
        self._forget_what_was_told()

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        self._forget_what_was_told()

    def close(self) -> None:
        # A pool rolls an open transaction back when it takes the connection in.
        if self.in_atomic_block or not self.is_idle:
            self._forget_what_was_told()
        super().close()

    @property
    def is_idle(self) -> bool:
        """Whether the connection is outside a transaction, without opening one to ask."""
        if self.connection is None or self.connection.closed:
            return True
        return bool(self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE)


def _search_path(scope: Scope) -> str:
    base._check_schema_name(scope.schema_name)
    quoted = f'"{scope.schema_name}"'
    return f'{quoted}, "{PUBLIC_SCHEMA}"' if scope.include_public and not scope.is_public else quoted
