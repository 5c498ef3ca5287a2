"""What an agent says while the conversation can't be reached: its model with its instructions, and nothing else.

What was said meanwhile, and what it used, is told to the conversation once it is back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from django.utils import timezone

from agents.engine.gateway import ChatMessage, ModelFailed, stream_chat
from agents.engine.saying import prompt_of
from agents.releases import ResolvedRelease
from billing.domain.usage import Usage
from conversations.domain.retold import RetoldTurn
from switchboard.kernel.database import OUTAGES
from switchboard.kernel.ids import uuid7
from voice_worker.sessions.afterwards import Afterwards
from voice_worker.sessions.wording import TROUBLE, sentence

logger = logging.getLogger(__name__)

_MOST_SHOWN: Final = 20  # of what was said, to the model
_APART: Final = "You can't look anything up or do anything for them just now; say so where it matters, and be brief."


class BaseInstructions:
    """Answers without the conversation, and tells it later.

    Args:
        afterwards: is given what was said.
        release: the agent; its models are asked as far as their endpoints are known to this process.
        language: of what is said where no model answers.
    """

    def __init__(self, afterwards: Afterwards, release: ResolvedRelease, *, language: str) -> None:
        self._release = release
        self._language = language
        self._afterwards = afterwards

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
        self._afterwards.add(
            RetoldTurn(uuid7(), self._release.id, question, "".join(said), asked_at, timezone.now(), usages)
        )

    async def _model(self, question: str, usages: list[Usage]) -> AsyncGenerator[str]:
        runtime = self._release.runtime
        messages = [ChatMessage("system", f"{prompt_of(self._release)}\n\n{_APART}")]
        for turn in list(self._afterwards.untold)[-_MOST_SHOWN:]:
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
