"""What may be kept and given to others: nothing that was said to one person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agents.engine.gateway import Role

LONGEST_QUESTION: Final = 500  # characters; nobody asks the same at such length
_LONGEST_ANSWER: Final = 20_000
_MAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.\w+")
_URL_WITH_KEY: Final = re.compile(r"https?://\S+\?\S+")
# Seven digits and more, however they are parted: telephone, card, booking and account numbers.
_LONG_NUMBER: Final = re.compile(r"(?:\d[\s().\-/+]{0,2}){7,}")
_CODE: Final = re.compile(r"\b(?=\w*\d)(?=\w*[a-zA-Z])\w{6,}\b")  # AB12C3: a booking's or an order's
_MY: Final = re.compile(
    r"\b(?:my (?:name|number|address|e-?mail|phone|booking|reservation|order|account|room|card)|call me|this is|"
    r"ich heiße|mein name|meine (?:nummer|buchung)|je m'appelle|mon nom|me llamo|mi nombre)\b",
    re.IGNORECASE,
)
_I_AM: Final = re.compile(r"\b(?:[Ii]['\u2019]m|[Ii] am|[Ii]ch bin|[Jj]e suis|[Ss]oy) [A-ZÀ-Þ]")
_NAME: Final = re.compile(r"[^\W\d_]{3,}")


def may_ask(*, question: str, history: Sequence[tuple[Role, str]], contact: str = "") -> bool:
    """Whether a question stands by itself, so that another's answer to it can be given."""
    return not history and 0 < len(question) <= LONGEST_QUESTION and not is_personal(question, contact=contact)


def is_cacheable(
    *,
    question: str,
    answer: str,
    history: Sequence[tuple[Role, str]],
    contact: str = "",
    used_tool: bool,
    knew_contact: bool = False,
) -> bool:
    """Whether an answer may be given again to somebody else.

    Args:
        used_tool: whether any tool was called: what it found holds for one moment or one person.
        knew_contact: whether the model was shown facts about the contact, or a summary of earlier talk.
    """
    return (
        not used_tool
        and not knew_contact
        and may_ask(question=question, history=history, contact=contact)
        and 0 < len(answer.strip()) <= _LONGEST_ANSWER
        and not _names(answer, contact)
    )


def is_personal(text: str, *, contact: str = "") -> bool:
    """Whether a text seems to hold somebody's data: an address, a long number, a name that was given, the contact's."""
    found = (_MAIL, _URL_WITH_KEY, _LONG_NUMBER, _CODE, _MY, _I_AM)
    return any(pattern.search(text) for pattern in found) or _names(text, contact)


def _names(text: str, contact: str) -> bool:
    """Whether a text holds a word of the contact's own name or address."""
    words = {word.casefold() for word in _NAME.findall(text)}
    return any(word.casefold() in words for word in _NAME.findall(contact))
