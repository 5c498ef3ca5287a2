"""Text from outside, checked at the edge."""

from __future__ import annotations

from switchboard.kernel.problems import Invalid, Problem


def check_text(value: str, *, field: str, max_bytes: int) -> str:
    """Text that PostgreSQL can hold and a model can read, or a clear refusal.

    Args:
        value: as it came.
        field: its name, for the error.
        max_bytes: most bytes of UTF-8.

    Raises:
        Invalid: blank, a NUL byte, or a lone surrogate.
        Problem: 413 `too_large`.
    """
    if "\x00" in value:
        raise Invalid("invalid_text", "The text holds a NUL character, which can't be stored.", field=field)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise Invalid(
            "invalid_text", "The text holds half of a surrogate pair, which is no character.", field=field
        ) from None
    if size > max_bytes:
        raise Problem("too_large", f"The text has {size:,} bytes; {max_bytes:,} is the most.", status=413)
    if not value.strip():
        raise Invalid("blank_text", "The text is blank.", field=field)
    return value


def check_note(value: str, *, field: str = "message", max_characters: int = 300) -> str:
    """A remark that may be empty, without spaces around it, or a clear refusal.

    Raises:
        Invalid: too long, a NUL byte, or a lone surrogate.
    """
    if not value.strip():
        return ""
    check_text(value, field=field, max_bytes=max_characters * 16)
    if len(value.strip()) > max_characters:
        raise Invalid("too_long", f"{max_characters} characters are the most.", field=field)
    return value.strip()


def table_cell(value: object) -> str:
    """A value that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
