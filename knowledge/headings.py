"""Finding the headings of a text, and which of them stand above a place in it."""

import re
from dataclasses import dataclass

_MARKDOWN_LINE = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t#]*$|^(```|~~~)", re.MULTILINE)
_LINE = re.compile(r"[^\n]+")
_LONGEST = 80
_WORDS = 10
_SENTENCE_END = (".", ":", "!", "?")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading's line: offsets within the page, level (1 is highest) and words."""

    start: int
    end: int
    level: int
    title: str


def find_headings(text: str, *, markdown: bool) -> list[Heading]:
    """The headings of a page in order.

    Markdown marks its own. In other text a line counts as one when it looks like one: short, beginning with a capital
    or a number, ending in a letter or a closing bracket, at the page's start or after a blank line or a finished
    sentence, and followed by text.
    """
    return _marked(text) if markdown else _likely(text)


def _marked(text: str) -> list[Heading]:
    headings = []
    fence = ""
    for match in _MARKDOWN_LINE.finditer(text):
        if match[3]:
            fence = "" if match[3] == fence else fence or match[3]
        elif not fence and match[2]:
            headings.append(Heading(match.start(), match.end(), len(match[1]), match[2]))
    return headings


def _likely(text: str) -> list[Heading]:
    headings = []
    lines = list(_LINE.finditer(text))
    for index, match in enumerate(lines[:-1]):
        line = match[0].strip()
        opens = index == 0 or text[lines[index - 1].end() : match.start()].count("\n") > 1
        if (opens or lines[index - 1][0].rstrip().endswith(_SENTENCE_END)) and _looks_like_heading(line):
            headings.append(Heading(match.start(), match.end(), 1, line))
    return headings


def _looks_like_heading(line: str) -> bool:
    return (
        0 < len(line) <= _LONGEST
        and (line[0].isupper() or line[0].isdigit())
        and (line[-1].isalpha() or line[-1] in ")]\u201d")
        and len(line.split()) <= _WORDS
    )


class HeadingTrail:
    """The headings above the current place, kept from page to page."""

    def __init__(self, *, markdown: bool) -> None:
        self._markdown = markdown
        self._open: list[Heading] = []
        self._ahead: list[Heading] = []

    def begin_page(self, headings: list[Heading]) -> None:
        self._ahead = list(headings)

    def above(self, start: int) -> str:
        """The headings above offset ``start`` of the page, which must not decrease from call to call."""
        while self._ahead and self._ahead[0].start < start:
            self._enter(self._ahead.pop(0))
        above = self._open
        if self._ahead and self._ahead[0].start == start:
            # The passage begins with its own heading: only those of a higher level stand above it.
            above = [heading for heading in above if heading.level < self._ahead[0].level]
        return " > ".join(heading.title for heading in above)

    def end_page(self) -> None:
        for heading in self._ahead:
            self._enter(heading)

    def _enter(self, heading: Heading) -> None:
        self._open = [above for above in self._open if above.level < heading.level] if self._markdown else []
        self._open.append(heading)
