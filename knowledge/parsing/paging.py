"""Pages for texts that have none."""

import re

PAGE_CHARACTERS = 3_000
_PARAGRAPH_END = re.compile(r"\n\n+")
_HEADING = re.compile(r"#{1,6} ")
_BREAKS = ("\n", ". ", "? ", "! ", "; ", ", ", " ")


def paginate(text: str, *, markdown: bool, size: int = PAGE_CHARACTERS) -> list[str]:
    """Cut text into pages of about ``size`` characters, at the ends of paragraphs.

    A Markdown heading begins a new page rather than ending one. A paragraph longer than a page is cut at a line's end,
    a sentence's end or a blank, whichever comes first in that order.
    """
    pages: list[str] = []
    current: list[str] = []
    length = 0
    for paragraph in _PARAGRAPH_END.split(text):
        for piece in _pieces(paragraph, size):
            opens = markdown and length > size // 2 and _HEADING.match(piece) is not None
            if current and (length + len(piece) > size or opens):
                carried = [current.pop()] if markdown and len(current) > 1 and _HEADING.match(current[-1]) else []
                pages.append("\n\n".join(current))
                current = carried
                length = sum(map(len, carried))
            current.append(piece)
            length += len(piece) + 2
    if current:
        pages.append("\n\n".join(current))
    return [page for page in pages if page.strip()]


def _pieces(paragraph: str, size: int) -> list[str]:
    pieces = []
    start = 0
    while len(paragraph) - start > size:
        end = start + size
        for mark in _BREAKS:
            found = paragraph.rfind(mark, start + size // 2, end)
            if found > 0:
                end = found + len(mark)
                break
        pieces.append(paragraph[start:end].strip("\n"))
        start = end
    pieces.append(paragraph[start:].strip("\n"))
    return [piece for piece in pieces if piece.strip()]
