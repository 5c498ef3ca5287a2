"""What a contact shows while they write, such as a screen they share in a meeting: who sees it registers here, since
they may import conversations and not the other way round.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable

from agents.engine.images import LabelledImage, Look, Seen

logger = logging.getLogger(__name__)

See = Callable[[uuid.UUID, str], Awaitable[Seen]]
_seers: list[See] = []


def on_question(see: See) -> None:
    """Say who knows what is shown. Called once, by that app."""
    if see not in _seers:
        _seers.append(see)


async def shown_with(conversation_id: uuid.UUID, question: str) -> tuple[tuple[LabelledImage, ...], Look | None]:
    """What is shown with a question; nothing where nobody looks, and where whoever does can't say."""
    for see in _seers:
        try:
            images, look = await see(conversation_id, question)
        except Exception:
            logger.warning("a question is answered without what is shown", exc_info=True)
            continue
        if images or look is not None:
            return tuple(images), look
    return (), None
