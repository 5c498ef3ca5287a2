"""Narrowing what is heard to the words somebody expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

MOST_TERMS = 300
MOST_TERM_CHARACTERS = 80
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PHRASE_WEIGHT = 100  # of a whole term, beside 1 for a word of it alone


def spellings(terms: Iterable[str]) -> dict[str, str]:
    """Each word of the terms as the dictionary writes it, and as it was given; `Seaview Suite` has two."""
    return {word.lower(): word for term in terms for word in _WORD.findall(term)}


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
