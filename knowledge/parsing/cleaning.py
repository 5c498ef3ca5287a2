"""Turning what parsers hand over into text that can be stored, split and searched."""

import re

# PDFium reports a hyphen that it takes for the end of a broken word as U+0002 (or U+FFFE in its UTF-16 interface).
_BROKEN_WORD = re.compile(r"[\x02\ufffe][ \t]*\n?[ \t]*")
_SOFT_HYPHEN = re.compile("\u00ad(?:[ \\t]*\\n[ \\t]*)?")
# A printed hyphen at a line's end: it goes between lower-case letters ("exam-\nple") and stays in "Anglo-\nSaxon".
_HYPHENATED_LINE_END = re.compile(r"(?<=[^\W\d_])-[ \t]*\n[ \t]*(?=[^\W\d_])")
_NEWLINES = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff\u200b\u2060]")
_LINE_END_BLANKS = re.compile(r"[ \t]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{4,}")
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "ft", "\ufb06": "st"}
)


def clean_text(text: str, *, join_hyphenated_lines: bool = False) -> str:
    """Text without what PostgreSQL refuses (NUL, lone surrogates) and without what spoils search.

    Control characters, byte-order marks and zero-width blanks go; newlines become ``\\n``; typographic ligatures become
    letters; soft hyphens disappear and join the word they broke.

    Args:
        text: anything, lone surrogates included.
        join_hyphenated_lines: also join words that a printed hyphen breaks at a line's end. Right for typeset pages,
            wrong for text files, whose line ends mean something.
    """
    text = _NEWLINES.sub("\n", text).replace("\f", "\n\n").replace("\u00a0", " ")
    text = _BROKEN_WORD.sub(_joined, text)
    text = _SOFT_HYPHEN.sub("", text)
    text = _UNWANTED.sub("", text).translate(_LIGATURES)
    if join_hyphenated_lines:
        text = _HYPHENATED_LINE_END.sub(_joined, text)
    text = _LINE_END_BLANKS.sub("", text)
    return _BLANK_LINES.sub("\n\n\n", text).strip("\n")


def _joined(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    return "" if text[start - 1 : start].islower() and text[end : end + 1].islower() else "-"


def decode_text(data: bytes) -> str:
    """The characters of a text file: by its byte-order mark, else UTF-8, else UTF-16 without a mark, else Windows-1252.

    A file that is UTF-8 but for a few broken bytes (cut in the middle of a character, say) stays UTF-8, with U+FFFD.
    """
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    half = len(data) // 2
    if half >= 8:
        for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if data[offset::2].count(0) > 0.7 * half and data[1 - offset :: 2].count(0) < 0.1 * half:
                return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    multibyte = sum(1 for character in text if character > "\x7f") - broken
    return text if multibyte > 10 * broken else data.decode("cp1252", errors="replace")
