"""Routing without a model: by how near a message is to what each agent is for.

An agent's vector is half its description's and half its English examples' mean, with one more for its examples in each
other language; a clause goes to the nearest. What it takes to be sure was calibrated on the training half of
`bench/routing` and is measured there on the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agents.engine.gateway import Role
from agents.engine.routing.asking import question_between
from agents.engine.routing.before import SHORT, said_before
from agents.engine.routing.clauses import clauses_of
from agents.engine.routing.phrases import is_small_talk, is_vague, wants_a_person
from agents.engine.routing.values import Candidate, Part, Route
from agents.engine.routing.vectors import CandidateVectors, Vectors, candidate_vectors, text_vectors
from agents.engine.slots import language_of


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What it takes. `similarity` is the cosine of a message and the nearest agent, `lead` by how much that is nearer
    than the second.

    Args:
        similarity: a message this near goes to its agent,
        lead: if the agent leads by as much;
        lead_is_worth: what is lacking in similarity may be made up for by more lead, at this rate.
        vague_lead: what a message that names no matter must lead by instead.
        far: below this similarity, nobody here is meant.
        part: what a clause must have to be a wish of its own, as `similarity`.
    """

    similarity: float = 0.36
    lead: float = 0.01
    lead_is_worth: float = 0.5
    vague_lead: float = 0.12
    far: float = 0.3
    part: float = 0.38


CALIBRATED: Final = Thresholds()
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Scored:
    """A text and how near each candidate is to it."""

    text: str
    order: tuple[int, ...]
    similarity: float
    lead: float

    @property
    def best(self) -> int:
        return self.order[0]

    def strength(self, thresholds: Thresholds) -> float:
        return self.similarity + thresholds.lead_is_worth * min(self.lead, 0.2)


async def route_by_meaning(
    *,
    question: str,
    history: Sequence[tuple[Role, str]],
    candidates: Sequence[Candidate],
    thresholds: Thresholds = CALIBRATED,
) -> Route:
    """Route a message by the meaning of its words.

    Raises:
        EmbeddingsUnavailable: the embedding service can't be reached.
    """
    text = question.strip()[:_LONGEST]
    if wants_a_person(text):
        return escalation(candidates, question)
    if not text or not candidates or is_small_talk(text):
        return Route("none", confidence=1.0)
    if len(candidates) == 1:
        return _one(candidates[0], question, 1.0)
    vectors = await candidate_vectors(candidates)
    clauses = [clause for clause in clauses_of(text) if not is_small_talk(clause)] or [text]
    texts = list(dict.fromkeys([text, *clauses]))
    scored = {one.text: one for one in scored_texts(texts, await text_vectors(texts), vectors)}
    found = decide(scored[text], [scored[clause] for clause in clauses], candidates, thresholds)
    if found.kind in {"unclear", "none"} and len(text) <= SHORT:
        before = said_before(history)
        if before and not is_small_talk(before):
            both = f"{before} {text}"[:_LONGEST]
            [whole] = scored_texts([both], await text_vectors([both]), vectors)
            continued = decide(whole, [whole], candidates, thresholds)
            if continued.kind == "one":
                return _one(candidates[whole.best], question, continued.confidence)
    if found.kind == "unclear":
        return Route("unclear", question=found.question, confidence=found.confidence)
    return found


def decide(
    whole: Scored, clauses: Sequence[Scored], candidates: Sequence[Candidate], thresholds: Thresholds = CALIBRATED
) -> Route:
    """What a message's nearness comes to."""
    parts = _parts(clauses, thresholds) if len(clauses) > 1 else {}
    if len(parts) > 1:
        return Route(
            "several",
            tuple(Part(candidates[index].slug, text) for index, text in parts.items()),
            confidence=min(clause.similarity for clause in clauses if clause.best in parts),
        )
    # Of one wish in several clauses the clearest tells, for the others dilute it.
    best = max([whole, *clauses], key=lambda one: one.strength(thresholds))
    needed = thresholds.vague_lead if is_vague(whole.text) else thresholds.lead
    enough = thresholds.similarity + thresholds.lead_is_worth * thresholds.lead
    if best.lead >= needed and best.strength(thresholds) >= enough:
        return _one(candidates[best.best], whole.text, best.similarity)
    # The embedding model knows little but English: of other languages "far" tells nothing.
    if best.similarity < thresholds.far and not is_vague(whole.text) and language_of(whole.text) == "en":
        return Route("none", confidence=1.0 - max(best.similarity, 0.0))
    near = [candidates[index] for index in best.order[:2]] if best.similarity >= thresholds.similarity else []
    return Route("unclear", question=question_between(whole.text, near, candidates), confidence=best.similarity)


def escalation(candidates: Sequence[Candidate], question: str) -> Route:
    """A person is wanted; the agent that fetches one gets the message, if there is one."""
    agent = next((candidate for candidate in candidates if candidate.is_escalation), None)
    return Route("escalate", (Part(agent.slug, question),) if agent else (), confidence=1.0)


def _one(candidate: Candidate, question: str, confidence: float) -> Route:
    return Route(
        "escalate" if candidate.is_escalation else "one", (Part(candidate.slug, question),), confidence=confidence
    )


def _parts(clauses: Sequence[Scored], thresholds: Thresholds) -> dict[int, str]:
    """The text for each candidate that a clause surely is for. Other clauses go with the one before them: "We come by
    car. Where do we park?" is one wish."""
    sure = thresholds.part + thresholds.lead_is_worth * thresholds.lead
    parts: dict[int, str] = {}
    before: list[str] = []
    last: int | None = None
    for clause in clauses:
        if clause.strength(thresholds) >= sure and clause.lead >= thresholds.lead and not is_vague(clause.text):
            last = clause.best
        elif last is None:
            before.append(clause.text)
            continue
        said = [*before, clause.text] if before else [clause.text]
        before = []
        parts[last] = "\n".join([parts[last], *said] if last in parts else said)
    return parts


def scored_texts(texts: Sequence[str], vectors: Vectors, candidates: CandidateVectors) -> list[Scored]:
    """How near each candidate is to each text."""
    found = []
    for text, row in zip(texts, candidates.similarities(vectors), strict=True):
        order = np.argsort(-row, kind="stable")
        second = float(row[order[1]]) if len(order) > 1 else -1.0
        best = float(row[order[0]])
        found.append(Scored(text, tuple(int(index) for index in order), best, best - second))
    return found
