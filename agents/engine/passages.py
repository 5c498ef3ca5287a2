"""What a passage is made of: headings, sentences and rows of tables, found in text whose lines a PDF broke anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["sentence", "row", "header", "heading", "furniture"]

_LINE = re.compile(r"[^\n]*[^\s][^\n]*")
_BULLET = re.compile(r"\s*(?:[•‣▪*\u2013-]|\d{1,2}[.)]|#{1,6})\s+")
_FURNITURE = re.compile(r"\bpage \d+ of \d+\b", re.IGNORECASE)
_FINISHED = re.compile(r"[.!?:;][)”\"'*]*$")
# Between sentences; not after an initial or a common abbreviation, nor after a number that counts something ("No. 5").
_BETWEEN = re.compile(
    r"(?<=[.!?])(?<!\b[A-Za-z]\.)(?<!\b(?:No|St|Dr|Mr|vs)\.)(?<!\bMrs\.)[)”\"]?\s+(?=[\"“(]?[A-Z0-9£€$])"
)
_AMOUNT = re.compile(r"[£€$]\s?\d|\b\d{1,2}[:.]\d\d\b|\d\s?%|\s[\u2013-](?=\s|$)|\|")
_AMOUNT_LAST = re.compile(r"(?:[£€$][\d.,]+|\d[:.]\d\d|%|\s[\u2013-])$")
_NUMBER = re.compile(r"\d")
_SHORTEST_FULL_LINE = 60  # characters
_FULL = 0.8  # of the longest line: where a line this long ends, the page's margin ended it
_HEADING_WORDS = 10
_LONGEST_TITLE = 75  # characters


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a passage that can be quoted by itself: `passage[start:end]`.

    Args:
        paragraph: which paragraph, bullet or table it belongs to; counts from 0.
        heading: the place of the heading above it among the units, or None.
        header: for a row, the place of the header of its table, or None.
    """

    start: int
    end: int
    kind: Kind
    paragraph: int
    heading: int | None = None
    header: int | None = None


def units(passage: str) -> list[Unit]:
    """The parts of a passage, in order."""
    found: list[Unit] = []
    heading: int | None = None
    header: int | None = None
    lines = _paragraphs(passage)
    kinds = _kinds(passage, lines)
    for number, ((start, end), kind) in enumerate(zip(lines, kinds, strict=True)):
        if kind == "sentence":
            header = None
            found.extend(
                Unit(first, last, kind, number, heading=heading) for first, last in _sentences(passage, start, end)
            )
            continue
        found.append(Unit(start, end, kind, number, heading=heading, header=header if kind == "row" else None))
        if kind == "heading":
            heading, header = len(found) - 1, None
        elif kind == "header":
            header = len(found) - 1
    return found


def _paragraphs(passage: str) -> list[tuple[int, int]]:
    """Lines, those put together that one sentence runs through."""
    lines = [(match.start(), match.end()) for match in _LINE.finditer(passage)]
    full = max(_SHORTEST_FULL_LINE, _FULL * max((end - start for start, end in lines), default=0))
    joined: list[tuple[int, int]] = []
    last_line = ""
    for start, end in lines:
        line = passage[start:end].strip()
        if joined and _continues(last_line, line, passage[joined[-1][1] : start], full):
            joined[-1] = joined[-1][0], end
        else:
            bullet = _BULLET.match(passage, start, end)
            joined.append((bullet.end() if bullet else start, end))
        last_line = line
    return [(start, end) for start, end in (_trim(passage, *span) for span in joined) if start < end]


def _continues(line: str, following: str, between: str, full: float) -> bool:
    if between.count("\n") > 1 or _FURNITURE.search(line) or _FURNITURE.search(following):
        return False
    if following.startswith(("•", "#", "|", "- ", "* ")) or line.startswith("|"):
        return False
    if not following[0].islower() and (_AMOUNT_LAST.search(line) or (_FINISHED.search(line) and _is_title(following))):
        return False
    if _is_label(line) and not _NUMBER.search(line) and _is_row(following, _AMOUNT) and len(line) < full:
        return False
    return (
        following[0].islower() or len(line) >= full or (line.endswith((",", " and", " or", " to")) and len(line) > 30)
    )


def _kinds(passage: str, lines: list[tuple[int, int]]) -> list[Kind]:
    texts = [passage[start:end] for start, end in lines]
    # A table has at least two rows in a row that hold amounts, or else numbers, and finish no sentence.
    pattern = _AMOUNT if sum(_is_row(text, _AMOUNT) for text in texts) > 1 else _NUMBER
    rows = [_is_row(text, pattern) for text in texts]
    kinds: list[Kind] = []
    for index, text in enumerate(texts):
        if _FURNITURE.search(text):
            kinds.append("furniture")
        elif rows[index] and (
            any(rows[max(index - 1, 0) : index]) or any(rows[index + 1 : index + 2]) or _headed(texts, index)
        ):
            kinds.append("row")
        elif _is_label(text) and index + 1 < len(texts):
            before_row = rows[index + 1] and len(text.split()) > 1 and not _FURNITURE.search(texts[index + 1])
            kinds.append("header" if before_row else "heading")
        elif _is_title(text) and index + 1 < len(texts):
            kinds.append("heading")
        else:
            kinds.append("sentence")
    return kinds


def _is_row(text: str, pattern: re.Pattern[str]) -> bool:
    return len(text.split()) > 1 and bool(pattern.search(text)) and not _FINISHED.search(text) and len(text) < 160


def _headed(texts: list[str], index: int) -> bool:
    """Whether a lonely row stands under what looks like the names of its columns."""
    return index > 0 and _is_label(texts[index - 1]) and len(texts[index - 1].split()) > 2


def _is_label(text: str) -> bool:
    return (
        not _FINISHED.search(text)
        and len(text.split()) <= _HEADING_WORDS
        and not _AMOUNT.search(text)
        and text[0].isalnum()
    )


def _is_title(text: str) -> bool:
    """Whether a line that holds an amount is a title all the same: "Flat 12, The Maltings £1,150 a month"."""
    return not _FINISHED.search(text) and "\n" not in text and len(text) <= _LONGEST_TITLE and text[0].isupper()


def _sentences(passage: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _BETWEEN.finditer(passage, start, end):
        yield _trim(passage, start, match.end())
        start = match.end()
    if start < end:
        yield _trim(passage, start, end)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return start, end
