"""Routing without a model: `make bench-routing`.

24 intents of a hotel and an estate agency that lie close together (`intents.yaml`, written for this), each with six
examples that the supervisor is given. The examples, and half of what is unclear, out of scope, small talk, a wish for a
person or several wishes at once, are for calibrating; all else is held out. Which is which follows from a hash.

- right: the route that was wanted, and for several wishes all of their agents and no other.
- *unclear* is precise where what was asked back had no single right agent: vague, or nothing for anybody here.
- keywords: the baseline. An agent scores by the rarity of the words that the message shares with its description and
  examples; below the threshold that is best on the calibrating half it is unclear. It has the same lists of greetings
  and wishes for a person, and cuts nothing in two.

`--calibrate` looks for the thresholds that are best on the calibrating half (examples are left out one by one).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import math
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.engine.routing.by_meaning import Thresholds
    from agents.engine.routing.values import Candidate, Route

INTENTS = Path(__file__).with_name("intents.yaml")
EXAMPLES = 6
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Said:
    """A message, what it is (`intent`, `several`, `unclear`, …) and the agents it is for. `example` is its number among
    its agent's examples, where it is one."""

    text: str
    what: str
    slugs: tuple[str, ...] = ()
    example: int | None = None

    @property
    def kind(self) -> str:
        if self.slugs:
            return "one" if len(self.slugs) == 1 else "several"
        return {"unclear": "unclear", "escalate": "escalate"}.get(self.what, "none")


@dataclass(frozen=True)
class IntentSet:
    """The intents with their examples, and the messages for calibrating and for measuring."""

    candidates: list[Candidate]
    calibrating: list[Said]
    held_out: list[Said]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="print every message that went wrong")
    options = parser.parse_args()

    from tests.knowledge.embedder_process import running_embedder

    with running_embedder() as (url, _):
        _set_up(url)
        asyncio.run(_run(options))


def _set_up(url: str) -> None:
    import django

    os.environ.update(
        DJANGO_SETTINGS_MODULE="switchboard.settings",
        SWITCHBOARD_ENV_FILE=os.devnull,
        EMBEDDINGS_URL=url,
        DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
        REDIS_URL="redis://127.0.0.1:1/0",
        DATA_DIR=str(Path(sys.prefix) / "bench-routing"),
    )
    django.setup()


async def _run(options: argparse.Namespace) -> None:
    from tenants.context import use_tenant
    from tenants.models import Tenant

    intents = load()
    with use_tenant(Tenant(schema_name="t_bench", slug="bench", name="Bench")):
        if options.calibrate:
            await calibrate(intents)
        routes, milliseconds = await by_meaning(intents, intents.held_out)
        keywords = Keywords(intents.candidates)
        keywords.calibrate(intents.calibrating)
        report("held out", intents.held_out, routes, [keywords.route(said.text) for said in intents.held_out])
        print(
            f"\na message takes {statistics.median(milliseconds):.1f} ms, p95 "
            f"{sorted(milliseconds)[int(0.95 * len(milliseconds))]:.1f} ms, embedding it included"
        )
    for said, route in zip(intents.held_out, routes, strict=True):
        if options.wrong and not is_right(said, route):
            wanted, found = ",".join(said.slugs), ",".join(slugs_of(route))
            print(f"  {said.what:12} {wanted:26} -> {route.kind:8} {found:26} {said.text}")


def load() -> IntentSet:
    """The intents, split."""
    import yaml

    from agents.engine.routing.values import Candidate

    raw: dict[str, Any] = yaml.safe_load(INTENTS.read_text(encoding="utf-8"))
    candidates, calibrating, held_out = [], [], []
    for slug, intent in raw["intents"].items():
        ordered = sorted(intent["utterances"], key=_hash)
        examples = ordered[:EXAMPLES]
        candidates.append(Candidate(slug, intent["name"], intent["description"], tuple(examples)))
        calibrating += [Said(text, "intent", (slug,), number) for number, text in enumerate(examples)]
        held_out += [Said(text, "intent", (slug,)) for text in ordered[EXAMPLES:]]
    for what in ("unclear", "out_of_scope", "small_talk", "escalate", "several"):
        for entry in raw[what]:
            text, *slugs = entry if isinstance(entry, list) else [entry]
            half = calibrating if int(_hash(text), 16) % 2 else held_out
            half.append(Said(text, what, tuple(slugs)))
    held_out += [Said(text, "german", (slug,)) for text, slug in raw["german"]]
    return IntentSet(candidates, calibrating, held_out)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def by_meaning(intents: IntentSet, said: Sequence[Said]) -> tuple[list[Route], list[float]]:
    """Where each message goes, and how long that took."""
    from agents.engine.routing import route

    await route(question="warm up, please", history=(), candidates=intents.candidates, chain=())
    routes, milliseconds = [], []
    for one in said:
        started = time.perf_counter()
        routes.append(await route(question=one.text, history=(), candidates=intents.candidates, chain=()))
        milliseconds.append(1000 * (time.perf_counter() - started))
    return routes, milliseconds


