from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.vault.domain.rotation import rotate_encryption


class Command(BaseCommand):
    """Thin: see tenants.vault.domain.rotation."""

    help = "Re-encrypt every stored secret under the newest of ENCRYPTION_KEYS. Resumable; verifies at its end."

    def handle(self, *args: Any, **options: Any) -> None:
        tally = rotate_encryption(report=self.stdout.write)
        self.stdout.write(f"{tally.secrets} secrets, {tally.renewed} re-encrypted.")
        if tally.left:
            raise CommandError(f"{tally.left} are still under an older key, or none. Keep the older keys, run again.")
        self.stdout.write(
            "Everything is under the newest key. The older ones may go a day from now: answers that are kept for "
            "repeated requests live that long."
        )
