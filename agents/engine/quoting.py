"""Choosing the words of a passage that answer a question.

A quote is a stretch of sentences or of a table's rows. Stretches are weighed by the telling words they share with the
question, by the headings above them, and by whether they hold what is asked for: a time, a duration, an amount, a
number. The weights are such that `bench/retrieval` finds the expected words in the quote of a right passage most
often: in 88 % and 85 % of the questions' two halves, with little difference for other weights nearby.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agents.engine.passages import Unit, units

LONGEST_QUOTE: Final = 320  # characters
_WORD = re.compile(r"[^\W_]+")
# Words that say nothing about the subject.
_EMPTY_WORDS = """
a about all also am an and any anyone anything are as at be been being but by can could d did do does doing dont
for from get give go got had has have having hello hi how i if im in into is it its just know ll m many may me
might mine more much must my need no of off ok okay on one or our out please re really s shall should so some t
tell than thanks that the their them then there these they thing this to too up us ve very want was we well were
what whats when where whether which while who whose why will wish with would you your yours
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "est", "ed", "es", "s", "y", "e")
_SAME_BEGINNING = 4  # letters that two words of one family share at least: swimsuit, swimwear

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_COUNTS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_TIME = re.compile(
    r"\b\d{1,2}[:.]\d\d\b|\b\d{1,2} ?[ap]m\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"
    rf"|\bnoon\b|\bmidnight\b|\bdaily\b|\b\d{{1,2}} (?:{_MONTHS})\b|\b20\d\d\b",
    re.IGNORECASE,
)
_SPAN = re.compile(
    rf"\b(?:\d+|one|{_COUNTS})[ -](?:working )?(?:minute|hour|day|night|week|month|year)s?\b|\b\d{{1,2}}:\d\d\b",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[£€$]\s?\d|\b(?:GBP|EUR|USD) ?\d|\d\s?%|\d\s?p\b|\bfree\b", re.IGNORECASE)
_NUMBER = re.compile(rf"\d|\b(?:{_COUNTS})\b", re.IGNORECASE)
_ASKS_SPAN = r"\bhow (?:long|soon|fast|often)\b|\bnotice\b|\bwaiting time\b|\bwie lange\b|\bcombien de temps\b"
_ASKS_MONEY = (
    r"\bhow (?:much|expensive|cheap)\b|%|\bwas kostet\b|\bprix\b|\bkaution\b"
    r"|\b(?:price|cost|fee|charge|deposit|rent|rate|supplement|commission|pay|cheap|dear)\w*"
)
_ASKS_TIME = (
    r"\bwhen\b|\bwhat times?\b|\bhow (?:late|early)\b|\bwann\b|\bheure\b"
    r"|\b(?:until|till|deadline|earliest|latest|last|first|open|clos|check.?out)\w*"
)
_ASKS_NUMBER = r"\bhow (?:many|big|far|close|high|large|old|tall|loud|near)\b|\bm(?:in|ax)imum\b"
# What a question asks for, by how it asks; the first that fits.
_ASKED_FOR = (
    (re.compile(_ASKS_SPAN, re.IGNORECASE), _SPAN),
    (re.compile(_ASKS_MONEY, re.IGNORECASE), _MONEY),
    (re.compile(_ASKS_TIME, re.IGNORECASE), _TIME),
    (re.compile(_ASKS_NUMBER, re.IGNORECASE), _NUMBER),
)
_ASKED_FOR_SHARE = 0.4  # of the question's weight
_MOST_WORDS = 80  # of a question
_HEADING_SHARE = 0.6  # of a word that only the heading or the column names above hold
_LENGTH_COST = 0.1  # of a quote as long as may be
_HEADING_COST = 0.2  # of running over into another section
_LEANING_COST = 0.1  # of beginning with a sentence that leans on the one before
_TORN_COST = 0.2  # of beginning in the middle of a sentence, where the passage does
_HEADING_ONLY_COST = 0.5
# What leans on the sentence before it.
_LEANS = re.compile(
    r"(?:it|its|they|them|this|that|these|those|then|after that|before that|but|otherwise|if not|less|also|not|and)\b",
    re.IGNORECASE,
)
_ROWS_BETWEEN = 1  # between column names and a row, for both to be one quote


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a passage.

    Args:
        text: a verbatim stretch up to white space, at most `LONGEST_QUOTE` characters.
        columns: for a row of a table, the names of its columns where they don't stand in `text`; else "".
        strength: how well it answers, from 0; comparable for one question.
    """

    text: str
    columns: str
    strength: float


def content_words(text: str) -> list[str]:
    """The words of a text that tell what it is about, cut to their stems."""
    return [
        stem(word)
        for word in _WORD.findall(text.lower().replace("\u2019", "'").replace("'s", " "))
        if word not in _EMPTY
    ]


def stem(word: str) -> str:
    """A word without its commonest English endings; enough to let "dogs" meet "dog" and "parking" meet "park"."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def best_quote(question: str, passage: str, *, rarity: Mapping[str, float] | None = None) -> str:
    """The stretch of a passage, at most `LONGEST_QUOTE` characters, that answers a question best.

    Args:
        rarity: weight of each content word, as `rarity_of` gives it; without it, rare is what is rare in the passage.
    """
    return choose_quote(question, passage, rarity=rarity).text


def choose_quote(question: str, passage: str, *, rarity: Mapping[str, float] | None = None, heading: str = "") -> Quote:
    """The same with the names of a table's columns and how strong the quote is.

    Args:
        heading: what stands above the passage in its document.
    """
    parts = units(passage)
    if all(part.kind == "furniture" for part in parts):
        return Quote(_cut(" ".join(passage.split())), "", 0.0)
    texts = [passage[part.start : part.end] for part in parts]
    scoring = _Scoring(question, parts, texts, rarity if rarity is not None else rarity_of(texts), heading)
    strength, first, last = max(
        ((scoring.of(first, last), first, last) for first, last in _windows(parts)),
        key=lambda window: (window[0], -window[1]),
    )
    while first < last and parts[first].kind == "heading":
        first += 1  # it has helped to find the words below it, and is no part of them
    columns = ""
    row = next((part for part in parts[first : last + 1] if part.kind == "row"), None)
    if row is not None and row.header is None:
        columns = heading.rsplit(" > ", 1)[-1] if parts[0].kind == "row" and row.paragraph == 0 else ""
    elif row is not None and row.header is not None and row.header < first:
        if first - row.header <= 1 + _ROWS_BETWEEN and parts[last].end - parts[row.header].start <= LONGEST_QUOTE:
            first = row.header
        else:
            columns = " ".join(texts[row.header].split())
    return Quote(_cut(" ".join(passage[parts[first].start : parts[last].end].split())), columns, strength)


def quoted_in(answer: str, passage: str) -> str | None:
    """What an answer quotes last, between “ and ”, if it is a stretch of the passage up to white space.

    What the answer puts before " … " within the quotation marks, such as the names of columns, is left out.
    """
    opening, closing = answer.rfind("\u201c"), answer.rfind("\u201d")
    if not 0 <= opening < closing:
        return None
    quote = " ".join(answer[opening + 1 : closing].rsplit(" \u2026 ", 1)[-1].split())
    return quote if quote and quote in " ".join(passage.split()) else None


def rarity_of(texts: Iterable[str]) -> dict[str, float]:
    """How telling each word is among some texts: inverse document frequency (Robertson and Spärck Jones, 1976)."""
    bags: Sequence[set[str]] = [set(content_words(text)) for text in texts]
    seen: dict[str, int] = {}
    for bag in bags:
        for word in bag:
            seen[word] = seen.get(word, 0) + 1
    return {word: math.log(1 + (len(bags) - count + 0.5) / (count + 0.5)) for word, count in seen.items()}


def _windows(parts: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """All stretches of parts that fit into a quote, from first to last; single parts whatever their length."""
    for first, part in enumerate(parts):
        for last in range(first, len(parts)):
            if parts[last].kind == "furniture" or (last > first and parts[last].end - part.start > LONGEST_QUOTE):
                break
            yield first, last


class _Scoring:
    """How well stretches of one passage answer one question."""

    def __init__(
        self, question: str, parts: Sequence[Unit], texts: Sequence[str], rarity: Mapping[str, float], heading: str
    ) -> None:
        # The last ones: what is asked stands at a long message's end. Each is compared with each of the passage's, on
        # the event loop: without a bound, a message of 32 KB would hold up everybody for seconds.
        wanted = dict.fromkeys(content_words(question)[-_MOST_WORDS:]) or {"": None}
        self._parts = parts
        self._weights = [rarity.get(word, 1.0) for word in wanted]
        self._total = sum(self._weights) or 1.0
        asked_for = next((holds for asks, holds in _ASKED_FOR if asks.search(question)), None)
        self._holds = [
            asked_for is not None and part.kind in ("sentence", "row") and bool(asked_for.search(text))
            for part, text in zip(parts, texts, strict=True)
        ]
        bags = [set(content_words(text)) for text in texts]
        self._said = [[_likeness(word, bag) for word in wanted] for bag in bags]
        self._leaning = [
            part.kind == "sentence"
            and number > 0
            and parts[number - 1].paragraph == part.paragraph
            and bool(_LEANS.match(text))
            for number, (part, text) in enumerate(zip(parts, texts, strict=True))
        ]
        self._is_torn = texts[0][0].islower()
        above = [_likeness(word, set(content_words(heading))) for word in wanted]
        self._over = [
            [
                max(by_heading, by_header)
                for by_heading, by_header in zip(
                    above if part.heading is None else self._said[part.heading],
                    self._said[part.header] if part.header is not None else [0.0] * len(wanted),
                    strict=True,
                )
            ]
            for part in parts
        ]

    def of(self, first: int, last: int) -> float:
        """The score of a stretch, about 0 to 1.5."""
        stretch = range(first, last + 1)
        score = 0.0
        for word, weight in enumerate(self._weights):
            said = max(self._said[part][word] for part in stretch)
            over = max(self._over[part][word] for part in stretch)
            score += weight * max(said, _HEADING_SHARE * over)
        score /= self._total
        if score and any(self._holds[part] for part in stretch):
            score += _ASKED_FOR_SHARE
        if all(self._parts[part].kind in ("heading", "header") for part in stretch):
            score -= _HEADING_ONLY_COST
        inner = sum(self._parts[part].kind == "heading" for part in range(first + 1, last + 1))
        length = self._parts[last].end - self._parts[first].start
        score -= _LEANING_COST * self._leaning[first] + _TORN_COST * (first == 0 and self._is_torn)
        return score - _LENGTH_COST * length / LONGEST_QUOTE - _HEADING_COST * inner


def _likeness(word: str, bag: set[str]) -> float:
    if word in bag:
        return 1.0
    if len(word) < _SAME_BEGINNING or word.isdigit():
        return 0.0
    return 0.6 if any(_akin(word, other) for other in bag) else 0.0


def _akin(word: str, other: str) -> bool:
    common = 0
    for mine, theirs in zip(word, other, strict=False):
        if mine != theirs:
            break
        common += 1
    return common >= _SAME_BEGINNING and common >= 0.6 * max(len(word), len(other))


def _cut(text: str) -> str:
    """At most `LONGEST_QUOTE` characters, ending at a sentence if that leaves half of them, else at a word."""
    if len(text) <= LONGEST_QUOTE:
        return text
    cut = text[:LONGEST_QUOTE]
    ends = [match.end() for match in re.finditer(r"[.!?](?=\s)", cut)]
    if ends and ends[-1] >= LONGEST_QUOTE // 2:
        return cut[: ends[-1]]
    return cut.rsplit(" ", 1)[0] if " " in cut else cut