def slugs_of(route: Route) -> tuple[str, ...]:
    return tuple(part.slug for part in route.parts)


def is_right(said: Said, route: Route) -> bool:
    return route.kind == said.kind and sorted(slugs_of(route)) == sorted(said.slugs)


class Keywords:
    """The baseline: shared words, the rare ones weigh more."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._slugs = [candidate.slug for candidate in candidates]
        self._texts = [[one.name, one.description, *one.examples] for one in candidates]
        self._words = [_words(texts) for texts in self._texts]
        self._seen = Counter(word for words in self._words for word in words)
        self._threshold = 0.0

    def calibrate(self, said: Sequence[Said]) -> None:
        """Take the threshold that is best. Of an example, the words that only it has brought are left out."""

        def rightness(threshold: float) -> int:
            self._threshold = threshold
            return sum(is_right(one, self.route(one.text, one)) for one in said)

        self._threshold = max((number / 20 for number in range(20)), key=rightness)

    def route(self, text: str, left_out: Said | None = None) -> Route:
        from agents.engine.routing.phrases import is_small_talk, wants_a_person
        from agents.engine.routing.values import Part, Route

        if wants_a_person(text):
            return Route("escalate")
        if is_small_talk(text):
            return Route("none")
        asked = set(WORD.findall(text.lower()))
        total = sum(self._rarity(word) for word in asked) or 1.0
        own = self._slugs.index(left_out.slugs[0]) if left_out and left_out.example is not None else -1
        held = [
            words if index != own else _words([other for other in self._texts[own] if other != text])
            for index, words in enumerate(self._words)
        ]
        scores = [sum(self._rarity(word) for word in asked & words) / total for words in held]
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] <= self._threshold:
            return Route("unclear")
        return Route("one", (Part(self._slugs[best], text),))

    def _rarity(self, word: str) -> float:
        return math.log(1 + len(self._words) / (1 + self._seen[word]))


def _words(texts: Sequence[str]) -> set[str]:
    return set(WORD.findall(" ".join(texts).lower()))


def report(title: str, said: Sequence[Said], meaning: Sequence[Route], keywords: Sequence[Route]) -> None:
    """Print the table."""
    print(f"{title}: {len(said)} messages\n\n{'':34}{'n':>5}{'meaning':>10}{'keywords':>10}")
    groups: list[tuple[str, Callable[[Said], bool]]] = [("all but German", lambda one: one.what != "german")]
    groups += [(what, lambda one, what=what: one.what == what) for what in dict.fromkeys(one.what for one in said)]
    for name, belongs in groups:
        rows = [index for index, one in enumerate(said) if belongs(one)]
        shares = [sum(is_right(said[row], found[row]) for row in rows) / len(rows) for found in (meaning, keywords)]
        print(f"{'right: ' + name:34}{len(rows):5}" + "".join(f"{share:10.1%}" for share in shares))
    rows = [index for index, one in enumerate(said) if one.what != "german"]
    for name, count in (
        ("intents: nearest agent's, if routed", routed_right),
        ("unclear: precise", unclear_precision),
        ("unclear: vague ones asked about", unclear_recall),
        ("not for anybody: not routed", not_routed),
        ("intents: refused", refused),
    ):
        pairs = [count([(said[row], found[row]) for row in rows]) for found in (meaning, keywords)]
        print(
            f"{name:39}"
            + "".join(f"{f'{right / of:.1%}' if of else '-':>10}" for right, of in pairs)
            + "   "
            + ", ".join(f"{right}/{of}" for right, of in pairs)
        )


def routed_right(pairs: Sequence[tuple[Said, Route]]) -> tuple[int, int]:
    """Of the messages with one wish that went to an agent, those that went to theirs."""
    routed = [(said, route) for said, route in pairs if said.what == "intent" and route.kind == "one"]
    return sum(is_right(*pair) for pair in routed), len(routed)


def unclear_precision(pairs: Sequence[tuple[Said, Route]]) -> tuple[int, int]:
    """Of the messages that were asked back about, those that had no right agent."""
    asked = [said for said, route in pairs if route.kind == "unclear"]
    return sum(not said.slugs for said in asked), len(asked)


def unclear_recall(pairs: Sequence[tuple[Said, Route]]) -> tuple[int, int]:
    """Of the vague messages, those that were asked back about."""
    vague = [route for said, route in pairs if said.what == "unclear"]
    return sum(route.kind == "unclear" for route in vague), len(vague)


def not_routed(pairs: Sequence[tuple[Said, Route]]) -> tuple[int, int]:
    """Of what is vague, out of scope or small talk, what no agent got."""
    none = [route for said, route in pairs if said.kind in {"unclear", "none"}]
    return sum(not route.parts for route in none), len(none)


def worth_of(said: Said, route: Route) -> float:
    """What a route is worth: asking is worth something where there was something to be done, a wrong agent less than
    nothing."""
    if is_right(said, route):
        return 1.0
    if route.parts:
        return -0.2
    if route.kind == "unclear":
        return 0.2
    return -0.2 if said.slugs else 0.0


def refused(pairs: Sequence[tuple[Said, Route]]) -> tuple[int, int]:
    """Of the messages with one wish, those that were taken for nobody's."""
    intents = [route for said, route in pairs if said.what == "intent"]
    return sum(route.kind == "none" for route in intents), len(intents)


