"""Links and images in answers, made plain text where they lead to strangers.

After a model has read text from outside it may have been told to send what it knows to somebody: as an image whose
address holds the conversation, fetched by the browser without a click, or as a link to be clicked. Markdown's links,
images and definitions, HTML tags and bare addresses lose what makes them links; what is left is the host's name.
"""

from __future__ import annotations

import re
from typing import Final

from agents.engine.guardrails.hosts import LONGEST_LINK, LinkPolicy, shown_host

_LETTER: Final = r"0-9A-Za-z\u00c0-\u052f\uff10-\uff5a"
_LONGEST_RUN: Final = 256
_DEEPEST: Final = 50
# Where something may begin that has to be looked at.
_MARK: Final = re.compile(rf"[\[\]<]|[{_LETTER}][{_LETTER}.+-]{{0,{_LONGEST_RUN - 1}}}")
_BARE: Final = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]{{0,30}}:[\\/]+|(?:https?|ftp|javascript|vbscript|data|blob|file|intent):(?=\S)|www\."
    rf"|(?:[{_LETTER}-]+[.\uff0e])+[A-Za-z\u00c0-\u052f]{{2,}}(?::[0-9]+)?[/?#\\]",
    re.IGNORECASE,
)
_INNER: Final = re.compile(r"(?:https?|ftp):[\\/]|www\.", re.IGNORECASE)  # some renderers find these within a word
_BARE_REST: Final = re.compile(rf"[^\s<>\"'`\[\]]{{1,{LONGEST_LINK}}}")
_AFTER_BARE: Final = ".,;:!?*_~"
# HTML that changes how an answer looks and nothing else.
_PLAIN_TAG: Final = re.compile(
    r"</?(?:b|i|u|s|em|strong|p|br|hr|ul|ol|li|code|pre|sub|sup|small|table|thead|tbody|tr|td|th|blockquote|h[1-6])"
    r" {0,2}/?>",
    re.IGNORECASE,
)
_LONGEST_TAG: Final = 16
_SPACES: Final = re.compile(r"[ \t\r\n]*")
_MOST_SPACES: Final = 64


class LinkDefuser:
    """Reads an answer in pieces and gives back what may be shown: the same, however it was cut."""

    def __init__(self, policy: LinkPolicy) -> None:
        self._policy = policy
        self._text = ""
        self._previous = ""  # the last character before `_text`
        self._open: list[bool] = []  # the brackets that are open: whether each begins an image
        self.hosts: set[str] = set()
        """Where the links led that were taken out."""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        self._text += piece
        return self._read(is_end=False)

    def finish(self) -> str:
        """What was held back, at the end of the answer."""
        return self._read(is_end=True)

    def _read(self, *, is_end: bool) -> str:
        shown: list[str] = []
        text, place = self._text, 0
        while match := _MARK.search(text, place):
            start = match.start()
            shown.append(text[place:start])
            place = start
            read = self._mark(match, is_end=is_end)
            if read is None:  # more must come before this can be told
                break
            shown_now, place = read
            shown.append(shown_now)
        else:
            shown.append(text[place:])
            place = len(text)
        if place:
            self._previous = text[place - 1]
        self._text = text[place:]
        return "".join(shown)

    def _mark(self, match: re.Match[str], *, is_end: bool) -> tuple[str, int] | None:
        """What is shown for what begins here, and where reading goes on."""
        text, start = self._text, match.start()
        match match[0]:
            case "[":
                before = text[start - 1] if start else self._previous
                if len(self._open) < _DEEPEST:
                    self._open.append(before == "!")
                return "[", start + 1
            case "]":
                return self._bracket(start, is_end=is_end)
            case "<":
                return self._tag(start, is_end=is_end)
            case _:
                return self._run(start, match.end(), is_end=is_end)

    def _bracket(self, start: int, *, is_end: bool) -> tuple[str, int] | None:
        text = self._text
        if start + 1 == len(text) and not is_end:
            return None
        after = text[start + 1 : start + 2]
        if after not in ("(", ":"):
            self._close()
            return "]", start + 1
        begin = _SPACES.match(text, start + 2)
        assert begin is not None
        first = begin.end()
        if first - start > _MOST_SPACES:
            self._close()
            return f"] {after}", start + 2
        if first == len(text) and not is_end:
            return None
        end = _destination_end(text, first, within_brackets=after == "(", is_end=is_end)
        if end is None:
            return None
        # A definition may be used by an image.
        is_image = self._close() or after == ":"
        link = text[first:end]
        if self._policy.allows(link.strip("<>"), is_image=is_image):
            return text[start:end], end
        return f"] {after}{self._taken_out(link.strip('<>'))}", end

    def _close(self) -> bool:
        return self._open.pop() if self._open else False

    def _tag(self, start: int, *, is_end: bool) -> tuple[str, int] | None:
        text = self._text
        if start + 1 == len(text):
            return ("<", start + 1) if is_end else None
        follows = text[start + 1]
        if not (follows.isalpha() or follows in "/!?"):
            return "<", start + 1
        if plain := _PLAIN_TAG.match(text, start):
            return plain[0], plain.end()
        is_short = len(text) - start < _LONGEST_TAG and ">" not in text[start:] and "<" not in text[start + 1 :]
        if is_short and not is_end:
            return None
        return "\u2039", start + 1

    def _run(self, start: int, end: int, *, is_end: bool) -> tuple[str, int] | None:
        text = self._text
        follows = text[end : end + 1]
        rest = _BARE_REST.match(text, start)
        assert rest is not None
        is_open = rest.end() == len(text) and len(rest[0]) < LONGEST_LINK and not is_end
        if is_open and (follows in (":", "/", "?", "#", "\\") or (not follows and end - start < _LONGEST_RUN)):
            return None
        if (inner := _INNER.search(text, start + 1, end + 2)) and inner.start() < end:
            return text[start : inner.start()], inner.start()
        if not _BARE.match(text, start):
            return text[start:end], end
        if is_open:
            return None
        link = _before_closing(rest[0]).rstrip(_AFTER_BARE) or rest[0]
        stop = start + len(link)
        has_scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9])|www\.", link, re.IGNORECASE)
        if self._policy.allows(link if has_scheme else f"//{link}"):
            return link, stop
        return self._taken_out(link), stop

    def _taken_out(self, link: str) -> str:
        host = shown_host(link)
        self.hosts.add(host)
        return host


def _destination_end(text: str, first: int, *, within_brackets: bool, is_end: bool) -> int | None:
    """Where a link's address ends; None where that can't be told yet."""
    limit = min(len(text), first + LONGEST_LINK)
    if text[first : first + 1] == "<":
        for place in range(first + 1, limit):
            if text[place] == ">":
                return place + 1
            if text[place] == "\n":
                return place
    else:
        depth = 0
        place = first
        while place < limit:
            character = text[place]
            if character.isspace():
                return place
            if character == "\\":
                place += 1
            elif character == "(":
                depth += 1
            elif character == ")" and within_brackets:
                depth -= 1
                if depth < 0:
                    return place
            place += 1
    return limit if is_end or limit == first + LONGEST_LINK else None


def _before_closing(link: str) -> str:
    """An address without a bracket that closes one before it, and what follows."""
    depth = 0
    for place, character in enumerate(link):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return link[:place]
    return link


def defuse(text: str, policy: LinkPolicy) -> str:
    """A whole answer with its links to strangers made plain text."""
    defuser = LinkDefuser(policy)
    return defuser.feed(text) + defuser.finish()
