"""What other apps show on a conversation's page: they register here, since they may import conversations and not the
other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conversations.models import Conversation


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Args:
        template: draws it; it finds its values in `section.context`.
    """

    template: str
    context: dict[str, Any]


Read = Callable[[Conversation], Section | None]
_readers: list[Read] = []


def show_section(read: Read) -> None:
    """Say what an app shows of a conversation; None where there is nothing. Called once, by that app."""
    if read not in _readers:
        _readers.append(read)


def sections_of(conversation: Conversation) -> list[Section]:
    """What all of them show."""
    return [section for read in _readers if (section := read(conversation)) is not None]
