from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from switchboard.kernel.problems import Problem
from tenants.domain.removal import due_for_purge, purge_tenant
from tenants.models import Tenant


class Command(BaseCommand):
    """Thin: see tenants.domain.removal."""

    help = "Remove deleted tenants whose time is up, or one deleted tenant at once. There is no way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", default="", help="a deleted tenant to remove at once")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        tenants = list(Tenant.objects.filter(slug=slug)) if slug else due_for_purge()
        if slug and not tenants:
            raise CommandError(f"There is no tenant {slug}.")
        for tenant in tenants:
            try:
                purge_tenant(tenant=tenant)
            except Problem as problem:
                raise CommandError(problem.detail) from None
            self.stdout.write(f"{tenant.slug} is gone.")
        if not tenants:
            self.stdout.write("No deleted tenant's time is up.")
