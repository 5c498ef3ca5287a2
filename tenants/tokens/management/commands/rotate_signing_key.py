from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from switchboard.kernel.problems import Problem
from tenants.tokens.domain.signing_keys import revoke_signing_key, rotate_signing_key


class Command(BaseCommand):
    """Thin: see tenants.tokens.domain.signing_keys."""

    help = "Let the next key sign end users' tokens. Those signed before hold until they expire."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at-once", action="store_true", help="even if others may not know the next key yet")
        parser.add_argument("--revoke", metavar="KID", default="", help="believe a key that has leaked no more")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["revoke"]:
                revoke_signing_key(kid=options["revoke"])
                self.stdout.write(f"{options['revoke']} is believed no more.")
            else:
                key = rotate_signing_key(at_once=options["at_once"])
                self.stdout.write(f"{key.kid} signs from now on.")
        except Problem as problem:
            raise CommandError(problem.detail) from None
