"""The built-in model: no network, no cost. It answers with the passages themselves, quoted and cited, and says so.

When a passage answers: its cosine alone can't tell. On the demo companies' questions (`bench/retrieval`), a threshold
on it that keeps 90 % of the answerable ones also answers three of the eleven that only the other company could. What
tells is the question's words: a hotel guest's "pool" stands in no document of an estate agency. So a passage's score
is

    cosine + `_HELD` x share of the question that it holds - `_UNKNOWN` x share that no passage searched holds

where a word's share is by its inverse document frequency. Words that ask about any subject ("open", "Sunday", "cost")
count half, for they don't name one; filler words nothing; an unknown word is forgiven where a passage holds one that
is nearly spelt like it ("febuary").

`_ENOUGH` lies just above the best score of a hotel guest's question at the agency, for an agent that answers from what
it doesn't have is worse than one that doesn't know. Measured there, on the two halves of the 131 questions: 93 % and
81 % of the answerable are answered, and 91 % of those in English (the embedding model knows little German and French:
five questions, none answered); all 16 that only the other company or nobody could answer are declined, and 10 of the 18
that come close to what the documents say without being in it. At 0.20 it would be 89 % and 11 of 16.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from agents.engine.quoting import Quote, choose_quote, content_words
from knowledge.search import AskedWord, Hit

INTRODUCTION: Final = "I'm the built-in local model, so I answer in the documents' own words:"
NOTHING_FOUND: Final = (
    "I'm the built-in local model and can only quote the documents I was given. "
    "I found nothing in them that answers this."
)
NO_DOCUMENTS: Final = (
    "I'm the built-in local model and can only quote documents, and this agent has none. "
    "Add a collection to its release, or give it a language model."
)
_MOST_QUOTES: Final = 3
_HELD: Final = 0.4
_UNKNOWN: Final = 0.4
_ENOUGH: Final = 0.32
_ASPECT_WEIGHT: Final = 0.5
_SPELT_ALIKE: Final = 0.9  # of difflib's ratio
_SPELT_ALIKE_COUNTS: Final = 0.8
_LETTERS: Final = re.compile(r"[^\W\d_]{5,}")  # in shorter words one letter makes another word
_QUOTE_WEIGHT: Final = 0.5  # of a quote's strength, beside its passage's score
_CLEARLY_WEAKER: Final = 0.75  # of the first quote's value
_SHINGLE: Final = 40  # characters that two quotes share if they are the same words

# Stems, as PostgreSQL's English dictionary cuts them, that it doesn't take for stop words and that tell nothing.
_FILLER_STEMS = """
ani anyon anyth also alway actual come could dont ever everi get give go got happen hello hey hi know like long mani may
might much need ok okay one pleas put quit realli say shall someon someth still tell thank thing us use want well whats
would
"""
# Stems of words that ask when, how much or how many, whatever the subject.
_ASPECT_STEMS = """
monday tuesday wednesday thursday friday saturday sunday weekday weekend januari februari march april june juli august
septemb octob novemb decemb today tomorrow tonight morn afternoon even night day week month year hour minut time date
open close cost price charg fee pay paid cheap cheapest expens earli earliest late latest far number peopl person
"""
_FILLER: Final = frozenset(_FILLER_STEMS.split())
_ASPECT: Final = frozenset(_ASPECT_STEMS.split())


def relevant(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits worth quoting, the best first, at most three; none where the documents don't hold the answer."""
    scored = [(score, hit) for hit, score in zip(hits, _scores(question, hits), strict=True) if score >= _ENOUGH]
    found = sorted(
        (
            (_QUOTE_WEIGHT * quote.strength + score, hit, quote)
            for (score, hit), quote in zip(scored, quotes(question, [hit for _, hit in scored]), strict=True)
        ),
        key=lambda one: -one[0],
    )
    chosen: list[tuple[Hit, Quote]] = []
    for value, hit, quote in found:
        if len(chosen) == _MOST_QUOTES or value < _CLEARLY_WEAKER * found[0][0]:
            break
        if not any(_same_words(quote.text, other.text) for _, other in chosen):
            chosen.append((hit, quote))
    return [hit for hit, _ in chosen]


