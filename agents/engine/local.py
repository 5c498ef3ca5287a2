"""The built-in model: no network, no cost. It answers with the passages themselves, quoted and cited, and says that it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from agents.engine.quoting import best_quote, content_words, rarity_of
from knowledge.search import Hit

INTRODUCTION: Final = "I am the built-in local model, so I answer in the documents' own words."
NOTHING_FOUND: Final = (
    "I am the built-in local model and can only quote the documents I was given. They hold nothing that answers this."
)
NO_DOCUMENTS: Final = (
    "I am the built-in local model and can only quote documents, and this agent has none. "
    "Add a collection to its release, or give it a language model."
)
_MOST_QUOTES = 3
# Calibrated on the demo companies' questions (bench/retrieval): a passage this near answers; one that shares the question's
# telling words may be a little further off.
NEAR: Final = 0.5
NEAR_WITH_WORDS: Final = 0.34
_WORD_SHARE = 0.6


def relevant(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are about the question, best first; those that merely are the least far off are left out."""
    rarity = rarity_of(hit.text for hit in hits)
    words = set(content_words(question))
    weight = sum(rarity.get(word, _unseen(hits)) for word in words) or 1.0

    def share(hit: Hit) -> float:
        present = words & set(content_words(f"{hit.title} {hit.heading} {hit.text}"))
        return sum(rarity.get(word, _unseen(hits)) for word in present) / weight

    return [
        hit
        for hit in hits
        if hit.similarity >= NEAR or (hit.similarity >= NEAR_WITH_WORDS and (hit.words_matched or share(hit) >= _WORD_SHARE))
    ]


def _unseen(hits: Sequence[Hit]) -> float:
    return 1.0 + len(hits) / 4


async def stream_answer(*, question: str, hits: Sequence[Hit], has_documents: bool) -> AsyncIterator[str]:
    """Quotes of the relevant hits, word by word. `[n]` is the n-th of `hits`."""
    for word in _answer(question, hits, has_documents=has_documents).split(" "):
        yield f"{word} "


def _answer(question: str, hits: Sequence[Hit], *, has_documents: bool) -> str:
    if not has_documents:
        return NO_DOCUMENTS
    if not hits:
        return NOTHING_FOUND
    rarity = rarity_of(hit.text for hit in hits)
    quotes = [
        f"{_place(hit)} “{best_quote(question, hit.text, rarity=rarity)}” [{number}]"
        for number, hit in enumerate(hits[:_MOST_QUOTES], start=1)
    ]
    return "\n\n".join([INTRODUCTION, *quotes])


def _place(hit: Hit) -> str:
    return f"{hit.title}, page {hit.page}:"
