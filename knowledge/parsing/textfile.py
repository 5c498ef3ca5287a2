"""Plain text and Markdown files. Runs in the child."""

import mmap
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from knowledge.parsing.cleaning import clean_text, decode_text
from knowledge.parsing.document import MARKDOWN, DocumentUnreadable, ParseLimits
from knowledge.parsing.paging import paginate

_FIRST_HEADING = re.compile(r"^#{1,2} +(.+?)[ #]*$", re.MULTILINE)


def read(data: mmap.mmap, *, media_type: str, filename: str, limits: ParseLimits) -> Iterator[dict[str, Any]]:
    """The file as protocol lines.

    Raises:
        DocumentUnreadable: ``document_too_large``, or ``document_empty`` when there is nothing but blanks.
    """
    if len(data) > 4 * limits.text_bytes:
        raise too_much_text(limits)
    text = clean_text(decode_text(data[:]))
    if len(text.encode("utf-8", errors="replace")) > limits.text_bytes:
        raise too_much_text(limits)
    if not text.strip():
        raise DocumentUnreadable("document_empty", "The file is empty: it holds nothing but blanks.")
    pages = paginate(text, markdown=media_type == MARKDOWN)
    heading = _FIRST_HEADING.search(text, 0, 4000) if media_type == MARKDOWN else None
    title = heading.group(1) if heading else PurePath(filename).stem
    yield {"document": {"media_type": media_type, "title": title[:200], "pages": len(pages)}}
    for number, page in enumerate(pages, 1):
        yield {"page": number, "text": page}


def too_much_text(limits: ParseLimits) -> DocumentUnreadable:
    megabytes = limits.text_bytes / 1_000_000
    return DocumentUnreadable(
        "document_too_large", f"The document holds more than {megabytes:g} MB of text. Split it and upload the parts."
    )
