"""Texts made comparable: what looks alike to a reader is alike here, whichever characters it was written with."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Characters that show nothing: zero-width ones, soft hyphens, directions of writing, variation selectors, and the tag
# characters that some models read and no person sees. The joiner between the parts of an emoji is among them.
UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_UNSEEN: Final = re.compile(f"[{UNSEEN}]")
# Letters of other alphabets that pass for Latin ones (from Unicode's confusables.txt, the common ones).
_ALIKE: Final = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтгԛԝαοενρτυικχγ" + "ıł",
    "aeopcyxijsdhlbkmhtrqwaoevptuikxy" + "il",
)


def without_unseen(text: str) -> str:
    """A text without characters that show nothing."""
    return text if text.isascii() else _UNSEEN.sub("", text)


def fold(text: str) -> str:
    """A text in small, plain letters: no accents, no look-alikes, no unseen characters."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", _UNSEEN.sub("", text)).casefold()
    return "".join(character for character in plain if not unicodedata.combining(character)).translate(_ALIKE)
