"""Patterns that people write and the platform runs: found in time that grows with the text, whatever the pattern.

Python's own `re` can be made to think for years by twelve characters. Rust's engine, which pydantic brings along,
can't: it knows no look-around and no backreferences, and refuses what would grow too large.
"""

from __future__ import annotations

import functools
import re
from typing import Annotated, Final

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

LONGEST_PATTERN: Final = 500
# The time is at most their product: a second for the slowest patterns that are accepted.
LARGEST_PATTERN: Final = 1000  # characters, with repetitions such as {3,20} written out
LONGEST_TEXT: Final = 20_000  # of a longer one, the beginning is looked at
_VERBOSE: Final = re.compile(r"\(\?[a-zA-Z-]*x")
_REPETITION: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_TOO_LARGE: Final = "This pattern is too large: lower its repetitions."


class PatternRefused(ValueError):
    """A pattern that the engine doesn't take; the message says why."""


def check_pattern(pattern: str) -> str:
    """A pattern that can be run.

    Raises:
        PatternRefused: it is malformed, too large, or wants what only a slow engine can do.
    """
    _compiled(pattern)
    return pattern


def is_found(pattern: str, text: str) -> bool:
    """Whether a pattern matches somewhere in a text."""
    try:
        _compiled(pattern).validate_python(text[:LONGEST_TEXT])
    except ValidationError:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> TypeAdapter[str]:
    if len(pattern) > LONGEST_PATTERN:
        raise PatternRefused(f"A pattern may have {LONGEST_PATTERN} characters.")
    try:
        compiled = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError as error:
        raise PatternRefused(_why(str(error))) from None
    if _VERBOSE.search(pattern):
        raise PatternRefused("The flag x isn't taken: write the pattern without spaces and comments.")
    if _written_out(pattern) > LARGEST_PATTERN:
        raise PatternRefused(_TOO_LARGE)
    return compiled


def _written_out(pattern: str) -> int:
    """How many characters a valid pattern would have if its counted repetitions were written out."""
    groups, last, place = [0], 0, 0
    while place < len(pattern):
        character = pattern[place]
        if character == "{" and (counted := _REPETITION.match(pattern, place)):
            last *= max(1, int(counted[2] or counted[1]))
            place = counted.end()
            continue
        if character not in "*+?|":
            groups[-1] += last
            last = 1
        if character == "(":
            groups.append(0)
            last = 0
        elif character == ")" and len(groups) > 1:
            last = max(1, groups.pop())
        place = _after(pattern, place)
    return sum(groups) + last


def _after(pattern: str, place: int) -> int:
    """Where the next piece begins: an escape and a class of characters are one."""
    if pattern[place] == "\\":
        named = pattern[place + 1 : place + 2] in tuple("pPxuU") and pattern[place + 2 : place + 3] == "{"
        return pattern.index("}", place) + 1 if named else place + 2
    if pattern[place] != "[":
        return place + 1
    depth = 0
    while place < len(pattern):
        if pattern[place] == "\\":
            place += 1
        else:
            depth += {"[": 1, "]": -1}.get(pattern[place], 0)
        place += 1
        if depth == 0:
            break
    return place


def _why(text: str) -> str:
    """The engine's last words, without the drawing above them."""
    if "size limit" in text:
        return _TOO_LARGE
    reason = text.rpartition("error:")[2].strip() or "it can't be read"
    return f"This is no pattern we can run: {reason[:200]}."
