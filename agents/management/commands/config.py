"""`manage.py config`: a tenant's configuration as code."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.configuration.document import Wanted, read_document
from agents.configuration.exporting import export
from agents.configuration.plan import Options, Plan
from agents.configuration.printing import as_text
from agents.configuration.reading import MOST_BYTES, DocumentInvalid, read_text
from agents.configuration.state import load
from agents.configuration.writing import as_yaml
from agents.domain.configuration import apply_configuration, plan_configuration
from switchboard.kernel.problems import Problem
from tenants.actor import Actor, use_actor
from tenants.context import use_tenant
from tenants.models import Tenant

DIFFERENT, WRONG = 1, 2


class Command(BaseCommand):
    """Thin: see agents.configuration and agents.domain.configuration."""

    help = "A tenant's configuration as code: export it, compare a document with it, apply a document."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        out = verbs.add_parser("export", help="write what is published and what serves as YAML")
        diff = verbs.add_parser("diff", help="say what apply would do; exits 1 where there is something to do")
        apply = verbs.add_parser("apply", help="make the tenant what the document says: all of it, or nothing")
        for verb in (out, diff, apply):
            verb.add_argument("--tenant", required=True, metavar="SLUG")
            verb.add_argument("--file", default="-", help="the document; - is standard input or output")
            only = "a section or an entry, such as agents/marina; repeat for more"
            verb.add_argument("--only", action="append", default=[], metavar="ENTRY", help=only)
        for verb in (diff, apply):
            verb.add_argument("--no-live", action="store_true", help="leave new releases as previews")
            verb.add_argument("--prune", action="store_true", help="delete what the document's sections don't name")
            drafts = "replace drafts that somebody hasn't published yet"
            verb.add_argument("--overwrite-drafts", action="store_true", help=drafts)
        apply.add_argument("--dry-run", action="store_true", help="do it all, then take it back")
        apply.add_argument("--message", default="", help="why; kept with every version and release")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = Tenant.objects.filter(slug=options["tenant"]).first()
            if tenant is None:
                raise CommandError(f"There is no tenant {options['tenant']}.", returncode=WRONG)
            actor = Actor(kind="operator", name=f"{getpass.getuser()} (manage.py config)")
            with use_tenant(tenant), use_actor(actor):
                code = getattr(self, f"_{options['verb']}")(options)
        except DocumentInvalid as problem:
            raise CommandError(_faults(problem, options["file"]), returncode=WRONG) from None
        except Problem as problem:
            raise CommandError(problem.detail, returncode=WRONG) from None
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.", returncode=WRONG) from None
        if code:
            sys.exit(code)

    def _export(self, options: dict[str, Any]) -> int:
        exported = export(load(), only=options["only"])
        text = as_yaml(exported.data)
        if options["file"] == "-":
            self.stdout.write(text, ending="")
        else:
            Path(options["file"]).write_text(text, encoding="utf-8", newline="\n")
        for entry in exported.left_out:
            self.stderr.write(f"Left out: {entry} has never been published.")
        return 0

    def _diff(self, options: dict[str, Any]) -> int:
        plan = plan_configuration(wanted=self._document(options), options=_options(options))
        if plan.is_met:
            return 0
        self._tell(plan)
        return DIFFERENT

    def _apply(self, options: dict[str, Any]) -> int:
        plan = apply_configuration(
            wanted=self._document(options),
            options=_options(options),
            dry_run=options["dry_run"],
            message=options["message"],
        )
        self._tell(plan)
        if not plan.changes_something:
            self.stdout.write("Nothing to change.")
        elif options["dry_run"]:
            self.stdout.write("Tried and taken back: nothing was changed.")
        else:
            self.stdout.write("Applied.")
        return 0

    def _tell(self, plan: Plan) -> None:
        self.stdout.write(as_text(plan), ending="")

    def _document(self, options: dict[str, Any]) -> Wanted:
        if options["file"] == "-":
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(options["file"]).open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        return read_document(read_text(raw), only=options["only"])


def _options(options: dict[str, Any]) -> Options:
    return Options(live=not options["no_live"], prune=options["prune"], overwrite_drafts=options["overwrite_drafts"])


def _faults(problem: DocumentInvalid, file: str) -> str:
    lines = [problem.detail]
    for fault in problem.errors:
        place = f"{file}:{fault['line']}" if "line" in fault else file
        lines.append(
            f"  {place}: {fault['field']}: {fault['message']}" if fault["field"] else f"  {place}: {fault['message']}"
        )
    return "\n".join(lines)
