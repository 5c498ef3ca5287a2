"""Words for numbers, days and months, in English, German and French together.

One table for all three: a message is rarely long enough to tell its language for sure, and the words hardly clash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final


def listed(words: str) -> tuple[str, ...]:
    """Words that are written one after the other."""
    return tuple(words.split())


_ENGLISH_ONES: Final = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ENGLISH_TENS: Final = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty"}
_GERMAN_ONES: Final = listed(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)
_GERMAN_TENS: Final = {20: "zwanzig", 30: "dreißig", 40: "vierzig", 50: "fünfzig"}
_FRENCH_ONES: Final = listed(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
)
_FRENCH_TENS: Final = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante"}


def _numbers() -> dict[str, int]:
    found: dict[str, int] = {}
    for ones in (_ENGLISH_ONES, _GERMAN_ONES, _FRENCH_ONES):
        found |= {word: value for value, word in enumerate(ones)}
    found |= {
        "ein": 1,
        "eine": 1,
        "einen": 1,
        "einem": 1,
        "einer": 1,
        "zwo": 2,
        "une": 1,
        "dreissig": 30,
        "a couple": 2,
    }
    for tens, word in _ENGLISH_TENS.items():
        found[word] = tens
        found |= {f"{word}{gap}{_ENGLISH_ONES[one]}": tens + one for one in range(1, 10) for gap in ("-", " ")}
    for tens, word in _GERMAN_TENS.items():
        found[word] = tens
        found |= {f"{'ein' if one == 1 else _GERMAN_ONES[one]}und{word}": tens + one for one in range(1, 10)}
    for tens, word in _FRENCH_TENS.items():
        found[word] = tens
        found |= {f"{word}{gap}{_FRENCH_ONES[one]}": tens + one for one in range(2, 10) for gap in ("-", " ")}
        found |= {f"{word} et un": tens + 1, f"{word}-et-un": tens + 1}
    return found | {_without_umlauts(word): value for word, value in found.items()}


def _without_umlauts(word: str) -> str:
    # As they are typed where the keyboard has none.
    for letter, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("é", "e"), ("è", "e"), ("û", "u")):
        word = word.replace(letter, written)
    return word


def _spelt(table: Mapping[str, int]) -> dict[str, int]:
    return {**{_without_umlauts(word): value for word, value in table.items()}, **table}


def one_of(words: Iterable[str]) -> str:
    """A pattern of any of the words, the longest first."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"


NUMBERS: Final = _numbers()
NUMBER: Final = rf"(?:\d+|{one_of(NUMBERS)})"

# Monday is 0, as in `datetime`.
_DAY_NAMES: Final = (
    "monday tuesday wednesday thursday friday saturday sunday",
    "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
)
WEEKDAYS: Final = {
    **{name: index for names in _DAY_NAMES for index, name in enumerate(names.split())},
    "sonnabend": 5,
}
# Only where a word before shows that a day is meant: "mon" is French for my, "sat" a verb.
SHORT_WEEKDAYS: Final = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip

_MONTH_NAMES: Final = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "jan feb mar apr may jun jul aug sep oct nov dec",
)
MONTHS: Final = _spelt(
    {
        **{name: index for names in _MONTH_NAMES for index, name in enumerate(names.split(), start=1)},
        "sept": 9, "okt": 10, "dez": 12, "jänner": 1, "janv": 1, "févr": 2, "avr": 4, "juil": 7, "déc": 12,
    }
)  # fmt: skip

_ENGLISH_ORDINALS: Final = listed(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)


def _ordinals() -> dict[str, int]:
    found = {word: value for value, word in enumerate(_ENGLISH_ORDINALS, start=1)}
    for gap in ("-", " "):
        found |= {f"twenty{gap}{_ENGLISH_ORDINALS[one - 1]}": 20 + one for one in range(1, 10)}
        found[f"thirty{gap}first"] = 31
    found["thirtieth"] = 30
    german = {"erst": 1, "dritt": 3, "siebt": 7, "acht": 8}
    for value in range(1, 32):
        word = next(name for name, number in NUMBERS.items() if number == value and _is_german(name))
        stem = next((stem for stem, number in german.items() if number == value), word + ("t" if value < 20 else "st"))
        found |= {f"{stem}en": value, f"{stem}er": value, f"{stem}e": value}
    return _spelt(found) | {"premier": 1, "1er": 1}


def _is_german(word: str) -> bool:
    return word in _GERMAN_ONES or word in _GERMAN_TENS.values() or "und" in word


# Beside a month only: "second" and "zweiten" alone are too often no day.
ORDINALS: Final = _ordinals()


def number_of(word: str) -> int:
    """The value of a numeral or a number's word that `NUMBER` matched."""
    return int(word) if word.isdecimal() else NUMBERS[" ".join(word.split())]
