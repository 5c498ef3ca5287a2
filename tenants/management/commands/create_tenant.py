from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from switchboard.kernel.problems import Problem
from tenants.domain.provision import create_tenant


class Command(BaseCommand):
    """Thin: see tenants.domain.provision."""

    help = "Create a tenant with its schema and hostnames."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--domain", action="append", required=True, help="a hostname; repeat for more")
        parser.add_argument("--slug", default="", help="names the schema; made from NAME where absent")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"] or slugify(options["name"]).replace("-", "_")
        try:
            tenant = create_tenant(name=options["name"], slug=slug, domains=options["domain"])
        except Problem as problem:
            raise CommandError(problem.detail) from None
        self.stdout.write(f"{tenant.name} is ready at {options['domain'][0]} (schema {tenant.schema_name}).")
