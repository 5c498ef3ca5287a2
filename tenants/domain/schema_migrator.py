"""Django's migrations applied to one schema after another, with what is the same for all of them done once.

`manage.py migrate` loads every migration, builds their graph, compares it with the models and renders a state for its
signals each time; for a thousand tenants that is most of the time.
"""

from __future__ import annotations

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from tenants.context import use_schema


class _Recorder(MigrationRecorder):
    """Looks its table up by name. Django's own lists all tables it can see, out of the catalogue of all tenants."""

    def has_table(self) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [self.Migration._meta.db_table])
            return bool(cursor.fetchone()[0])


class SchemaMigrator:
    """Brings schemas up to the migrations on disk."""

    def __init__(self) -> None:
        self._executor = MigrationExecutor(connection)

    def migrate(self, schema_name: str) -> bool:
        """Apply what a schema lacks. Returns whether it lacked anything."""
        executor, loader = self._executor, self._executor.loader
        # Alone in its schema at first, or the public schema's record would pass for its own.
        executor.recorder = _Recorder(connection)
        with use_schema(schema_name, include_public=False):
            executor.recorder.ensure_schema()
            # The stubs take the loader's word for migrations; Django keeps the recorder's rows there.
            loader.applied_migrations = executor.recorder.applied_migrations()  # type: ignore[assignment]
        if loader.replacements:
            # Whether a squashed migration stands for its parts depends on which of them are applied.
            with use_schema(schema_name, include_public=False):
                loader.build_graph()
        targets = loader.graph.leaf_nodes()
        plan = executor.migration_plan(targets)
        if not plan:
            return False
        with use_schema(schema_name):
            loader.check_consistent_history(connection)
            emit_pre_migrate_signal(verbosity=0, interactive=False, db=connection.alias, apps=apps, plan=plan)
            executor.migrate(targets, plan)
            emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias, apps=apps, plan=plan)
        return True