def quotes(question: str, hits: Sequence[Hit]) -> list[Quote]:
    """What to quote of each hit."""
    rarity = _rarity(question, hits)
    return [choose_quote(question, hit.text, rarity=rarity, heading=hit.heading) for hit in hits]


async def stream_answer(
    *, question: str, hits: Sequence[Hit], has_documents: bool, first_number: int = 1, on_pictures: str = ""
) -> AsyncIterator[str]:
    """Quotes of the hits, word by word. `[first_number]` is the first of `hits`.

    Args:
        on_pictures: what it has to say of pictures that came with the question: that it can't see them.
    """
    # Shown something, nobody asks what the documents hold nothing of.
    told = _answer(question, hits, has_documents, first_number) if hits or not on_pictures else ""
    for word in re.findall(r"\S+\s*", "\n\n".join(filter(None, [on_pictures, told]))):
        yield word


def _same_words(one: str, other: str) -> bool:
    """Whether two quotes overlap, as those of neighbouring passages do."""
    shorter, longer = sorted((one, other), key=len)
    return shorter[:_SHINGLE] in longer or shorter[-_SHINGLE:] in longer


def _answer(question: str, hits: Sequence[Hit], has_documents: bool, first_number: int) -> str:
    if not has_documents:
        return NO_DOCUMENTS
    if not hits:
        return NOTHING_FOUND
    paragraphs = []
    for number, (hit, quote) in enumerate(zip(hits, quotes(question, hits), strict=True), start=first_number):
        columns = f"{quote.columns} … " if quote.columns else ""
        paragraphs.append(f"{hit.title}, page {hit.page}: “{columns}{quote.text}” [{number}]")
    return "\n\n".join([INTRODUCTION, *paragraphs])


def _scores(question: str, hits: Sequence[Hit]) -> list[float]:
    if not hits:
        return []
    weights = [_importance(word) for word in hits[0].words]
    total = sum(weights) or 1.0
    spelt = [_spelt_alike(question, hit) for hit in hits]
    held = [
        [max(word.held, also) for word, also in zip(hit.words, alike, strict=True)]
        for hit, alike in zip(hits, spelt, strict=True)
    ]
    unknown = sum(
        weight * (1 - max(column))
        for word, weight, column in zip(hits[0].words, weights, zip(*held, strict=True), strict=True)
        if not word.is_known
    )
    return [
        hit.similarity
        + _HELD * sum(weight * here for weight, here in zip(weights, row, strict=True)) / total
        - _UNKNOWN * unknown / total
        for hit, row in zip(hits, held, strict=True)
    ]


def _importance(word: AskedWord) -> float:
    if word.stem in _FILLER:
        return 0.0
    return word.weight * (_ASPECT_WEIGHT if word.stem in _ASPECT else 1.0)


def _spelt_alike(question: str, hit: Hit) -> list[float]:
    """For each of the question's words that is unknown: whether the passage holds one that is nearly spelt like it."""
    asked = _LETTERS.findall(question.lower())
    vocabulary = None
    alike = []
    for word in hit.words:
        # The word as it was typed; its stem is too short to be compared.
        typed = None if word.is_known else next((typed for typed in asked if typed.startswith(word.stem[:-1])), None)
        if typed is None:
            alike.append(0.0)
            continue
        vocabulary = vocabulary or set(_LETTERS.findall(f"{hit.heading} {hit.text}".lower()))
        close = difflib.get_close_matches(typed, vocabulary, n=1, cutoff=_SPELT_ALIKE)
        alike.append(_SPELT_ALIKE_COUNTS if close else 0.0)
    return alike


def _rarity(question: str, hits: Sequence[Hit]) -> dict[str, float]:
    """The weight of the question's words by our own stems, which are cut a little shorter or longer."""
    words = hits[0].words if hits else ()
    weights = {}
    for ours in content_words(question):
        theirs = [word.weight for word in words if word.stem.startswith(ours) or ours.startswith(word.stem)]
        weights[ours] = max(theirs, default=1.0)
    return weights
