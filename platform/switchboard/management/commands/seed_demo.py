from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from switchboard.demo.seed import seed_demo


class Command(BaseCommand):
    """Thin: see switchboard.demo.seed."""

    help = "Make the two demo companies, if they aren't there, and write demo.json."

    def handle(self, *args: Any, **options: Any) -> None:
        path = seed_demo(report=self.stdout.write)
        self.stdout.write(f"addresses and passwords are in {path}")
