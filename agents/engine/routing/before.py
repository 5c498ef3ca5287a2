"""What was said before a message: a short one leans on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agents.engine.gateway import Role

SHORT: Final = 40
"""Characters. "And on Sunday?" is about what was asked before."""


def said_before(history: Sequence[tuple[Role, str]]) -> str:
    """What the contact said last; empty where this is the first.

    Args:
        history: oldest first.
    """
    return next((said for role, said in reversed(history) if role == "contact"), "")
