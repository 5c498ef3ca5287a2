"""What a parsed document is, how large one may be, and why one could not be read."""

from dataclasses import dataclass, field

PDF = "application/pdf"
TEXT = "text/plain"
MARKDOWN = "text/markdown"


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one document may cost. Whichever limit is reached first ends the parse with its own code.

    Attributes:
        file_bytes: size of the uploaded file, in bytes.
        pages: pages of a PDF (text files are limited by their text alone).
        text_bytes: extracted text of the whole document, in bytes of UTF-8.
        memory_bytes: address space the child may add to what it starts with, in bytes.
        cpu_seconds: processor time of the child, in seconds.
        wall_seconds: time on the clock, in seconds; the whole process group is killed when it is over.
        image_pixels: pixels of one rendered page; a page of extreme shape is rendered narrower than asked for.
    """

    file_bytes: int = 100 * 1024 * 1024
    pages: int = 2_000
    text_bytes: int = 20_000_000
    memory_bytes: int = 640 * 1024 * 1024
    cpu_seconds: int = 90
    wall_seconds: float = 120.0
    image_pixels: int = 8_000_000


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """One page of text. ``number`` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class DocumentHead:
    """What shows of a document before its pages are read; as `ParsedDocument`, but `pages` counts them."""

    media_type: str
    title: str
    pages: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document's text by page.

    Attributes:
        media_type: told by the content: ``application/pdf``, ``text/plain`` or ``text/markdown``.
        title: the document's own title, else its first Markdown heading, else the file's name without its suffix.
        pages: every page in order. A PDF's pages are its own (a page without text is there, with an empty text). Plain
            text and Markdown have none, so they are cut at paragraph ends into pages of about 3,000 characters: a
            citation then always has a page to name.
    """

    media_type: str
    title: str
    pages: list[ParsedPage] = field(default_factory=list)


class DocumentUnreadable(Exception):
    """A document that cannot be used as it is.

    Attributes:
        code: stable, one of ``document_empty``, ``document_encrypted``, ``document_truncated``, ``document_damaged``,
            ``document_too_many_pages``, ``document_too_large``, ``document_type_unsupported``,
            ``document_parse_timeout``, ``document_parse_memory``, ``document_no_text``, ``document_page_unknown``.
        detail: one or two sentences for the person who uploaded it: what is wrong and what to do.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type["DocumentUnreadable"], tuple[str, str]]:
        return type(self), (self.code, self.detail)
