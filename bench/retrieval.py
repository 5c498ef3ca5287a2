"""How well the demo companies' questions are answered: `make bench-retrieval`, beside a running platform (`make run`).

Asks the questions of tests/demo/questions.yaml, in-process, through the same functions as a turn. Passages:

- recall@k: how often a right passage is among the first k. Right are those on the page that the question names which
  hold most of the strings expected there.
- MRR: mean reciprocal rank of the first right passage (0 where none is found).

The built-in local model:

- answered: answerable questions that it answers at all; 1st, any: whose first, or any, quote holds an expected
  string.
- silent: unanswerable questions that it declines, by why they can't be answered (see questions.yaml).

Half A of the questions is for tuning, half B for reading off; which is which follows from a hash of the question.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUESTIONS = Path(__file__).resolve().parents[1] / "tests" / "demo" / "questions.yaml"
PASSAGES = 6


@dataclass
class Asked:
    """What became of one question. `rank` is that of the first right passage, from 1; 0 if none was found."""

    company: str
    entry: dict[str, Any]
    is_answerable: bool
    rank: int
    quotes: list[str]
    seconds: float
    wanted: list[str] = field(default_factory=list)

    @property
    def half(self) -> str:
        return "AB"[hashlib.sha256(self.entry["question"].encode()).digest()[0] % 2]

    @property
    def language(self) -> str:
        return str(self.entry.get("language", "en"))

    def quoted(self, quotes: Iterable[str]) -> bool:
        return any(wanted in plain(quote) for quote in quotes for wanted in self.wanted)


def plain(text: str) -> str:
    """A text with each run of white space made one space."""
    return " ".join(text.split())


def main() -> None:
    """Ask all questions of both companies and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--failures", action="store_true", help="list the questions that went wrong")
    parser.add_argument("--answers", action="store_true", help="print every answer")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")
    import django

    django.setup()
    import yaml

    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    asked = asyncio.run(ask_all(questions))
    report(asked)
    for one in asked if options.answers or options.failures else ():
        failed = (one.rank != 1 or not one.quoted(one.quotes)) if one.is_answerable else bool(one.quotes)
        if options.answers or failed:
            kind = f"right at {one.rank}" if one.is_answerable else one.entry["why"]
            print(f"\n{one.company} {one.half} ({kind}) {one.entry['question']}")
            for quote in one.quotes:
                print(f"    {'+' if one.quoted([quote]) else '-'} {quote}")


async def ask_all(questions: dict[str, Any]) -> list[Asked]:
    """Ask one question after the other."""
    from switchboard.kernel.database import in_database
    from tenants.context import use_public, use_tenant
    from tenants.models import Tenant

    asked = []
    for slug, kinds in questions.items():
        with use_public():
            tenant = await in_database(Tenant.objects.filter(slug=slug).first)
        if tenant is None:
            raise SystemExit(
                f"There is no company {slug} here. Start `make run` first, which makes the demo companies."
            )
        with use_tenant(tenant):
            company = await in_database(Company, slug)
            await company.ask(kinds["answerable"][0], is_answerable=True)  # opens the connections
            for kind, entries in kinds.items():
                asked += [await company.ask(entry, is_answerable=kind == "answerable") for entry in entries]
    return asked


class Company:
    """One company's passages, to know which of them are right."""

    def __init__(self, slug: str) -> None:
        from knowledge.models import Chunk, Collection

        self.slug = slug
        self.collections = list(Collection.objects.values_list("id", flat=True))
        rows = Chunk.objects.values_list("document_id", "document__filename", "page", "start", "text")
        self.passages = [(*row[:4], plain(row[4])) for row in rows]

    def right(self, entry: dict[str, Any]) -> set[tuple[Any, int, int]]:
        """The passages that answer a question."""
        found: set[tuple[Any, int, int]] = set()
        for place in (entry, *entry.get("also", ())):
            held = {
                (document, page, start): sum(string in text for string in place["contains"])
                for document, filename, page, start, text in self.passages
                if filename == place["document"] and place["page"] in (None, page)
            }
            most = max(held.values(), default=0)
            found |= {passage for passage, count in held.items() if count == most > 0}
        return found

    async def ask(self, entry: dict[str, Any], *, is_answerable: bool) -> Asked:
        """Ask one question as a turn would."""
        from agents.engine import local
        from knowledge.search import search

        started = time.perf_counter()
        hits = await search(query=entry["question"], collection_ids=self.collections, limit=PASSAGES)
        seconds = time.perf_counter() - started
        relevant = local.relevant(entry["question"], hits)
        quotes = [quote.text for quote in local.quotes(entry["question"], relevant)]
        right = self.right(entry) if is_answerable else set()
        ranks = [n for n, hit in enumerate(hits, 1) if (hit.document_id, hit.page, hit.start) in right]
        wanted = [string for place in (entry, *entry.get("also", ())) for string in place.get("contains", ())]
        return Asked(self.slug, entry, is_answerable, min(ranks, default=0), quotes, seconds, wanted)


def report(asked: Sequence[Asked]) -> None:
    """Print the table."""
    groups: list[tuple[str, Callable[[Asked], bool]]] = [("all", lambda one: True)]
    groups += [(f"half {half}", lambda one, half=half: one.half == half) for half in "AB"]
    groups += [(slug, lambda one, slug=slug: one.company == slug) for slug in dict.fromkeys(o.company for o in asked)]
    groups += [(name, lambda one, name=name: one.language == name) for name in dict.fromkeys(o.language for o in asked)]
    print(
        f"{'':9}{'n':>4} {'recall@1':>8} {'@3':>5} {'@6':>5} {'MRR':>5} | {'answered':>8} {'1st':>5} {'any':>5} |",
        end="",
    )
    print(f"{'silent: other':>14} {'far':>5} {'near':>5} | {'p50':>5} {'p95':>5} ms")
    for name, belongs in groups:
        chosen = [one for one in asked if belongs(one)]
        good = [one for one in chosen if one.is_answerable]
        silent = {
            why: share([not one.quotes for one in chosen if one.entry.get("why") == why])
            for why in ("other", "far", "near")
        }
        recall = [share([0 < one.rank <= k for one in good]) for k in (1, 3, 6)]
        reciprocal = statistics.fmean([1 / one.rank if one.rank else 0 for one in good])
        milliseconds = sorted(1000 * one.seconds for one in chosen)
        print(f"{name:9}{len(chosen):4} {recall[0]:>8} {recall[1]:>5} {recall[2]:>5} {reciprocal:5.2f} | ", end="")
        print(
            f"{share([bool(one.quotes) for one in good]):>8} {share([one.quoted(one.quotes[:1]) for one in good]):>5} ",
            end="",
        )
        print(f"{share([one.quoted(one.quotes) for one in good]):>5} |", end="")
        print(f"{silent['other']:>14} {silent['far']:>5} {silent['near']:>5} | ", end="")
        print(f"{statistics.median(milliseconds):5.1f} {milliseconds[int(0.95 * len(milliseconds))]:5.1f}")


def share(outcomes: Sequence[bool]) -> str:
    """Of how many it is true, in percent."""
    return f"{100 * statistics.fmean(outcomes):.0f}%" if outcomes else "-"


if __name__ == "__main__":
    main()
