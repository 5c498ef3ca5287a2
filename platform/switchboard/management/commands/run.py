"""`manage.py run`: the whole platform in one foreground process tree."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from switchboard.launcher.command import main


class Command(BaseCommand):
    help = "Run the whole platform on this machine: PostgreSQL, Redis, migrations, web, worker, embedder, speech."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", help="port of the web server (PORT)")
        parser.add_argument("--host", help="address of the web server (HOST)")
        parser.add_argument("--no-seed", action="store_true", help="don't make the two demo companies")

    def handle(self, *args: Any, port: str | None, host: str | None, no_seed: bool, **options: Any) -> None:
        words = [f"--port={port}"] if port else []
        words += [f"--host={host}"] if host else []
        words += ["--no-seed"] if no_seed else []
        sys.exit(main(words))
