"""A message cut where another wish may begin."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 8
# After "and" a wish begins with one of these; "and a baby chair" is none.
_BEGINNINGS: Final = (
    # English
    r"what|when|where|which|who|why|how|is|are|am|can|could|do|does|did|will|would|should|may|have|has|any|i|i'd|i'm|i've|we|"
    r"we'd|we're|we've|my|our|the\s+\w+(?:\s+\w+)?\s+(?:is|are|does|doesn|has|was|in)\b.*|there|please|book|reserve|make|"
    r"send|cancel|tell|give|bring|need|move|change|extend|call|get|find|show|order|arrange|put|let|add|also|then|"
    # German
    r"was|wann|wo|wer|wie|welche[rsmn]?|warum|ist|sind|kann|können|könnten|gibt|haben|hat|ich|wir|mein|meine|unser|unsere|bitte|"
    r"buchen|buche|reservieren|schicken|sagen|brauche|machen|stornieren|"
    # French
    r"que|quoi|quand|où|qui|comment|combien|quel|quelle|est-ce|est|sont|puis|peut|pouvez|avez|je|j'|nous|mon|ma|réserve[rz]?|"
    r"annule[rz]?|envoye[rz]?|dites|"
    # Spanish and Italian
    r"qué|cuándo|dónde|cómo|cuánto|hay|puedo|quiero|tienen|reservar|che|quando|dove|come|quanto|c'è|posso|vorrei|avete|prenotare"
)
_SENTENCE: Final = re.compile(r"(?<=[?!;])\s*|(?<=[^\s\d.]{3}\.)\s+|\n+")
# The words between are dropped: they belong to neither wish.
_AND: Final = re.compile(
    r"\s*(?:,\s*(?:and|und|et|y|e|also|but\s+also|plus|außerdem|aussi)?|\b(?:and|und|et|y|e|sowie|plus|also|außerdem))\s+"
    rf"(?=(?:also\s+|then\s+|auch\s+|aussi\s+|please\s+|bitte\s+)?(?:{_BEGINNINGS})\b)",
    re.IGNORECASE,
)
_EMPTY: Final = re.compile(r"[\W_]*(?:and|also|und|auch|et|aussi|then|plus)?[\W_]*", re.IGNORECASE)
_JOINING: Final = re.compile(r"^\W*(?:and|also|und|auch|et|aussi|then|plus)\s+", re.IGNORECASE)


def clauses_of(text: str) -> list[str]:
    """The clauses of a message that might each be a wish, in order; the message itself where there is only one.

    What stands together stays together: "a table for two and a baby chair" is one.
    """
    found = []
    for sentence in _SENTENCE.split(text):
        for clause in _AND.split(sentence or ""):
            kept = _JOINING.sub("", clause.strip(" ,;\n\t"))
            if not _EMPTY.fullmatch(kept):
                found.append(kept)
    return found if 1 < len(found) <= MOST else [text.strip()]
