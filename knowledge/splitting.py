"""Cutting pages into passages that fit the embedding model and can be cited by page and offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from semantic_text_splitter import MarkdownSplitter, TextSplitter
from tokenizers import Tokenizer

from knowledge.embedder.weights import MAX_TOKENS, tokenizer_file
from knowledge.headings import Heading, HeadingTrail, find_headings
from knowledge.parsing.document import MARKDOWN, TEXT, ParsedPage

CAPACITY_TOKENS = 200
OVERLAP_TOKENS = 30
# A "word" of more than 100 letters is a single unknown token, so tokens alone would let a passage grow without end.
CAPACITY_CHARACTERS = 1_600


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable part of a page.

    Attributes:
        ordinal: place within the document, from 0.
        page: number of the page, from 1. A passage never spans pages.
        start: offset of its first character within the page's text.
        end: offset after its last character: ``page.text[start:end] == text``.
        text: what is quoted.
        heading: the nearest heading above it (in Markdown the way there, "Rooms > Sea view"), or "".
    """

    ordinal: int
    page: int
    start: int
    end: int
    text: str
    heading: str

    @property
    def embedded_text(self) -> str:
        """What is embedded: the heading, then the text. Never more than 256 tokens."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text


def split_pages(pages: Sequence[ParsedPage], *, media_type: str = TEXT) -> list[Passage]:
    """Passages of about 200 tokens, at the ends of sections, paragraphs and sentences, overlapping by about 30.

    A heading never stands alone or last: it begins the passage it announces and is carried by those that follow.
    Passages without a letter or digit are left out.

    Args:
        pages: a document's pages in order.
        media_type: ``text/markdown`` is split along its structure; anything else as plain text.
    """
    markdown = media_type == MARKDOWN
    splitter = _markdown_splitter() if markdown else _text_splitter()
    trail = HeadingTrail(markdown=markdown)
    found: list[tuple[ParsedPage, int, int, str]] = []
    for page, chunks in zip(pages, splitter.chunk_all_indices([page.text for page in pages]), strict=True):
        headings = find_headings(page.text, markdown=markdown)
        trail.begin_page(headings)
        for start, end in _spans(page.text, chunks, headings):
            found.append((page, start, end, trail.above(start)))
        trail.end_page()
    return _fitted(found)


def _spans(text: str, chunks: list[tuple[int, str]], headings: list[Heading]) -> list[tuple[int, int]]:
    """Where the passages begin and end: the splitter's chunks, except that closing headings move on to the next one."""
    spans = [piece for start, chunk in chunks for piece in _short_enough(text, start, start + len(chunk))]
    moved: list[tuple[int, int]] = []
    carried: int | None = None
    for index, (first, last) in enumerate(spans):
        start, end = first if carried is None else min(carried, first), last
        carried = None
        if index + 1 < len(spans):
            closing = _closing_headings(text, start, end, headings)
            if closing is not None and spans[index + 1][1] > end:
                carried, end = closing, closing
        if carried is not None and _tokens(text[carried : spans[index + 1][1]]) > MAX_TOKENS - 2:
            # Too long to be moved: the next passage carries the heading in its own field instead.
            carried = None
        while end > start and text[end - 1].isspace():
            end -= 1
        while start < end and text[start].isspace():
            start += 1
        if moved:
            # An overlap may reach back to before what the last passage was trimmed to, or lie wholly within it.
            start = max(start, moved[-1][0])
        if end > (moved[-1][1] if moved else 0) and any(character.isalnum() for character in text[start:end]):
            moved.append((start, end))
    return moved


def _short_enough(text: str, start: int, end: int) -> list[tuple[int, int]]:
    if end - start <= CAPACITY_CHARACTERS:
        return [(start, end)]
    pieces = TextSplitter(CAPACITY_CHARACTERS).chunk_indices(text[start:end])
    return [(start + offset, start + offset + len(piece)) for offset, piece in pieces]


def _closing_headings(text: str, start: int, end: int, headings: list[Heading]) -> int | None:
    """Where the headings begin that close ``text[start:end]``, or None."""
    closing = None
    for heading in reversed(headings):
        if heading.start >= end:
            continue
        if heading.start < start or (heading.end < end and text[heading.end : closing or end].strip()):
            break
        closing = heading.start
    return closing


def _fitted(found: list[tuple[ParsedPage, int, int, str]]) -> list[Passage]:
    """Passages whose heading is left out where heading and text together are more than the model reads."""
    passages = []
    counts = _tokenizer().encode_batch([f"{heading}\n{page.text[start:end]}" for page, start, end, heading in found])
    for ordinal, ((page, start, end, heading), encoding) in enumerate(zip(found, counts, strict=True)):
        fits = len(encoding.ids) <= MAX_TOKENS
        passages.append(Passage(ordinal, page.number, start, end, page.text[start:end], heading if fits else ""))
    return passages


def _tokens(text: str) -> int:
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


@cache
def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(tokenizer_file()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@cache
def _text_splitter() -> TextSplitter:
    return TextSplitter.from_huggingface_tokenizer(_tokenizer(), CAPACITY_TOKENS, OVERLAP_TOKENS)


@cache
def _markdown_splitter() -> MarkdownSplitter:
    return MarkdownSplitter.from_huggingface_tokenizer(_tokenizer(), CAPACITY_TOKENS, OVERLAP_TOKENS)
