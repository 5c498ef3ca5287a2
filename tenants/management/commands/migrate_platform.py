from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from tenants.domain.migrate import migrate_platform


class Command(BaseCommand):
    """Thin: see tenants.domain.migrate."""

    help = "Migrate the public schema, the template for new tenants, and every tenant. Resumable."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            migrate_platform(report=self.stdout.write)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
