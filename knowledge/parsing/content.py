"""What kind of file some bytes are, told by the bytes. A name only decides between plain text and Markdown."""

import re
from pathlib import PurePath

from knowledge.parsing.document import MARKDOWN, PDF, TEXT, DocumentUnreadable

_TEXT_SUFFIXES = {"": TEXT, ".txt": TEXT, ".text": TEXT, ".md": MARKDOWN, ".markdown": MARKDOWN}
_KNOWN = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"RIFF", "a WebP image or another RIFF file"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
)
_SUPPORTED = "PDF, plain text (.txt) and Markdown (.md) are supported."
# ISO 32000-1, annex H.3: readers accept the header anywhere in the first 1,024 bytes.
_PDF_HEADER = re.compile(rb"%PDF-\d\.\d")
_HEADER_WINDOW = 1024
_TRAILER_WINDOW = 8192
_LINEARIZED_LENGTH = re.compile(rb"/Linearized\b[^>]{0,400}?/L\s+(\d{1,15})")


def media_type(data: bytes, *, filename: str) -> str:
    """``application/pdf``, ``text/plain`` or ``text/markdown``.

    Raises:
        DocumentUnreadable: ``document_empty``, or ``document_type_unsupported`` for everything else.
    """
    if not data:
        raise DocumentUnreadable("document_empty", "The file is empty: it has no bytes.")
    if _PDF_HEADER.search(data[:_HEADER_WINDOW]):
        return PDF
    for magic, name in _KNOWN:
        # "MZ" alone also begins honest texts; a program has NULs close behind.
        if data.startswith(magic) and (len(magic) > 2 or b"\x00" in data[:64]):
            raise DocumentUnreadable(
                "document_type_unsupported", f"This is {name}, whatever its name says. {_SUPPORTED}"
            )
    if _is_binary(data):
        raise DocumentUnreadable("document_type_unsupported", f"This is not a text file. {_SUPPORTED}")
    suffix = PurePath(filename).suffix.lower()
    if suffix == ".pdf":
        raise DocumentUnreadable(
            "document_type_unsupported", f"The name ends in .pdf, but this is no PDF. {_SUPPORTED}"
        )
    kind = _TEXT_SUFFIXES.get(suffix)
    if kind is None:
        raise DocumentUnreadable("document_type_unsupported", f"Files ending in {suffix} cannot be read. {_SUPPORTED}")
    return kind


def _is_binary(data: bytes) -> bool:
    """Whether control characters that no text uses make up more than 2 % of a sample (a stray NUL is forgiven)."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    sample = data[:65536]
    control = sum(sample.count(byte) for byte in range(32) if byte not in b"\x00\t\n\r\f\x1b")
    return control > 0.02 * len(sample)


def pdf_is_truncated(*, head: bytes, tail: bytes, size: int) -> bool:
    """Whether a PDF stops before its end: shorter than it declares, or without a trailer in its last 8 KiB.

    Parsers rebuild such a file and silently lose pages; an answer that misses half the price list is worse than none.

    Args:
        head: the first 1,024 bytes or more.
        tail: the last 64 KiB, or all there is.
        size: the file's length in bytes.
    """
    declared = _LINEARIZED_LENGTH.search(head)
    if declared and int(declared.group(1)) > size:
        return True
    end = tail.rstrip(b"\x00 \r\n\t")[-_TRAILER_WINDOW:]
    return b"%%EOF" not in end and b"startxref" not in end
