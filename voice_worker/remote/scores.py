"""A passage's score as a number from 0 to 1 that two searches can be compared by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from knowledge.search import Hit

# As in `knowledge.search`: what sharing all of a question's words counts beside meaning the same.
_WORDS: Final = 0.75


def scores_of(hits: Sequence[Hit]) -> list[float]:
    """A score for each, in their order, never rising.

    Search ranks by a score that is relative to the best passage it has found, however bad. Here the best one is given
    what it is worth by itself, its likeness and its share of the question's words, and the others what they are
    beside it.
    """
    if not hits:
        return []
    best = hits[0]
    asked = sum(word.weight for word in best.words)
    share = sum(word.weight * word.held for word in best.words) / asked if asked else 0.0
    worth = (max(best.similarity, 0.0) + _WORDS * share) / (1 + _WORDS)
    return [round(min(1.0, worth * _beside(hit, best)), 4) for hit in hits]


def _beside(hit: Hit, best: Hit) -> float:
    return max(0.0, hit.score / best.score) if best.score > 0 else float(hit is best)
