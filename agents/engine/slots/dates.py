"""Days that a message names: "tomorrow", "next Friday", "3 May", "am 3.", "2026-05-03"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Final

from agents.engine.slots.found import Found, lowered
from agents.engine.slots.words import (
    MONTHS,
    NUMBER,
    ORDINALS,
    SHORT_WEEKDAYS,
    WEEKDAYS,
    number_of,
    one_of,
)

_ALL_WEEKDAYS: Final = {**WEEKDAYS, **SHORT_WEEKDAYS}
_MONTH: Final = rf"{one_of(MONTHS)}\b\.?"
_WEEKDAY: Final = one_of(WEEKDAYS)
_ORDINAL: Final = one_of(ORDINALS)
_DAY_NUMBER: Final = r"(?:0?[1-9]|[12]\d|3[01]|[4-9]\d)"
_DAY: Final = rf"(?:{_DAY_NUMBER}(?:st|nd|rd|th|er|ème|\.)?|{_ORDINAL})"
_YEAR: Final = r"(?:,?\s*(?P<year>20\d\d|19\d\d))?"
# What shows that a number before or after "may" counts something instead.
_NOT_COUNTED: Final = r"(?!\s*(?:people|persons?|guests?|of us|adults|nights?|pm|am|p\.m|a\.m|o'clock|uhr|heures?|:\d))"

_NEXT: Final = ("next", "nächste", "naechste")
_THIS: Final = {"this", "diesen", "dieser", "ce"}
_WEEK_ON: Final = r"(?P<week>\s+(?:week\b|in\s+einer\s+woche|en\s+huit))?"

Reader = Callable[[re.Match[str], dt.date, bool], dt.date | None]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w\x00])(?:{text})(?![\w\x00])")


def _relative(words: str, days: int) -> tuple[re.Pattern[str], Reader]:
    return _pattern(words), lambda match, today, past: today + dt.timedelta(days=days)


def _iso(match: re.Match[str], today: dt.date, past: bool) -> dt.date | None:
    return dt.date(int(match["y"]), int(match["m"]), int(match["d"]))


def _numeric(match: re.Match[str], today: dt.date, past: bool) -> dt.date | None:
    """Day before month, as most of the world writes it, unless only the other way there is such a day. What was
    understood is said back in words before anything is done."""
    first, second = int(match["a"]), int(match["b"])
    day, month = (second, first) if second > 12 >= first and match["sign"] == "/" else (first, second)
    return _in_year(match.groupdict().get("y"), month, day, today, past)


def _named(match: re.Match[str], today: dt.date, past: bool) -> dt.date | None:
    return _in_year(match["year"], MONTHS[match["month"].rstrip(".")], _day_number(match["day"]), today, past)


def _day_of_month(match: re.Match[str], today: dt.date, past: bool) -> dt.date | None:
    day = _day_number(match["day"])
    step = -1 if past else 1
    for months in range(0, 13 * step, step):
        month = today.month - 1 + months
        try:
            found = dt.date(today.year + month // 12, month % 12 + 1, day)
        except ValueError:
            continue
        if found <= today if past else found >= today:
            return found
    return None


def _weekday(match: re.Match[str], today: dt.date, past: bool) -> dt.date | None:
    name = match["day"]
    which = match["which"] or ""
    ahead = (_ALL_WEEKDAYS[name] - today.weekday()) % 7
    if past:
        return today - dt.timedelta(days=7 - ahead if ahead else 7)
    if which.startswith(_NEXT):
        # The day in the week that begins next Monday.
        ahead = 7 - today.weekday() + _ALL_WEEKDAYS[name]
    elif ahead == 0 and which not in _THIS:
        ahead = 7  # for the day itself people say today
    return today + dt.timedelta(days=ahead + (7 if match["week"] else 0))


def _counted(match: re.Match[str], today: dt.date, past: bool) -> dt.date | None:
    count = number_of(match["count"]) if match["count"] not in {"a", "an"} else 1
    unit = match["unit"]
    weeks = unit.startswith(("week", "woche", "semaine"))
    return today + dt.timedelta(days=count * (7 if weeks else 1))


_READERS: Final[tuple[tuple[re.Pattern[str], Reader], ...]] = (
    (_pattern(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"), _iso),
    (_pattern(r"(?P<a>\d{1,2})(?P<sign>[./])(?P<b>\d{1,2})(?P=sign)(?P<y>\d{4}|\d{2})"), _numeric),
    (re.compile(r"(?<![\w\x00.])(?P<a>\d{1,2})(?P<sign>\.)\s?(?P<b>0?[1-9]|1[0-2])\.(?!\d)"), _numeric),
    (_pattern(r"(?P<a>\d{1,2})(?P<sign>/)(?P<b>\d{1,2})"), _numeric),
    (_pattern(rf"(?P<day>{_DAY})\s*(?:of\s+|de\s+)?(?P<month>{_MONTH}){_YEAR}"), _named),
    (
        _pattern(
            rf"(?P<month>{_MONTH})\s+(?:the\s+)?(?P<day>{_DAY_NUMBER}(?:st|nd|rd|th)?|{_ORDINAL})\b{_NOT_COUNTED}{_YEAR}"
        ),
        _named,
    ),
    _relative(r"(?:the\s+)?day\s+after\s+tomorrow|übermorgen|uebermorgen|apr[èe]s[- ]demain", 2),
    _relative(r"today|tonight|this\s+(?:evening|afternoon|morning)|heute(?:\s+abend)?|aujourd'hui|ce\s+soir", 0),
    _relative(r"tomorrow|tommorow|tomorow|tmrw|demain", 1),
    # "Morgen" is the morning too: "guten Morgen", "am Morgen", and as a greeting of one word.
    _relative(r"(?<!guten )(?<!am )(?<!schönen )(?<!heute )(?<!jeden )morgen", 1),
    (
        _pattern(rf"(?:in|dans)\s+(?P<count>{NUMBER}|an?)\s+(?P<unit>days?|weeks?|tage?n?|wochen?|jours?|semaines?)"),
        _counted,
    ),
    (
        _pattern(
            r"(?:(?P<which>next|this|coming|nächste[nr]?|naechste[nr]?|kommende[nr]?|diesen|dieser|ce)\s+)?"
            rf"(?P<day>{_WEEKDAY})s?(?:\s+prochain)?{_WEEK_ON}"
        ),
        _weekday,
    ),
    (
        _pattern(
            rf"(?:on|(?P<which>next|this|coming)|for|until|till|from)\s+(?P<day>{one_of(SHORT_WEEKDAYS)})\b\.?{_WEEK_ON}"
        ),
        _weekday,
    ),
    (_pattern(r"(?:the|on|den|am|zum|bis|vom)\s+(?P<day>\d{1,2}(?:st|nd|rd|th))"), _day_of_month),
    (re.compile(r"(?<![\w\x00])(?:den|am|zum|bis|vom)\s+(?P<day>\d{1,2})\.(?!\d)"), _day_of_month),
    (_pattern(r"(?:le|au|du)\s+(?P<day>\d{1,2}|1er|premier)(?!\s*(?:h\b|heures|[:.]\d))"), _day_of_month),
)


def find_dates(text: str, *, today: dt.date, past: bool = False) -> list[Found]:
    """Every day that a text names, in its order. Values are ISO dates.

    Args:
        today: what "tomorrow" counts from.
        past: days are looked for backwards, as for a date of birth; else what is gone can't be meant.
    """
    small = lowered(text)
    found: list[Found] = []
    for pattern, read in _READERS:
        for match in pattern.finditer(small):
            place = Found(match.start(), match.end(), None, "no_such_date")
            if place.overlaps(found):
                continue
            try:
                day = read(match, today, past)
            except (ValueError, OverflowError):
                day = None
            if day is not None:
                gone = day > today if past else day < today
                place = Found(place.start, place.end, day.isoformat(), "past" if gone and not past else "")
            found.append(place)
    return list(_merged(sorted(found, key=lambda one: one.start), small))


def _merged(found: list[Found], text: str) -> Iterator[Found]:
    """ "Friday 27 November" is one day, said twice; where the two differ, what was said with its number counts."""
    kept: list[Found] = []
    for one in found:
        before = kept[-1] if kept else None
        gap = text[before.end : one.start] if before else ""
        if before is not None and re.fullmatch(r"\s*,?\s*(?:the|den|le|der)?\s*", gap) and _is_weekday(before, text):
            kept[-1] = Found(before.start, one.end, one.value, one.why)
        elif before is not None and re.fullmatch(r"\s*[,(]?\s*", gap) and _is_weekday(one, text):
            kept[-1] = Found(before.start, one.end, before.value, before.why)
        else:
            kept.append(one)
    yield from kept


def _is_weekday(found: Found, text: str) -> bool:
    return any(name in text[found.start : found.end] for name in WEEKDAYS) and not any(
        letter.isdecimal() for letter in text[found.start : found.end]
    )


def _day_number(word: str) -> int:
    if word in ORDINALS:
        return ORDINALS[word]
    return int(re.sub(r"\D", "", word))


def _in_year(year: str | None, month: int, day: int, today: dt.date, past: bool) -> dt.date | None:
    if year:
        number = int(year)
        if number < 100:
            number += 2000 if not past or number <= today.year % 100 else 1900
        return dt.date(number, month, day)
    for number in range(today.year, today.year + (-9 if past else 9), -1 if past else 1):
        try:
            found = dt.date(number, month, day)
        except ValueError:
            continue  # the 29th of February
        if found <= today if past else found >= today:
            return found
    return None
