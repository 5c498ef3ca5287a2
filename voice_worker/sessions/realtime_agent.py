"""An agent whose one model hears, answers and speaks. What it is asked about the company, or to do, goes to the engine.

Such a model would otherwise be a second agent with rules of its own: here it is ears and a voice, with a tool that is
the conversation. Documents, tools, confirmations and limits are the engine's, as over text.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.utils import timezone
from livekit.agents import Agent, ConversationItemAddedEvent, RunContext, function_tool, llm

from conversations.domain.retold import RetoldTurn
from switchboard.kernel.database import OUTAGES
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Problem
from voice_worker.sessions.afterwards import Afterwards
from voice_worker.sessions.thread import Thread
from voice_worker.sessions.wording import TROUBLE, plain, sentence

logger = logging.getLogger(__name__)

_MANNER: Final = (
    "You speak with somebody on a call. For every question about the company, and for everything they want done, call "
    "`consult` with what they said, in their own words, and then say just what it answers, in their language; it knows "
    "what they said before. Never answer such things yourself, and promise nothing it didn't say. Greetings and thanks "
    "you answer yourself, in a few words."
)
_CONSULT: Final = {
    "name": "consult",
    "description": "Ask the company: answers questions from its documents, and does what the caller wants done.",
    "parameters": {
        "type": "object",
        "properties": {"said": {"type": "string", "description": "What the caller said, in their own words."}},
        "required": ["said"],
        "additionalProperties": False,
    },
}


class RealtimeAgent(Agent):
    """Speaks with a realtime model, and answers with turns of the thread.

    Args:
        instructions: the release's own: who it is, and how it speaks.
        thread: the conversation.
        afterwards: is given what was said without the engine.
        release_id: what is said is said by.
        language: of what it says by itself.
        note: puts something on the time axis.
    """

    def __init__(
        self,
        *,
        instructions: str,
        thread: Thread,
        afterwards: Afterwards,
        release_id: Any,
        language: str,
        note: Callable[..., None],
    ) -> None:
        consult = function_tool(self._consult, raw_schema=_CONSULT)
        super().__init__(instructions=f"{instructions}\n\n{_MANNER}", tools=[consult])
        self._thread = thread
        self._afterwards = afterwards
        self._release_id = release_id
        self._language = language
        self._note = note
        self._said = ""
        self._has_consulted = False

    async def _consult(self, raw_arguments: dict[str, object], context: RunContext[None]) -> str:
        said = str(raw_arguments.get("said") or self._said).strip()
        self._has_consulted = True
        # What has begun to be done is done, though the caller speaks on.
        context.disallow_interruptions()
        began = time.time()
        try:
            answer, pieces = await self._thread.ask(said)
        except (*OUTAGES, Problem) as error:
            logger.warning("a realtime model could not consult the conversation: %s", type(error).__name__)
            return sentence(TROUBLE, self._language)
        text = "".join([piece async for piece in pieces])
        self._note("llm", since=began, turn_id=answer.turn_id, model="engine")
        return plain(text) or sentence(TROUBLE, self._language)

    def said(self, event: ConversationItemAddedEvent) -> None:
        """Keep what is said without the engine: greetings, thanks."""
        item = event.item
        if not isinstance(item, llm.ChatMessage):
            return
        text = (item.text_content or "").strip()
        if item.role == "user":
            self._said, self._has_consulted = text, False
        elif item.role == "assistant" and text and self._said and not self._has_consulted:
            now = timezone.now()
            self._afterwards.add(RetoldTurn(uuid7(), self._release_id, self._said, text, now, now, ()))
            self._said = ""
