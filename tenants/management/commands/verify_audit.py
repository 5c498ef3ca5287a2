from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.audit.verification import Checkpoint, Fault, Verdict, verify_trail
from tenants.context import PUBLIC_SCHEMA, use_public
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Prove the audit trails: nothing in them was changed, taken out or put in. Prints what is wrong and where, and "
        "a checkpoint of each trail to be kept elsewhere. Exit code 1 where anything is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="this tenant's trail alone")
        parser.add_argument(
            "--since-checkpoint",
            metavar="TRAIL:POSITION:HASH",
            action="append",
            default=[],
            help="a checkpoint printed earlier; its trail must still hold it and is read from there; may be repeated",
        )

    def handle(self, *args: Any, tenant: str | None, since_checkpoint: list[str], **options: Any) -> None:
        try:
            kept = {checkpoint.trail: checkpoint for checkpoint in map(Checkpoint.parse, since_checkpoint)}
        except ValueError:
            raise CommandError("A checkpoint has a trail, a position and a hash, parted by colons.") from None
        trails = _trails(tenant)
        faults = sum(self._verify(trail, kept.pop(trail, None)) for trail in trails)
        if tenant is None:
            faults += sum(self._say(trail, Fault(kept[trail].position, "the whole trail is gone")) for trail in kept)
        if faults:
            raise CommandError(f"{faults} faults were found.")

    def _verify(self, trail: str, since: Checkpoint | None) -> int:
        verdict = Verdict()
        faults = sum(self._say(trail, fault) for fault in verify_trail(trail, verdict, since=since))
        if not faults:
            self.stdout.write(f"{trail}: {verdict.events} events, nothing wrong")
            self.stdout.write(f"checkpoint {verdict.end}")
        return faults

    def _say(self, trail: str, fault: Fault) -> int:
        self.stdout.write(f"{trail}: {fault}")
        return 1


def _trails(slug: str | None) -> list[str]:
    with use_public():
        if slug is None:
            return [PUBLIC_SCHEMA, *Tenant.objects.order_by("slug").values_list("schema_name", flat=True)]
        found = list(Tenant.objects.filter(slug=slug).values_list("schema_name", flat=True))
    if not found:
        raise CommandError(f"There is no tenant {slug}.")
    return found
