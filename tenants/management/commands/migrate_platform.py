from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tenants.domain.migrate import migrate_platform


class Command(BaseCommand):
    """Thin: see tenants.domain.migrate."""

    help = "Migrate the public schema, the template for new tenants, and every tenant. Resumable."

    def handle(self, *args: Any, **options: Any) -> None:
        migrate_platform(report=self.stdout.write)
