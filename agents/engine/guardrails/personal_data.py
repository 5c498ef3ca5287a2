"""Personal data found in texts: e-mail addresses, phone numbers, IBANs, payment cards and national ids.

What is found in a text is settled from left to right, and whether something begins at a place depends on a bounded
stretch around it. So a stream can be read as it comes: `undecided` tells from where on more text may change what is
found, and until there a stream's reader finds what a reader of the whole text finds, however it was cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from agents.engine.guardrails.folding import UNSEEN, without_unseen
from agents.engine.guardrails.identifiers import LONGEST, is_card, is_iban, is_national_id, is_phone

Kind = Literal["email", "phone", "iban", "card", "national_id"]
# What a reader must keep of what is settled already: a sign and a digit before a number, and a letter before those.
LOOKED_BACK: Final = 4

# Addresses in Latin, Greek and Cyrillic letters. Chinese, Thai and the like write no spaces between words: were their
# letters among these, a stream in them would be held back by whole sentences.
_LETTER: Final = r"0-9A-Za-z\u00aa-\u00ba\u00c0-\u052f\uff10-\uff5a" + UNSEEN
_EMAIL: Final = re.compile(
    rf"[{_LETTER}._%+'-]{{1,64}}[@\uff20\ufe6b](?:[{_LETTER}-]{{1,63}}[.\uff0e]){{1,4}}[{_LETTER}-]{{2,63}}"
)
_LONGEST_EMAIL: Final = 64 + 1 + 5 * 64 + 1
_OF_EMAIL: Final = re.compile(rf"[{_LETTER}._%+'@\uff20\ufe6b\uff0e-]")

# A number in pieces: 4111 1111 1111 1111, DE89 3704 …, (0660) 123-4567, RSSMRA 85T10 A562S.
_ATOM: Final = re.compile(r"(?<![^\W_])[^\W_]+")
_NUMBERLIKE: Final = re.compile(r"[A-Z]{1,6}|(?:[A-Z]{0,6}|[A-Za-z]{0,2})\d[^\W_]*")
_BEGUN: Final = re.compile(r"[A-Z]{1,6}|[A-Za-z]{1,2}|(?:[A-Z]{0,6}|[A-Za-z]{0,2})\d[^\W_]*")
_IN_GAP: Final = rf"[ \u00a0\u2009\u202f./()\u2010-\u2013{UNSEEN}-]"
_GAP: Final = re.compile(_IN_GAP + "{1,3}")
_LONGEST_RAW: Final = 64
_HAS_NUMBER: Final = re.compile(r"\d")
_JOINED_BEFORE: Final = re.compile(r"\d[./:,-]\Z")
_JOINED_AFTER: Final = re.compile(r"[./:,-]\d")
_WINDOW: Final = _LONGEST_RAW + 8


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data in a text.

    Args:
        key: the same for the same datum written otherwise.
    """

    kind: Kind
    start: int
    end: int
    key: str


def find(text: str, start: int = 0) -> Iterator[Found]:
    """Personal data from a place on, in order; none overlaps another."""
    emails = _emails(text, start) if "@" in text or "\uff20" in text or "\ufe6b" in text else iter(())
    numbers = _numbers(text, start) if _HAS_NUMBER.search(text, start) else iter(())
    email, number = next(emails, None), next(numbers, None)
    place = start
    while email or number:
        first = email if number is None or (email and email.start <= number.start) else number
        assert first is not None
        yield first
        place = first.end
        # What began within it is looked for again, from its end on.
        if email and email.start < place:
            emails = _emails(text, place)
            email = next(emails, None)
        if number and number.start < place:
            numbers = _numbers(text, place)
            number = next(numbers, None)


def undecided(text: str, start: int) -> int:
    """From where on, at or after `start`, what is found may change with what follows the text."""
    return min(_email_begun(text, start), _number_begun(text, start))


def _emails(text: str, start: int) -> Iterator[Found]:
    for match in _EMAIL.finditer(text, start):
        yield Found("email", match.start(), match.end(), unicodedata.normalize("NFKC", match[0]).casefold())


def _numbers(text: str, start: int) -> Iterator[Found]:
    atoms = list(_ATOM.finditer(text, start))
    index = 0
    while index < len(atoms):
        found = _number_at(text, start, atoms, index)
        if found is None:
            index += 1
            continue
        yield found
        start = found.end
        while index < len(atoms) and atoms[index].start() < start:
            index += 1


def _number_at(text: str, start: int, atoms: list[re.Match[str]], first: int) -> Found | None:
    """The longest number that begins with an atom."""
    if not _NUMBERLIKE.fullmatch(atoms[first][0]):
        return None
    begin = atoms[first].start()
    sign = begin
    while sign > start and begin - sign < 2 and text[sign - 1] in "+(":
        sign -= 1
    best: Found | None = None
    compact = written = ""
    for index in range(first, len(atoms)):
        atom = atoms[index]
        if index > first:
            gap = text[atoms[index - 1].end() : atom.start()]
            if not _GAP.fullmatch(gap) or not _NUMBERLIKE.fullmatch(atom[0]):
                break
            written += gap[0]
        plain = _plain(atom[0])
        compact, written, end = compact + plain, written + plain, atom.end()
        if end - begin > _LONGEST_RAW or len(compact) > LONGEST:
            break
        if len(compact) < 8:
            continue
        if kind := _kind(text, compact, written, begin, sign, end):
            best = Found(kind, sign if kind == "phone" else begin, end, compact)
    return best


def _kind(text: str, compact: str, written: str, begin: int, sign: int, end: int) -> Kind | None:
    if is_iban(compact):
        return "iban"
    if compact.isascii() and is_national_id(compact, written):
        return "national_id"
    if is_card(compact):
        return "card"
    raw = unicodedata.normalize("NFKC", without_unseen(text[sign:end]))
    if is_phone(compact, raw):
        # "12.01.2026 04" isn't a number that begins within a date.
        is_joined = sign == begin and _JOINED_BEFORE.search(text[max(0, begin - 2) : begin])
        if not is_joined and not _JOINED_AFTER.match(text, end):
            return "phone"
    return None


def _plain(atom: str) -> str:
    if atom.isascii():
        return atom.upper()
    normal = unicodedata.normalize("NFKC", atom)
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in normal).upper()


def _email_begun(text: str, start: int) -> int:
    place = len(text)
    least = max(start, place - _LONGEST_EMAIL)
    while place > least and _OF_EMAIL.match(text, place - 1):
        place -= 1
    return place


def _number_begun(text: str, start: int) -> int:
    low = max(start, len(text) - _WINDOW)
    atoms = list(_ATOM.finditer(text, low))
    place = len(text)
    if atoms and atoms[-1].end() == place and _BEGUN.fullmatch(atoms[-1][0]):
        place = atoms.pop().start()
    elif atoms and atoms[-1].end() == place:
        return place
    while atoms:
        gap = text[atoms[-1].end() : place]
        # After a colon or a comma a digit would belong to the number: 07:00, 1,250.
        may_go_on = _GAP.fullmatch(gap) or (gap in (":", ",") and place == len(text))
        if not may_go_on or not _NUMBERLIKE.fullmatch(atoms[-1][0]):
            break
        place = atoms.pop().start()
    while place > low and text[place - 1] in "+(":
        place -= 1
    return place
