"""Numbers that name a person or an account, told from other numbers by their check digits and shapes.

Only what can be told reliably: a number of eleven digits that merely might be somebody's is left alone unless its check
digit and its date say so too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Final

# Lengths of IBANs by country (ISO 13616 registry).
_IBAN_LENGTHS: Final = {
    **dict.fromkeys(("NO",), 15), **dict.fromkeys(("BE", "BI"), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "SD", "FK"), 18), **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK", "MN"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL", "OM", "SO"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25), **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM", "DJ"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29), **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31), "LC": 32, "RU": 33,
}  # fmt: skip
LONGEST: Final = 34  # characters of the longest of them, without spaces
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_LETTERS: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CARD: Final = re.compile(r"3[0-9]{13,14}|[2456][0-9]{12,18}")
_ODD: Final = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23), strict=True)
)  # fmt: skip


def is_iban(compact: str) -> bool:
    """Whether this is an IBAN (ISO 13616): its country's length, and 1 modulo 97."""
    if _IBAN_LENGTHS.get(compact[:2]) != len(compact) or not compact[2:4].isdigit():
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def is_card(compact: str) -> bool:
    """Whether this is a payment card's number: a known issuer's beginning, and Luhn's check digit."""
    return _CARD.fullmatch(compact) is not None and len(set(compact)) > 1 and _luhn(compact)


def _luhn(digits: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def _spain(compact: str) -> bool:
    number = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(number) % 23] == compact[-1]


def _italy(compact: str) -> bool:
    even = {character: int(character) if character.isdigit() else ord(character) - 65 for character in _ODD}
    total = sum((_ODD if place % 2 == 0 else even)[character] for place, character in enumerate(compact[:15]))
    return chr(65 + total % 26) == compact[15]


def _france(compact: str) -> bool:
    return 97 - int(compact[:13]) % 97 == int(compact[13:])


def _poland(compact: str) -> bool:
    month = int(compact[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    is_day = _is_day(century + int(compact[:2]), month % 20, int(compact[4:6]))
    return is_day and (10 - _weighted(compact, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(compact[10])


def _germany(compact: str) -> bool:
    # One digit comes twice or three times among the first ten: that and the check digit let one number in 60 pass.
    if compact[0] == "0" or not 8 <= len(set(compact[:10])) <= 9:
        return False
    product = 10
    for digit in compact[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(compact[10])


def _switzerland(compact: str) -> bool:
    return (10 - _weighted(compact, (1, 3) * 6) % 10) % 10 == int(compact[12])


def _sweden(compact: str) -> bool:
    digits = compact[-10:]
    return _is_day(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6])) and _luhn(digits)


def _finland(compact: str) -> bool:
    return _HETU_LETTERS[int(compact[:6] + compact[-4:-1]) % 31] == compact[-1]


# A shape of the number as it is written (one sign for each gap), one of the number alone, and its check.
_Check = Callable[[str], bool]
_NATIONAL: Final[tuple[tuple[re.Pattern[str], re.Pattern[str], _Check], ...]] = tuple(
    (re.compile(written), re.compile(alone), check)
    for written, alone, check in (
        (r".*", r"(?:[0-9]{8}|[XYZ][0-9]{7})[A-Z]", _spain),
        (r".*", r"[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z]", _italy),
        (r".*", r"[12][0-9]{2}(?:0[1-9]|1[0-2])[0-9]{10}", _france),
        (r"[0-9]{11}", r"[0-9]{11}", _poland),
        (r"[0-9]{11}|[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}", r"[0-9]{11}", _germany),
        (r"756.*", r"756[0-9]{10}", _switzerland),
        (r"(?:[0-9]{2})?[0-9]{6}-[0-9]{4}", r"[0-9]{10}|(?:19|20)[0-9]{10}", _sweden),
        (r"[0-9]{6}[-A][0-9]{3}[0-9A-Z]", r"[0-9]{6}A?[0-9]{3}[0-9A-Z]", _finland),
        # The United Kingdom's and the United States' have no check digit, but a shape that little else has.
        (r".*", r"(?![DFIQUV]|[A-Z][DFIQUVO]|BG|GB|NK|KN|TN|NT|ZZ)[A-Z]{2}[0-9]{6}[A-D]", lambda _: True),
        (r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}", r"[0-9]{9}", lambda _: True),
    )
)


def is_national_id(compact: str, written: str) -> bool:
    """Whether this is a personal number of ES, IT, FR, PL, DE, CH, SE, FI, GB or US.

    Args:
        compact: letters and digits alone.
        written: with its gaps, each as one character.
    """
    return any(
        alone.fullmatch(compact) is not None and shape.fullmatch(written) is not None and check(compact)
        for shape, alone, check in _NATIONAL
    )


_NORTH_AMERICA: Final = re.compile(r"\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}")
_NATIONAL_PHONE: Final = re.compile(r"\(?0[1-9][0-9]*(?:[^0-9]{1,2}[0-9]{2,}){0,5}")
_DATE: Final = re.compile(r"(?<![0-9])(?:[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}-[0-9]{2}-)")


def is_phone(compact: str, raw: str) -> bool:
    """Whether this is a phone number: with a country's prefix, beginning with 0, or as North America writes them.

    Args:
        compact: letters and digits alone.
        raw: as it is written, a `+` or a bracket before it included.
    """
    if not (compact.isdigit() and compact.isascii()) or _DATE.search(raw):
        return False
    if raw.startswith(("+", "(+")):
        return compact[0] != "0" and 8 <= len(compact) <= 15
    if compact.startswith("00"):
        return compact[2:3] != "0" and 10 <= len(compact) <= 17
    if _NORTH_AMERICA.fullmatch(raw):
        return True
    return 9 <= len(compact) <= 13 and _NATIONAL_PHONE.fullmatch(raw) is not None
