"""Narrowing what is heard to the words somebody expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher

MOST_TERMS = 300
MOST_TERM_CHARACTERS = 80
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PHRASE_WEIGHT = 100  # of a whole term, beside 1 for a word of it alone
_LEAST_PART = 3  # letters of a part of a word that is put together
# Five in six of the expected phrases that espeak-ng said are above it. Of sentences about something else none was above
# 0.38, and of those that begin as an expected phrase and end otherwise one in twenty is above it.
_LEAST_LIKENESS = 0.62
_BELOW_TWENTY = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spellings(terms: Iterable[str]) -> dict[str, str]:
    """Each word of the terms as the dictionary writes it, and as it was given; `Seaview Suite` has two."""
    return {word.lower(): word for term in terms for word in _WORD.findall(term)}


def parts_of(word: str, *, known: Callable[[str], object]) -> list[str]:
    """The words of the dictionary that a word which it lacks is spoken as: `14` as fourteen, `weighbridge` as two.

    Returns:
        None of them, where it can't be put together.
    """
    if word.isascii() and word.isdigit() and str(int(word)) == word and int(word) < 100:
        number = int(word)
        if number < len(_BELOW_TWENTY):
            return [_BELOW_TWENTY[number]]
        return [_TENS[number // 10 - 2], *([_BELOW_TWENTY[number % 10]] if number % 10 else [])]
    # The most even cut first, for the longer the shorter part, the less it is there by chance.
    cuts = sorted(range(_LEAST_PART, len(word) - _LEAST_PART + 1), key=lambda cut: abs(len(word) - 2 * cut))
    return next(([word[:cut], word[cut:]] for cut in cuts if known(word[:cut]) and known(word[cut:])), [])


def grammar_of(terms: Iterable[str], *, known: Callable[[str], object]) -> str | None:
    """A JSGF grammar of the terms, and the words they consist of, in any order and number.

    Args:
        known: whether the dictionary has a word; a term with a word that it has not is heard in its other words.

    Returns:
        None, where nothing of it is known.
    """
    phrases, words = set(), set()
    for term in terms:
        parts = [word.lower() for word in _WORD.findall(term)]
        heard = [word for word in parts if known(word)]
        words.update(heard)
        if len(heard) == len(parts) > 1:
            phrases.add(" ".join(parts))
    alternatives = [f"/{_PHRASE_WEIGHT}/ {phrase}" for phrase in sorted(phrases)]
    alternatives += [f"/1/ {word}" for word in sorted(words)]
    return f"#JSGF V1.0; grammar terms; public <terms> = ( {' | '.join(alternatives)} )+ ;" if words else None


def whole_grammar_of(terms: Iterable[str], *, known: Callable[[str], object]) -> str | None:
    """A JSGF grammar of one whole term and nothing else.

    Args:
        known: whether the dictionary has a word; a term with a word that it has not is left out.

    Returns:
        None, where no term is known.
    """
    said = (tuple(word.lower() for word in _WORD.findall(term)) for term in terms)
    phrases = sorted({" ".join(words) for words in said if words and all(map(known, words))})
    return f"#JSGF V1.0; grammar wholes; public <wholes> = {' | '.join(phrases)} ;" if phrases else None


def alike(expected: Sequence[str], free: Sequence[str]) -> bool:
    """Whether what was heard by its words sounds near enough to an expected phrase for that to have been said.

    Whoever may hear nothing but expected phrases hears one in everything. Where one was indeed said, hearing its words
    in any order finds most of its sounds too, if in other words.

    Args:
        expected: the phonemes of the phrase.
        free: the phonemes of the words.
    """
    return SequenceMatcher(None, expected, free, autojunk=False).ratio() >= _LEAST_LIKENESS
