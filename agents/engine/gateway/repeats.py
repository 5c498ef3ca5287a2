"""An answer that another model goes on with: what it repeats of the words already shown is cut.

A model that is asked to go on often begins with the last word or sentence again, or with the whole answer. What it
writes is held back as long as it may be such a repetition, and compared without white space, which models change.
"""

from __future__ import annotations

from typing import Final

# A repetition of the answer's very beginning that ends early is dropped if it is at least so long.
_SURELY_REPEATED: Final = 20


class RepeatCutter:
    """Cuts the start of a text that repeats the end of another one.

    Args:
        shown: the text that went before.
    """

    def __init__(self, shown: str) -> None:
        self._ends_in_space = shown[-1:].isspace()
        self._shown = "".join(shown.split())
        # Places in the text without white space from which the pieces that came so far could be a repetition.
        self._places = _beginnings(shown)
        self._matched = 0
        self._overlap = 0
        self._held = ""
        self._is_decided = not self._places

    def feed(self, piece: str) -> str:
        """What may be shown after this piece came; empty while that isn't known."""
        if self._is_decided:
            return piece
        self._held += piece
        for character in piece:
            if not character.isspace() and not self._matches(character):
                return self._decide()
        return ""

    def end(self) -> str:
        """What is left to show when no more comes."""
        if self._is_decided:
            return ""
        left = len(self._shown) - self._matched
        if (self._matched and left in self._places) or (0 in self._places and self._matched >= _SURELY_REPEATED):
            self._overlap = self._matched
        return self._decide()

    def _matches(self, character: str) -> bool:
        """Whether the text may still be a repetition with this character."""
        end = len(self._shown)
        if end - self._matched in self._places and self._matched:
            self._overlap = self._matched
        self._places = {
            place
            for place in self._places
            if place + self._matched < end and self._shown[place + self._matched] == character
        }
        self._matched += 1
        return bool(self._places)

    def _decide(self) -> str:
        self._is_decided = True
        rest, left = self._held, self._overlap
        self._held = ""
        if left:
            for index, character in enumerate(rest):
                left -= not character.isspace()
                if not left:
                    rest = rest[index + 1 :]
                    break
        return rest.lstrip() if self._ends_in_space else rest


def _beginnings(text: str) -> set[int]:
    """Where words begin, counted without white space."""
    found: set[int] = set()
    count, before = 0, " "
    for character in text:
        if not character.isspace():
            is_word = character.isalnum()
            # Scripts without spaces between words, such as Japanese: any character may begin one.
            if before.isspace() or (is_word and (not before.isalnum() or character >= "\u3040")):
                found.add(count)
            count += 1
        before = character
    return found
