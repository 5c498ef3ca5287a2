"""Choosing the words of a passage that answer a question: sentences, weighed by the rare words they share with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST_QUOTE: Final = 320  # characters
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"(])|\n+")
_WORD = re.compile(r"[^\W_]+")
# Words that say nothing about the subject.
_EMPTY = frozenset(
    "a an and any are as at be by can could d did do does for from had has have how i if in is it its ll m me my near of on or our "
    "please re s so tell than that the their them there these they this to us ve was we what when where which who will with would you your "
    "about much many"
    .split()
)


def content_words(text: str) -> list[str]:
    """The words of a text that tell what it is about, cut to their stems."""
    return [stem(word) for word in _WORD.findall(text.lower()) if word not in _EMPTY]


def stem(word: str) -> str:
    """A word without its commonest English endings; enough to let "dogs" meet "dog" and "parking" meet "park"."""
    for ending in ("ingly", "edly", "ings", "ing", "ies", "ied", "est", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def sentences(text: str) -> list[str]:
    """The sentences and lines of a passage."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def best_quote(question: str, passage: str, *, rarity: dict[str, float] | None = None) -> str:
    """The stretch of a passage, whole sentences of at most `LONGEST_QUOTE` characters, that is nearest to a question.

    Args:
        rarity: weight of each content word; 1 for those it doesn't name.
    """
    parts = sentences(passage)
    if not parts:
        return passage.strip()[:LONGEST_QUOTE]
    wanted = set(content_words(question))
    weights = [sum((rarity or {}).get(word, 1.0) for word in wanted & set(content_words(part))) for part in parts]
    best = max(range(len(parts)), key=lambda index: (weights[index], -index))
    first = last = best
    length = len(parts[best])
    # Grow towards the heavier neighbour, forwards where they weigh the same: an answer follows its subject.
    while True:
        after = weights[last + 1] if last + 1 < len(parts) else -1.0
        before = weights[first - 1] if first > 0 else -1.0
        grown = last + 1 if after >= before else first - 1
        if max(after, before) < 0 or length + len(parts[grown]) + 1 > LONGEST_QUOTE:
            break
        length += len(parts[grown]) + 1
        first, last = min(first, grown), max(last, grown)
    return " ".join(parts[first : last + 1])[:LONGEST_QUOTE]


def rarity_of(texts: Iterable[str]) -> dict[str, float]:
    """How telling each word is among some passages: inverse document frequency (Robertson and Spärck Jones)."""
    bags: Sequence[set[str]] = [set(content_words(text)) for text in texts]
    seen: dict[str, int] = {}
    for bag in bags:
        for word in bag:
            seen[word] = seen.get(word, 0) + 1
    return {word: math.log(1 + (len(bags) - count + 0.5) / (count + 0.5)) for word, count in seen.items()}
