"""Topics that an agent doesn't talk about, found by the stems of their words.

Crude on purpose: the same for every language, in microseconds, with no model to persuade. A topic is found where all
its words come within a few words of each other, in whatever order ("advice about taxes" is "tax advice"). What means
the same in other words isn't found by words: whoever has embeddings at hand passes the likeness in.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agents.engine.guardrails.folding import UNSEEN, fold

# Cosine of a message and a topic's words from which on it is about the topic. Cautious: a question that is refused
# wrongly costs more than one that the words let pass and the answer's guard sees again.
ALIKE_ENOUGH: Final = 0.5
_NEAR: Final = 8  # words
LONGEST_WORD: Final = 64
# Accents may be characters of their own, and unseen ones part no words.
WORD: Final = re.compile(rf"(?:[^\W_]|[\u0300-\u036f{UNSEEN}]){{1,{LONGEST_WORD}}}")
_WORDLESS: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # scripts that part no words
_PREFIX_FROM: Final = 5  # letters of a stem that tell a word by its beginning
_ENDINGS: Final = (
    "isierung", "ization", "isation", "ations", "ation", "ungen", "ings", "ismus", "ers", "ies", "ung", "ing", "ion",
    "ern", "ism", "ist", "sche", "sch", "que", "cs", "k", "c", "en", "er", "es", "em", "ed", "ly", "y", "s", "e",
    "n",
)  # fmt: skip
_LEAST_STEM: Final = 4
_PLURALS: Final = ("", "s", "es", "e", "en", "n")
_SMALL: Final = frozenset(
    {"a", "an", "and", "about", "of", "on", "for", "in", "or", "to", "the"}
    | {"der", "die", "das", "und", "uber", "von", "de", "la", "le", "les", "du", "des", "et"}
)


def stem(word: str) -> str:
    """A folded word without its ending."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return word[: -len(ending)]
    return word


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and the stems that tell it."""

    name: str
    stems: tuple[str, ...]


@functools.lru_cache(maxsize=256)
def topics_of(names: tuple[str, ...]) -> tuple[Topic, ...]:
    """Topics by their names; those without a word are left out."""
    found = []
    for name in names:
        words = [fold(word) for word in WORD.findall(name)]
        stems = tuple(stem(word) for word in words if word not in _SMALL) or tuple(words)
        if stems:
            found.append(Topic(name, stems))
    return tuple(found)


class TopicWatch:
    """Reads a text word by word and says when a topic is complete."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = topics
        self._stems = frozenset(one for topic in topics for one in topic.stems)
        # The last few words: of each, which stems it has. Most have none.
        self._last: deque[frozenset[str]] = deque(maxlen=_NEAR)

    def next(self, word: str) -> Topic | None:
        """The topic that this word completes."""
        has = _stems_in(word, self._stems)
        self._last.append(has)
        if not has:
            return None
        near: frozenset[str] = frozenset().union(*self._last)
        return next(
            (topic for topic in self._topics if has.intersection(topic.stems) and near.issuperset(topic.stems)), None
        )


def topic_in(text: str, names: tuple[str, ...], likeness: Mapping[str, float] | None = None) -> Topic | None:
    """The first topic that a text is about.

    Args:
        likeness: of the whole text to topics, by name: cosines of embeddings.
    """
    topics = topics_of(names)
    for topic in topics:
        if likeness and likeness.get(topic.name, 0.0) >= ALIKE_ENOUGH:
            return topic
    watch = TopicWatch(topics)
    return next((found for word in WORD.findall(text) if (found := watch.next(word))), None) if topics else None


@functools.lru_cache(maxsize=8192)
def _stems_in(word: str, stems: frozenset[str]) -> frozenset[str]:
    folded = fold(word)
    cut = stem(folded)
    return frozenset(one for one in stems if _is_of(folded, cut, one))


def _is_of(word: str, cut: str, one: str) -> bool:
    if _WORDLESS.search(one):
        return one in word
    return word.removeprefix(one) in _PLURALS or cut == one or (len(one) >= _PREFIX_FROM and word.startswith(one))
