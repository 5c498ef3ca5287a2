"""Who somebody is and how they are reached, and how many they are, as a message tells it."""

from __future__ import annotations

import re
from typing import Final

from agents.engine.slots.found import Found, lowered
from agents.engine.slots.words import MONTHS, NUMBER, NUMBERS, WEEKDAYS, listed, number_of, one_of

_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+(?<![.-])")
# As it is said: "anna dot miller at example dot com".
_SPOKEN_EMAIL: Final = re.compile(
    r"(?<!\w)(?P<user>[\w.+-]+(?:\s+(?:dot|punkt|point)\s+[\w+-]+)*)\s+(?:at|ät|arobase)\s+"
    r"(?P<host>[\w-]+(?:(?:\s+(?:dot|punkt|point)\s+|\.)[\w-]+)+)",
    re.IGNORECASE,
)
_SPOKEN_DOT: Final = re.compile(r"\s+(?:dot|punkt|point)\s+", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?<![\w\x00.:])(?:\+|00|\()?\d(?:[\s()./-]{0,2}\d){5,16}(?![\w\x00]|[.:]\d)")
_FEWEST_DIGITS: Final = 6

_LETTER: Final = r"[^\W\d_]"
_NAME_WORD: Final = rf"(?:{_LETTER}(?:{_LETTER}|['.-])*)"
# Only these make what follows a name however it is written.
_STRONG: Final = (
    r"my name(?:'s| is|:)|the name(?:'s| is)|name's|(?:under|in|on) the name(?: of)?|call me|"
    r"mein name ist|mein name:|ich hei(?:ß|ss)e|auf (?:den )?namen?|unter dem namen|"
    r"je m'appelle|mon nom est|au nom de|c'est au nom de|(?:^|[,;.]\s*)name:"
)
_WEAK: Final = r"i'm|i am|this is|it's|under|ich bin|hier ist|hier spricht|je suis|c'est"
_NAMED: Final = re.compile(rf"(?<!\w)(?:{_STRONG})\s+(?P<name>{_NAME_WORD}(?:\s+{_NAME_WORD}){{0,3}})", re.IGNORECASE)
_CAPITAL: Final = rf"(?=[^\W\d_])(?!{_LETTER}*'(?:s|m|ll|d|ve)\b){_NAME_WORD}"
_CALLED: Final = re.compile(
    rf"(?<!\w)(?i:{_WEAK})\s+(?P<name>{_CAPITAL}(?:\s+(?:(?:van|von|de|der|da|di|la|le)\s+)*{_CAPITAL}){{0,3}})"
)
_PARTICLES: Final = frozenset(listed("van von de der den da di la le zu del du"))
# A name ends before one of these, and none of them is one.
_NO_NAMES: Final = frozenset(
    listed(
"""
    and or for at on in from to with please thanks thank you we i my the a an is are was by phone email mail number
    here there not just only so very fine good great okay ok yes no yeah sure sorry hello hi calling speaking looking
    interested coming going happy afraid also but it it's that this tomorrow today tonight next around about free
    und oder für um am im von mit bitte danke wir ich mein die der das ist ja nein hier nicht auch aber heute morgen
    et ou pour à au le la avec merci nous je mon ma est oui non pas ici aussi mais demain
    """)
) | frozenset(MONTHS) | frozenset(WEEKDAYS)  # fmt: skip
_LONGEST_NAME: Final = 80
_BEFORE_A_NAME: Final = re.compile(
    rf"^(?:(?:yes|sure|ok|okay|ja|oui|hi|hello|please|well)[,.!]?\s+)*(?:(?:{_STRONG}|{_WEAK}|just|for|of)\s+)?",
    re.IGNORECASE,
)

_PEOPLE: Final = (
    r"(?:people|persons?|pax|guests?|diners|adults|of\s+us|seats|places|"
    r"personen|person|leute|gäste|erwachsene|personnes?|couverts|adultes|invités)"
)
_COUNT: Final = rf"(?P<count>{NUMBER})"
_OF_TIME: Final = (
    r"(?!\s*(?:[:.]\d|st\b|nd\b|rd\b|th\b|a\.?m\b|p\.?m\b|o'?clock|uhr|h\b|heures?|nights?|days?|weeks?|hours?|minutes?|"
    rf"months?|nächte|tage|wochen|stunden|nuits?|jours?|semaines?|{one_of(MONTHS)}\b|rooms?|zimmer|chambres?|€|euros?|%))"
)
_TO: Final = "zu (?:zweit|dritt|viert|fünft|sechst|siebt|acht|neunt|zehnt)"
_TOGETHER: Final = {
    "zweit": 2,
    "dritt": 3,
    "viert": 4,
    "fünft": 5,
    "sechst": 6,
    "siebt": 7,
    "acht": 8,
    "neunt": 9,
    "zehnt": 10,
}
_PARTY: Final[tuple[re.Pattern[str], ...]] = tuple(
    re.compile(rf"(?<![\w\x00])(?:{words})(?![\w\x00])")
    for words in (
        rf"(?:table|party|group|tisch|gruppe|groupe)\s+(?:for|of|für|fuer|von|de|pour)\s+(?:the\s+)?{_COUNT}\b{_OF_TIME}",
        rf"{_COUNT}\s+{_PEOPLE}",
        rf"(?:we\s+are|we're|we\s+will\s+be|we'll\s+be|there\s+(?:are|will\s+be)|make\s+it|wir\s+sind|nous\s+sommes|"
        rf"nous\s+serons|on\s+sera)\s+(?:a\s+party\s+of\s+|now\s+|only\s+|just\s+|jetzt\s+)?{_COUNT}\b{_OF_TIME}",
        rf"(?P<together>{_TO})",
        rf"(?:for|für|fuer|pour)\s+(?:the\s+|uns\s+|nous\s+)?{_COUNT}\b{_OF_TIME}",
        rf"à\s+{_COUNT}\b(?!\s*(?:h\b|heures?|\d)){_OF_TIME}",
        r"(?P<two>my\s+(?:wife|husband|partner|girlfriend|boyfriend|mother|father|friend)\s+and\s+(?:i|me)|"
        r"(?:me|myself)\s+and\s+my\s+(?:wife|husband|partner|girlfriend|boyfriend|mother|father|friend)|"
        r"(?:the\s+)?(?:two|both)\s+of\s+us|meine\s+frau\s+und\s+ich|mein\s+mann\s+und\s+ich)",
        r"(?P<one>just\s+me|only\s+me|by\s+myself|on\s+my\s+own|nur\s+ich|allein|seulement\s+moi|juste\s+moi|toute?\s+seule?)",
    )
)


def find_emails(text: str, *, spoken: bool = False) -> list[Found]:
    """Every e-mail address; spelt out in words too where one was asked for."""
    found = [Found(match.start(), match.end(), match[0]) for match in _EMAIL.finditer(text)]
    if found or not spoken:
        return found
    return [
        Found(
            match.start(),
            match.end(),
            f"{_SPOKEN_DOT.sub('.', match['user'])}@{_SPOKEN_DOT.sub('.', match['host'])}".lower(),
        )
        for match in _SPOKEN_EMAIL.finditer(text)
    ]


def find_phones(text: str) -> list[Found]:
    """Every phone number, as digits after a + where there is one."""
    found = []
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if len(digits) >= _FEWEST_DIGITS:
            found.append(Found(match.start(), match.end(), ("+" if match[0].startswith("+") else "") + digits))
    return found


def find_names(text: str) -> list[Found]:
    """Whom somebody says they are: anything after "my name is", capitalised words after "I'm"."""
    found = []
    for pattern, any_case in ((_NAMED, True), (_CALLED, False)):
        for match in pattern.finditer(text):
            name = _name(match["name"], any_case=any_case)
            if name:
                start = match.start("name")
                found.append(Found(start, start + len(name), _capitalised(name)))
    return found[:1]


def bare_name(text: str) -> str | None:
    """The name in an answer to "What is your name?"; None where it is hardly one."""
    rest = _BEFORE_A_NAME.sub("", text.strip()).strip(" .,!")
    words = re.findall(_NAME_WORD, rest)
    if not words or re.search(r"[\d@?]", rest) or len(rest) > _LONGEST_NAME:
        return None
    name = _name(rest, any_case=True)
    # A sentence is no name.
    return _capitalised(name) if name and len(words) <= len(name.split()) + 1 and len(words) <= 5 else None


def find_parties(text: str) -> list[Found]:
    """How many people are meant, in every way a text says so."""
    small = lowered(text)
    found: list[Found] = []
    for pattern in _PARTY:
        for match in pattern.finditer(small):
            groups = match.groupdict()
            if groups.get("together"):
                count = _TOGETHER[groups["together"].split()[-1]]
            elif "two" in groups:
                count = 2
            elif "one" in groups:
                count = 1
            else:
                count = number_of(groups["count"])
            place = Found(match.start(), match.end(), count)
            if not place.overlaps(found):
                found.append(place)
    return sorted(found, key=lambda one: one.start)


def _name(text: str, *, any_case: bool) -> str:
    words: list[str] = []
    for word in text.split():
        bare = word.strip(",;!?")
        lower = bare.lower()
        if lower in _NO_NAMES and not (words and lower in _PARTICLES):
            break
        if lower in NUMBERS and lower != "elf":
            break
        if not any_case and not bare[:1].isupper() and lower not in _PARTICLES:
            break
        words.append(bare)
        if bare != word or (word.endswith(".") and len(word) > 3):
            break
    while words and words[-1].lower() in _PARTICLES:
        words.pop()
    return " ".join(words).rstrip(".'-")


def _capitalised(name: str) -> str:
    if name != name.lower():
        return name
    return " ".join(word if word in _PARTICLES else word[:1].upper() + word[1:] for word in name.split())
