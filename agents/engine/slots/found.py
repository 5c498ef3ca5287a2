"""What was found in a message, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """One value in a message.

    Args:
        start: where its words begin.
        end: where they end.
        value: as it goes into the values; None where the words name nothing that there is.
        why: why it can't be taken as it stands: `past`, `no_such_date`, `several`; else empty.
    """

    start: int
    end: int
    value: Any
    why: str = ""

    def overlaps(self, others: Iterable[Found]) -> bool:
        return any(self.start < other.end and other.start < self.end for other in others)


def without(text: str, taken: Iterable[Found]) -> str:
    """The text with what was found in it blanked out, so that places stay what they are."""
    for found in taken:
        text = text[: found.start] + "\x00" * (found.end - found.start) + text[found.end :]
    return text


def lowered(text: str) -> str:
    """The text in small letters, every one where it was, apostrophes all of one kind."""
    text = text.replace("\u2019", "'")
    small = text.lower()
    if len(small) == len(text):
        return small
    # Some letters have more than one small one.
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
