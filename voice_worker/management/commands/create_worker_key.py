"""`manage.py create_worker_key NAME`: a key for voice workers elsewhere, shown this one time."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from tenants.context import use_public
from tenants.domain.api_keys import create_api_key
from tenants.permissions import Permission


class Command(BaseCommand):
    help = "Make a platform key that may do what voice workers elsewhere do, and nothing else. It is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="Whose it is, for whoever revokes it.")

    def handle(self, *args: Any, **options: Any) -> None:
        with use_public():
            key = create_api_key(tenant=None, name=options["name"], scopes=[Permission.WORKER_OPERATE])[1]
        self.stdout.write(key)
