"""When two questions are one: what is left of each once the words are gone that change nothing.

A vector alone can't tell them: to "when is breakfast served", "when is breakfast not served" has a cosine of 0.90 with
the built-in embeddings and "where is breakfast served" 0.88, "what time do you serve breakfast please" 0.84. So a near
question counts only where both name the same things as well.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from typing import Final

from agents.engine.quoting import stem

_WORD: Final = re.compile(r"[^\W_]+(?:[.:,]\d+)*")
_ENDS: Final = re.compile(r"[\s?!.…]+$")
# Politeness and grammar. Not among them, for they turn a question round: not, no, without, in, out, before, after.
_POLITE = """
a an the is are am be been was were do does did can could would will shall should may might must have has had please
tell know say let hi hello hey thanks thank there it its this that so just also really um uh well ok okay maybe perhaps
exactly what time your you i we us me our my want like wonder wondering ask
"""
_SAYS_NOTHING: Final = frozenset(_POLITE.split())
# Phrases that ask the same, before words are looked at one by one.
_SAME: Final = (
    (re.compile(r"\b(?:at )?what times?\b"), "when"),
    (re.compile(r"\bwhat(?:'s| is| are)\b"), "what"),
)
_OPENS: Final = re.compile(
    r"^(?:(?:hello|hi|hey)\b[ ,]*)?(?:please )?(?:(?:can|could|would|will) you )?(?:please )?"
    r"(?:tell|let) (?:me|us)(?: know)?\b(?: please)?"
)
# Where these stand, order says who does what to whom.
_TURNING = "from to than before after between until instead into over under"
_ORDERED: Final = frozenset(_TURNING.split())
_FIRST: Final = frozenset(("i", "we", "me", "us", "my", "our"))
_SECOND: Final = frozenset(("you", "your"))


def normalised(question: str) -> str:
    """A question in lower case, with single spaces and without what ends it: the same for whoever asks the same."""
    plain = unicodedata.normalize("NFKC", question).replace("\u2019", "'").casefold()
    return _ENDS.sub("", " ".join(plain.split()))


def digest(normal: str) -> str:
    """A short name of a normalised question."""
    return hashlib.sha256(normal.encode("utf-8", "replace")).hexdigest()


def name_the_same(one: str, other: str) -> bool:
    """Whether two normalised questions differ by nothing but politeness, grammar and, where it is free, order."""
    one, other = _OPENS.sub("", one), _OPENS.sub("", other)
    ours, theirs = _words(one), _words(other)
    if _turned(one) or _turned(other):
        return ours == theirs and _people(one) == _people(other)
    if not ours or _ORDERED & {*ours, *theirs}:
        return bool(ours) and ours == theirs
    return Counter(ours) == Counter(theirs)


def _words(normal: str) -> list[str]:
    for pattern, instead in _SAME:
        normal = pattern.sub(instead, normal)
    return [stem(word) if word.isalpha() else word for word in _WORD.findall(normal) if word not in _SAYS_NOTHING]


def _turned(normal: str) -> bool:
    """Whether it tells "I … you" from "you … me"."""
    words = set(_WORD.findall(normal))
    return bool(words & _FIRST and words & _SECOND)


def _people(normal: str) -> list[str]:
    return [word for word in _WORD.findall(normal) if word in _FIRST or word in _SECOND]
