"""Times of day that a message names: "at eight", "8 pm", "half past seven", "um 20 Uhr 30", "à huit heures"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal

from agents.engine.slots.found import Found, lowered
from agents.engine.slots.words import NUMBER, NUMBERS, WEEKDAYS, number_of, one_of

# Which half of the day "eight" is where nothing else tells; "day" is from seven in the morning to six.
Prefer = Literal["", "morning", "day", "evening"]

_SMALL: Final = one_of([word for word, value in NUMBERS.items() if 1 <= value <= 24 and word not in {"a couple"}])
_HOUR: Final = rf"(?:2[0-4]|[01]?\d|{_SMALL})"
_MINUTE_WORD: Final = one_of(
    [word for word, value in NUMBERS.items() if 5 <= value < 60 and value % 5 == 0 and word != "zero"]
)
_AT: Final = (
    r"(?:at|by|around|about|from|@|um|gegen|ab|à|a|vers|pour|dès|for|make it|instead)"  # what stands before an hour
)
_CLEAR_AT: Final = r"(?:at|by|around|@|um|gegen|à|vers|dès)(?:\s+(?:about|around|ungefähr|environ|genau|etwa))?"
# "um 8 am Freitag" is no morning.
_HALF: Final = rf"(?:a\.?m\b\.?(?!\s*(?:{one_of(WEEKDAYS)}|\d|nächsten|kommenden|abend|morgen|nachmittag))|p\.?m\b\.?)"
_CLOCK: Final = r"(?:o'?\s?clock|oclock|uhr|heures?)"
# An hour is none where something is counted.
_COUNTED: Final = (
    r"(?!\s*(?:people|persons?|guests?|adults?|children|kids|nights?|days?|weeks?|months?|minutes?|hours?|of us|rooms?|"
    r"personen|leute|gäste|erwachsene|kinder|nächte|tage|wochen|stunden|zimmer|minuten|"
    r"personnes|adultes|enfants|nuits|jours|semaines|minutes|chambres|%|€|\$|£|euros?))"
)

_PARTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(rf"(?<!\w)(?:{words})(?!\w)"), part)
    for words, part in (
        (r"(?:in the |this |tomorrow )?morning|morgens|vormittags?|am morgen|früh|du matin|le matin|matin", "morning"),
        (r"(?:in the |this )?afternoon|nachmittags?|de l'après-midi|après-midi", "afternoon"),
        (r"(?:in the |this )?evening|tonight|at night|abends?|du soir|ce soir|soir|dinner|supper|dîner", "evening"),
        (r"breakfast|frühstück|petit[- ]déjeuner", "morning"),
        (r"lunch|mittagessen|déjeuner", "afternoon"),
    )
)

Reading = Callable[[re.Match[str]], tuple[int, int, bool]]  # hour, minute, and whether the half of the day is told


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w\x00.,:/-])(?:{text})(?![\w\x00])")


def _halved(match: re.Match[str]) -> tuple[int, int, bool]:
    hour, minute = number_of(match["hour"]), _minute(match)
    if hour > 12 or hour == 0:
        return hour, minute, True
    return hour % 12 + (12 if match["half"].startswith("p") else 0), minute, True


def _clock(match: re.Match[str]) -> tuple[int, int, bool]:
    hour = number_of(match["hour"])
    return hour, _minute(match), hour > 12 or match["hour"].startswith("0") or hour == 0


def _before(match: re.Match[str]) -> tuple[int, int, bool]:
    hour = number_of(match["hour"])
    return (hour - 1) % 24, 60 - _quantity(match), hour > 13


def _after(match: re.Match[str]) -> tuple[int, int, bool]:
    hour = number_of(match["hour"])
    return hour, _quantity(match), hour > 12


def _german_half(match: re.Match[str]) -> tuple[int, int, bool]:
    hour = number_of(match["hour"])
    return (hour - 1) % 24, 45 if match["what"] == "dreiviertel" else 30, hour > 13


def _french(match: re.Match[str]) -> tuple[int, int, bool]:
    hour = number_of(match["hour"])
    rest = match["rest"] or ""
    if "moins" in rest:
        return (hour - 1) % 24, 45, hour > 13
    return hour, 30 if "demi" in rest else 15 if "quart" in rest else 0, hour > 12


def _minute(match: re.Match[str]) -> int:
    word = match.groupdict().get("minute")
    return number_of(word) if word else 0


def _quantity(match: re.Match[str]) -> int:
    word = match["quantity"]
    if word.endswith(("quarter", "viertel")):
        return 15
    return 30 if word == "half" else number_of(word)


def _fixed(hour: int) -> Reading:
    return lambda match: (hour, 0, True)


_READERS: Final[tuple[tuple[re.Pattern[str], Reading], ...]] = (
    (_pattern(rf"(?P<hour>{_HOUR})(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>{_HALF})"), _halved),
    (_pattern(rf"(?P<hour>{_HOUR})\s+(?P<minute>{_MINUTE_WORD}|[0-5]\d)\s*(?P<half>{_HALF})"), _halved),
    (_pattern(r"(?P<hour>2[0-4]|[01]?\d)(?::|\s?h\s?|\s?uhr\s)(?P<minute>[0-5]\d)(?:\s*uhr)?(?!:?\d)"), _clock),
    (_pattern(rf"(?P<hour>{_HOUR})\s+uhr\s+(?P<minute>{_MINUTE_WORD})"), _clock),
    (_pattern(r"(?P<hour>2[0-4]|[01]?\d)\.(?P<minute>[0-5]\d)\s*uhr"), _clock),
    (_pattern(rf"(?:{_CLEAR_AT}\s+)(?P<hour>2[0-4]|[01]?\d)\.(?P<minute>[0-5]\d)(?!\.?\d)"), _clock),
    (
        _pattern(
            rf"(?:{_AT}\s+)?(?P<quantity>(?:a\s+)?quarter|viertel|half|{NUMBER})\s*(?:minutes?\s+|minuten\s+)?"
            rf"(?:past|after|nach)\s+(?P<hour>{_HOUR})(?:\s+uhr)?"
        ),
        _after,
    ),
    (
        _pattern(
            rf"(?:{_AT}\s+)?(?P<quantity>(?:a\s+)?quarter|viertel|twenty-?\s?five|twenty|ten|five|zehn|zwanzig|fünf|5|10|20|25)"
            rf"\s*(?:minutes?\s+|minuten\s+)?(?:to|before|vor)\s+(?P<hour>{_HOUR})(?:\s+uhr)?{_COUNTED}"
        ),
        _before,
    ),
    (_pattern(rf"(?:{_AT}\s+)?(?P<what>halb|dreiviertel)\s+(?P<hour>{_HOUR})"), _german_half),
    (_pattern(rf"(?:{_AT}\s+)?(?P<quantity>half)\s+(?P<hour>{_SMALL})"), _after),
    (
        _pattern(rf"(?P<hour>{_HOUR})\s+heures?\s+(?P<rest>(?:et\s+)?demie?|et\s+quart|moins\s+le\s+quart)"),
        _french,
    ),
    (_pattern(rf"(?P<hour>{_HOUR})\s+heures?\s+(?P<minute>{_MINUTE_WORD})"), _clock),
    (_pattern(rf"(?:{_AT}\s+)?(?P<hour>{_HOUR})\s*{_CLOCK}"), _clock),
    (_pattern(r"(?P<hour>2[0-4]|[01]?\d)\s?h"), _clock),
    (_pattern(r"noon|midday|mittags?|midi"), _fixed(12)),
    (_pattern(r"midnight|mitternacht|minuit"), _fixed(0)),
    (_pattern(rf"{_CLEAR_AT}\s+(?P<hour>{_HOUR})[\s-]+(?P<minute>{_MINUTE_WORD})"), _clock),
    (_pattern(rf"{_CLEAR_AT}\s+(?P<hour>{_HOUR})\b(?!\s*[/.:]\d){_COUNTED}"), _clock),
)
# What counts where a time was just asked for.
_BARE: Final[tuple[tuple[re.Pattern[str], Reading], ...]] = (
    (_pattern(r"(?P<hour>2[0-4]|[01]?\d)[.:h ](?P<minute>[0-5]\d)"), _clock),
    (_pattern(rf"(?P<hour>{_HOUR})[\s-]+(?P<minute>{_MINUTE_WORD})"), _clock),
    (_pattern(rf"(?P<hour>{_HOUR})(?!\s*[/.:]\d){_COUNTED}"), _clock),
)


def find_times(text: str, *, prefer: Prefer = "", bare: bool = False, taken: Sequence[Found] = ()) -> list[Found]:
    """Every time of day that a text names, in its order. Values are `HH:MM`.

    Args:
        prefer: what "eight" means where the text doesn't say.
        bare: a number alone is a time too.
        taken: what is known to mean something else.
    """
    small = lowered(text)
    part = next((part for pattern, part in _PARTS if pattern.search(small)), "")
    found: list[Found] = []
    for pattern, read in (*_READERS, *(_BARE if bare else ())):
        for match in pattern.finditer(small):
            place = Found(match.start(), match.end(), None, "no_such_time")
            if place.overlaps(found) or place.overlaps(taken):
                continue
            hour, minute, is_told = read(match)
            if not is_told and hour <= 12:
                hour = _hour(hour, part, prefer)
            if hour == 24:
                hour = 0
            if hour < 24 and minute < 60:
                place = Found(place.start, place.end, f"{hour:02d}:{minute:02d}")
            found.append(place)
    return sorted(found, key=lambda one: one.start)


def _hour(hour: int, part: str, prefer: Prefer) -> int:
    """An hour of twelve as one of twenty-four."""
    match part or prefer:
        case "morning":
            return 0 if hour == 12 and part else hour
        case "afternoon":
            return hour + 12 if hour < 11 else hour
        case "evening":
            return hour + 12 if hour < 12 else 0 if part else 12
        case "day":
            return hour + 12 if hour < 7 else hour
    return hour
