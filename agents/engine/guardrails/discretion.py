"""Keeps an agent from reading its own instructions out.

What a model was told isn't meant for the contact, and whoever asks nicely enough is told it. A prompt's facts are
("breakfast is from seven to eleven"), so what is kept back is a long stretch of it, word for word. Told in other words
or in code it gets through: a prompt is no place for secrets.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Final

from agents.engine.guardrails.folding import fold
from agents.engine.guardrails.topics import WORD

LONGEST_STRETCH: Final = 16  # words of the instructions in a row that may be said
_SUSPICIOUS: Final = 5  # words in a row from which on they are held back until it is clear
_LEAST: Final = 8  # words; shorter instructions tell nothing


class Instructions:
    """A prompt's words, and where each of them stands."""

    def __init__(self, prompt: str) -> None:
        words = [fold(word) for word in WORD.findall(prompt)]
        self.longest = min(LONGEST_STRETCH, len(words)) if len(words) >= _LEAST else len(words) + 1
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            self.places.setdefault(word, []).append(place)


@functools.lru_cache(maxsize=256)
def instructions_of(prompt: str) -> Instructions:
    """A prompt as it is looked for; prompts come again with every turn."""
    return Instructions(prompt)


class StretchWatch:
    """Reads a text word by word and says how many of its last words stand in the instructions in a row."""

    def __init__(self, instructions: Instructions) -> None:
        self._instructions = instructions
        self._ending: dict[int, int] = {}
        self._stretch = 0
        self._least = min(_SUSPICIOUS, instructions.longest)

    def next(self, word: str) -> int:
        """The length of the stretch that ends with this word."""
        before = self._ending
        places = self._instructions.places.get(fold(word), ())
        self._ending = {place: before.get(place - 1, 0) + 1 for place in places}
        self._stretch = max(self._ending.values(), default=0)
        return self._stretch

    @property
    def is_suspicious(self) -> bool:
        return self._stretch >= self._least

    @property
    def is_near_suspicion(self) -> bool:
        """Whether the next word may make it suspicious, or it is already."""
        return self._stretch >= self._least - 1

    def is_too_long(self, stretch: int) -> bool:
        return stretch >= self._instructions.longest


def reveals(prompt: str, value: Any) -> bool:
    """Whether JSON that a model made, such as a tool's arguments, reads its instructions out."""
    watch = StretchWatch(instructions_of(prompt))
    return any(watch.is_too_long(watch.next(word)) for text in texts_in(value) for word in WORD.findall(text))


def texts_in(value: Any) -> Iterator[str]:
    """All texts in JSON that a model made, but for its names, which a schema settles."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
