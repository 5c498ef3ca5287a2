"""PDF by PDFium. Runs in the child."""

import ctypes
import mmap
import struct
import zlib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from knowledge.parsing.cleaning import clean_text
from knowledge.parsing.content import pdf_is_truncated
from knowledge.parsing.document import DocumentUnreadable, ParseLimits
from knowledge.parsing.textfile import too_much_text

_MEANINGLESS_TITLES = {"", "untitled", "(untitled)", "anonymous", "(anonymous)", "unspecified", "(unspecified)"}


def read(data: mmap.mmap, *, media_type: str, filename: str, limits: ParseLimits) -> Iterator[dict[str, Any]]:
    """The document as protocol lines, page by page.

    Raises:
        DocumentUnreadable: for every reason but the child's own death.
    """
    document = _open(data)
    count = len(document)
    if count == 0:
        raise DocumentUnreadable("document_empty", "The PDF has no pages.")
    if count > limits.pages:
        raise DocumentUnreadable(
            "document_too_many_pages",
            f"The PDF has {count:,} pages; {limits.pages:,} are allowed. Split it and upload the parts.",
        )
    yield {"document": {"media_type": media_type, "title": _title(document, filename), "pages": count}}
    total = 0
    anything = False
    for number in range(1, count + 1):
        text = _page_text(document, number, limits, total)
        total += len(text.encode("utf-8", errors="replace"))
        if total > limits.text_bytes:
            raise too_much_text(limits)
        anything = anything or any(character.isalnum() for character in text)
        yield {"page": number, "text": text}
    if not anything:
        raise DocumentUnreadable(
            "document_no_text",
            "The PDF has no text, only pictures: it looks scanned. Upload a version with recognised text (OCR).",
        )


def page_count(data: mmap.mmap) -> int:
    """Pages of the document.

    Raises:
        DocumentUnreadable: ``document_encrypted``, ``document_truncated`` or ``document_damaged``.
    """
    return len(_open(data))


def render(data: mmap.mmap, *, page: int, width: int, limits: ParseLimits) -> bytes:
    """One page (from 1) as a PNG, ``width`` pixels wide or narrower where ``limits.image_pixels`` says so.

    Raises:
        DocumentUnreadable: as ``page_count``, and ``document_page_unknown``.
    """
    document = _open(data)
    if not 1 <= page <= len(document):
        raise DocumentUnreadable(
            "document_page_unknown", f"The PDF has {len(document):,} pages; there is no page {page:,}."
        )
    sheet = _load(document, page)
    points_wide, points_high = sheet.get_size()
    if not (points_wide > 0 and points_high > 0):
        raise _damaged(page)
    scale = min(width / points_wide, (limits.image_pixels / (points_wide * points_high)) ** 0.5)
    bitmap = sheet.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    if bitmap.n_channels != 3:
        raise _damaged(page)
    return _png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride)


def _open(data: mmap.mmap) -> pdfium.PdfDocument:
    truncated = pdf_is_truncated(head=data[:1024], tail=data[-65536:], size=len(data))
    try:
        document = pdfium.PdfDocument((ctypes.c_ubyte * len(data)).from_buffer(data))
    except pdfium.PdfiumError as error:
        if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
            raise DocumentUnreadable(
                "document_encrypted", "The PDF is protected by a password. Save a copy without one and upload that."
            ) from error
        if not truncated:
            raise DocumentUnreadable(
                "document_damaged", "The PDF is damaged and cannot be opened. Export it again and upload the new file."
            ) from error
    if truncated:
        raise DocumentUnreadable(
            "document_truncated", "The PDF ends before it is complete, as after a broken transfer. Upload it again."
        )
    return document


def _load(document: pdfium.PdfDocument, number: int) -> pdfium.PdfPage:
    try:
        return document[number - 1]
    except pdfium.PdfiumError as error:
        raise _damaged(number) from error


def _damaged(number: int) -> DocumentUnreadable:
    return DocumentUnreadable(
        "document_damaged", f"Page {number:,} of the PDF is damaged. Export it again and upload the new file."
    )


def _page_text(document: pdfium.PdfDocument, number: int, limits: ParseLimits, total: int) -> str:
    page = _load(document, number)
    try:
        textpage = page.get_textpage()
    except pdfium.PdfiumError as error:
        raise _damaged(number) from error
    try:
        if total + textpage.count_chars() > limits.text_bytes:
            raise too_much_text(limits)
        return clean_text(textpage.get_text_bounded(), join_hyphenated_lines=True)
    finally:
        textpage.close()
        page.close()


def _title(document: pdfium.PdfDocument, filename: str) -> str:
    title = " ".join(clean_text(document.get_metadata_value("Title")).split())
    return (PurePath(filename).stem if title.lower() in _MEANINGLESS_TITLES else title)[:200]


def _png(pixels: bytes, width: int, height: int, stride: int) -> bytes:
    """A PNG (ISO/IEC 15948) of 8-bit RGB rows, unfiltered: pages of text compress well as they are."""
    row_bytes = 3 * width
    rows = bytearray()
    for y in range(height):
        rows += b"\x00"
        rows += pixels[y * stride : y * stride + row_bytes]

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