async def calibrate(intents: IntentSet) -> None:
    """Look for the best thresholds on the calibrating half."""
    from agents.engine.routing import by_meaning as meaning
    from agents.engine.routing.clauses import clauses_of
    from agents.engine.routing.phrases import is_small_talk, wants_a_person
    from agents.engine.routing.vectors import candidate_vectors, text_vectors

    slugs = [candidate.slug for candidate in intents.candidates]
    whole = await candidate_vectors(intents.candidates)
    scored: list[tuple[Said, Any, list[Any]]] = []
    for said in intents.calibrating:
        if wants_a_person(said.text) or is_small_talk(said.text):
            continue
        vectors = whole
        if said.example is not None:
            own = slugs.index(said.slugs[0])
            one = intents.candidates[own]
            rest = tuple(text for number, text in enumerate(one.examples) if number != said.example)
            lacking = replace(one, examples=rest)
            vectors = await candidate_vectors([*intents.candidates[:own], lacking, *intents.candidates[own + 1 :]])
        texts = [said.text, *clauses_of(said.text)]
        found = meaning.scored_texts(texts, await text_vectors(texts), vectors)
        scored.append((said, found[0], found[1:]))

    def worth(thresholds: Thresholds) -> float:
        """Each kind of message counts as much as its number's root, so that the many intents don't drown the rest."""
        of: Counter[str] = Counter()
        sums: dict[str, float] = {}
        for said, best, clauses in scored:
            of[said.what] += 1
            route = meaning.decide(best, clauses, intents.candidates, thresholds)
            sums[said.what] = sums.get(said.what, 0.0) + worth_of(said, route)
        return sum(sums[what] / math.sqrt(of[what]) for what in of)

    best = meaning.CALIBRATED
    grid: dict[str, list[float]] = {
        "similarity": [0.24, 0.27, 0.3, 0.33, 0.36, 0.39, 0.42],
        "lead": [0.0, 0.01, 0.02, 0.03, 0.04, 0.06],
        "lead_is_worth": [0.5, 1.0, 1.5, 2.0],
        "vague_lead": [0.04, 0.08, 0.12, 0.16, 0.2, 0.3],
        "far": [0.15, 0.18, 0.21, 0.24, 0.27, 0.3, 0.33],
        "part": [0.3, 0.34, 0.38, 0.42, 0.46, 0.5, 0.55],
    }
    for _ in range(3):
        for pair in itertools.combinations(grid, 2):
            tried = [
                replace(best, **{pair[0]: first, pair[1]: second})
                for first, second in itertools.product(grid[pair[0]], grid[pair[1]])
            ]
            best = max([best, *tried], key=worth)
    print(f"best on {len(scored)} messages for calibrating: {best} ({worth(best):.2f})\n")


if __name__ == "__main__":
    main()
