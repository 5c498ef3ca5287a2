"""What was said without the engine, told to the conversation as soon as that can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from collections import deque
from typing import Final

from conversations.domain.retold import RetoldTurn, retell
from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.problems import Problem

logger = logging.getLogger(__name__)

_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 15.0  # seconds between two tries


class Afterwards:
    """Turns that took place elsewhere, in their order, each told once.

    Args:
        conversation_id: where they belong; the tenant is the one in force.
    """

    def __init__(self, conversation_id: uuid.UUID) -> None:
        self._conversation_id = conversation_id
        self._telling: asyncio.Task[None] | None = None
        self.untold: deque[RetoldTurn] = deque()

    def add(self, turn: RetoldTurn) -> None:
        """Tell a turn, now or later."""
        self.untold.append(turn)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def told(self, *, within: float) -> bool:
        """Wait until all is told.

        Args:
            within: seconds at most.

        Returns:
            Whether it is.
        """
        if self._telling is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._telling), within)
        return not self.untold

    async def _tell(self) -> None:
        pause = _PAUSE
        while self.untold:
            try:
                await in_database(retell, conversation_id=self._conversation_id, turn=self.untold[0])
            except OUTAGES:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            except Problem as problem:
                if problem.code == "turn_running":  # it is over within its deadline
                    await asyncio.sleep(_PAUSE)
                    continue
                logger.error("what was said elsewhere can't be kept: %s", problem.code)
            except Exception:
                # Another try would fare no better, and what was said after it waits.
                logger.exception("what was said elsewhere can't be kept")
            self.untold.popleft()
            pause = _PAUSE
