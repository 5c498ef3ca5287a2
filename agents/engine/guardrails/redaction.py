"""Personal data taken out of texts, whole or as they come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agents.engine.guardrails.personal_data import LOOKED_BACK, Kind, find, undecided

LABELS: Final[dict[Kind, str]] = {
    "email": "[e-mail]",
    "phone": "[phone]",
    "iban": "[IBAN]",
    "card": "[card]",
    "national_id": "[ID]",
}


class Redactor:
    """Reads a text in pieces and gives back what may be shown of it: the same, however it was cut.

    Args:
        known: keys of data that stay, such as the company's own number.
    """

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self._known = known
        self._text = ""
        self._settled = 0
        self.kinds: set[Kind] = set()
        """What was taken out."""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        self._text += piece
        return self._until(undecided(self._text, self._settled))

    def finish(self) -> str:
        """What was held back, at the end of the text."""
        return self._until(len(self._text))

    def _until(self, end: int) -> str:
        shown: list[str] = []
        place = self._settled
        for found in find(self._text, place):
            if found.start >= end:
                break
            shown.append(self._text[place : found.start])
            if found.key in self._known:
                shown.append(self._text[found.start : found.end])
            else:
                shown.append(LABELS[found.kind])
                self.kinds.add(found.kind)
            place = found.end
        if place < end:
            shown.append(self._text[place:end])
            place = end
        cut = max(0, place - LOOKED_BACK)
        self._text, self._settled = self._text[cut:], place - cut
        return "".join(shown)


def redact(text: str) -> str:
    """A text without personal data."""
    redactor = Redactor()
    return redactor.feed(text) + redactor.finish()


def personal_keys(texts: Iterable[str]) -> frozenset[str]:
    """Keys of the personal data in texts."""
    return frozenset(found.key for text in texts for found in find(text))
