"""`manage.py config_table`: the configuration as a table, or as the text of .env.example."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from switchboard.config import ROOT
from switchboard.configuration_docs import documentation, env_example, table


class Command(BaseCommand):
    help = "Print all settings as a Markdown table; --env prints .env.example; --write renews both files."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--env", action="store_true", help="print the text of .env.example")
        parser.add_argument("--write", action="store_true", help="write .env.example and docs/configuration.md")

    def handle(self, *args: Any, env: bool, write: bool, **options: Any) -> None:
        if write:
            (ROOT / ".env.example").write_text(env_example())
            (ROOT / "docs" / "configuration.md").write_text(documentation())
        else:
            self.stdout.write(env_example() if env else table(), ending="")
