"""Narrowing what is heard to the words somebody expects."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_TERMS = 300
MOST_TERM_CHARACTERS = 80
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def spellings(terms: Iterable[str]) -> dict[str, str]:
    """Each word of the terms as the dictionary writes it, and as it was given; `Seaview Suite` has two."""
    return {word.lower(): word for term in terms for word in _WORD.findall(term)}


def grammar_of(words: Iterable[str]) -> str | None:
    """A JSGF grammar of any number of these words in any order; None where there are none."""
    alternatives = " | ".join(sorted(set(words)))
    return f"#JSGF V1.0; grammar terms; public <terms> = ( {alternatives} )+ ;" if alternatives else None
