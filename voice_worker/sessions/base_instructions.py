"""What an agent says while the conversation can't be reached: its model with its instructions, and nothing else.

What was said meanwhile, and what it used, is told to the conversation once it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import random
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from django.utils import timezone

from agents.engine.gateway import ChatMessage, ModelFailed, stream_chat
from agents.releases import ResolvedRelease
from billing.domain.usage import Usage
from conversations.domain.retold import RetoldTurn, retell
from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Problem
from tenants.context import current_tenant
from voice_worker.sessions.wording import TROUBLE, sentence

logger = logging.getLogger(__name__)

_PAUSE, _LONGEST_PAUSE = 1.0, 15.0  # seconds between two tries to tell what was said
_MOST_SHOWN: Final = 20  # of what was said, to the model
_APART: Final = "You can't look anything up or do anything for them just now; say so where it matters, and be brief."


class BaseInstructions:
    """Answers without the conversation, and tells it later.

    Args:
        conversation_id: where what was said belongs.
        release: the agent; its models are asked as far as their endpoints are known to this process.
        language: of what is said where no model answers.
    """

    def __init__(self, conversation_id: uuid.UUID, release: ResolvedRelease, *, language: str) -> None:
        self._conversation_id = conversation_id
        self._release = release
        self._language = language
        self._untold: list[RetoldTurn] = []
        self._telling: asyncio.Task[None] | None = None

    @property
    def has_untold(self) -> bool:
        """Whether there is something the conversation doesn't know yet."""
        return bool(self._untold)

    async def answer(self, question: str) -> AsyncGenerator[str]:
        """An answer from the release's instructions alone, piece by piece."""
        asked_at = timezone.now()
        said: list[str] = []
        usages: list[Usage] = []
        try:
            async with aclosing(self._model(question, usages)) as pieces:
                async for piece in pieces:
                    said.append(piece)
                    yield piece
        except ModelFailed as failure:
            logger.warning("no model answers without the conversation: %s", failure.code)
        if not said:
            said.append(sentence(TROUBLE, self._language))
            yield said[-1]
        self._untold.append(
            RetoldTurn(uuid7(), self._release.id, question, "".join(said), asked_at, timezone.now(), usages)
        )
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def told(self, *, within: float) -> bool:
        """Wait until all is told.

        Args:
            within: seconds at most.
        """
        if self._telling is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._telling), within)
        return not self._untold

    async def _model(self, question: str, usages: list[Usage]) -> AsyncGenerator[str]:
        runtime = self._release.runtime
        today = dt.datetime.now(dt.UTC).date()
        prompt = self._release.instructions(tenant_name=current_tenant().name, today=today)
        messages = [ChatMessage("system", f"{prompt}\n\n{_APART}")]
        for turn in self._untold[-_MOST_SHOWN:]:
            messages += [ChatMessage("user", turn.question), ChatMessage("assistant", turn.answer)]
        messages.append(ChatMessage("user", question))
        try:
            async with aclosing(stream_chat(chain=[runtime.llm, *runtime.fallbacks], messages=messages)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        yield piece
                    elif isinstance(piece, Usage):
                        usages.append(piece)
        except OUTAGES:
            raise ModelFailed("model_endpoint_unknown", "The model's address isn't known to this process.") from None

    async def _tell(self) -> None:
        pause = _PAUSE
        while self._untold:
            try:
                await in_database(retell, conversation_id=self._conversation_id, turn=self._untold[0])
            except OUTAGES:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            except Problem as problem:
                # A turn of the conversation runs; it is over within its deadline.
                if problem.code != "turn_running":
                    logger.error("what was said meanwhile can't be kept: %s", problem.code)
                    self._untold.pop(0)
                else:
                    await asyncio.sleep(_PAUSE)
                continue
            self._untold.pop(0)
            pause = _PAUSE
