"""The agent as livekit-agents runs it. Its `llm_node` is the conversation: whatever is said goes through the engine."""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from livekit.agents import Agent, ModelSettings, llm, utils
from livekit.agents.types import FlushSentinel
from livekit.agents.voice import SpeechHandle

from agents.engine.images import See
from switchboard.kernel import lifespan
from switchboard.kernel.database import OUTAGES
from switchboard.kernel.problems import Problem
from voice_worker.sessions.base_instructions import BaseInstructions
from voice_worker.sessions.thread import SpokenAnswer, Thread
from voice_worker.sessions.wording import MOMENT, TROUBLE, sentence

logger = logging.getLogger(__name__)

Spoken = Callable[[SpeechHandle, uuid.UUID | None], None]

# Of silence after a question, until something is said about it.
_SILENCE_SECONDS: Final = 4.0
# Items of what was said that livekit-agents is left with. The thread is the engine's, which asks for none of them.
LAST_ITEMS: Final = 20


class EngineModel(llm.LLM[Any]):
    """Stands where a session wants a model. It is never asked: `SpokenAgent.llm_node` answers."""

    @property
    def model(self) -> str:
        return "engine"

    @property
    def provider(self) -> str:
        return "switchboard"

    def chat(self, **_: Any) -> llm.LLMStream:
        raise AssertionError("the engine answers through llm_node")


class SpokenAgent(Agent):
    """Answers what is heard with turns of the thread.

    Args:
        thread: the conversation.
        without_backend: answers while the conversation can't be reached.
        language: of what it says by itself.
        see: what is shown with a question; None for an agent without eyes.
        first_words: said once it is there, for one that takes another's place.
        parts: ears, voice and turn-taking of its own, where the session has others.
    """

    def __init__(
        self,
        thread: Thread,
        *,
        without_backend: BaseInstructions,
        language: str,
        see: See | None = None,
        first_words: str = "",
        **parts: Any,
    ) -> None:
        super().__init__(instructions="", **parts)
        self._first_words = first_words
        self._thread = thread
        self._without_backend = without_backend
        self._language = language
        self._see = see
        self._to_come: deque[SpeechHandle] = deque()
        self._answers: dict[str, SpokenAnswer] = {}

    async def on_enter(self) -> None:
        """Begin to speak."""
        if self._first_words:
            self.session.say(self._first_words)

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncGenerator[str | FlushSentinel]:
        """The answer to the last thing that was said, piece by piece."""
        speech = self._to_come.popleft() if self._to_come else None
        question = _last_said(chat_ctx)
        if not question:
            return
        try:
            images, look = await self._see(question) if self._see is not None else ((), None)
            answer, pieces = await self._thread.ask(question, images, look=look)
        except OUTAGES:
            logger.warning("the conversation can't be reached; a call goes on with its base instructions")
            async for piece in self._without_backend.answer(question):
                yield piece
            return
        except Problem as problem:
            logger.warning("what was said could not be taken in: %s", problem.code)
            yield sentence(TROUBLE, self._language)
            return
        if speech is not None:
            self._answers[speech.id] = answer
        try:
            async for spoken in _with_a_word(pieces, sentence(MOMENT, self._language)):
                yield spoken
        finally:
            await pieces.aclose()
        if answer.error_code and not answer.said:
            yield sentence(TROUBLE, self._language)

    def forget(self) -> None:
        """Keep no more of what was said than the next turn may need: each is begun with a copy of all that is kept."""
        self._chat_ctx.truncate(max_items=LAST_ITEMS)

    def watch(self, speech: SpeechHandle, *, spoken: Spoken) -> None:
        """Keep of an answer to come, once it is broken off, what was heard. Called in the order of the answers.

        Args:
            spoken: told once it is over, with the turn it was the answer of, if there was one.
        """
        self._to_come.append(speech)
        speech.add_done_callback(functools.partial(self._spoken, spoken))

    def _spoken(self, spoken: Spoken, speech: SpeechHandle) -> None:
        if speech in self._to_come:
            self._to_come.remove(speech)
        answer = self._answers.pop(speech.id, None)
        spoken(speech, answer.turn_id if answer else None)
        if answer is None or not speech.interrupted:
            return
        spoken_text = " ".join(
            item.text_content or "" for item in speech.chat_items if item.type == "message" and item.role == "assistant"
        )
        heard = _without_the_word(spoken_text, sentence(MOMENT, self._language))
        lifespan.spawn(self._keep_heard(answer, heard), name=f"heard of {answer.turn_id}")

    async def _keep_heard(self, answer: SpokenAnswer, heard: str) -> None:
        await self._thread.stop(answer)
        await self._thread.heard(answer, heard)


async def _with_a_word(pieces: AsyncGenerator[str], word: str) -> AsyncGenerator[str | FlushSentinel]:
    """Pieces of an answer, after a word in between where they are long in coming."""
    first = asyncio.ensure_future(anext(pieces, None))
    try:
        await asyncio.wait({first}, timeout=_SILENCE_SECONDS)
        if not first.done():
            yield f"{word} "
            yield FlushSentinel()  # or it would wait for the words after it
        piece = await first
    finally:
        await utils.aio.cancel_and_wait(first)
    while piece is not None:
        yield piece
        piece = await anext(pieces, None)


def _without_the_word(spoken: str, word: str) -> str:
    """What was heard of an answer itself."""
    if word.startswith(spoken.strip()):
        return ""
    return spoken.removeprefix(word).lstrip()


def _last_said(chat_ctx: llm.ChatContext) -> str:
    for item in reversed(chat_ctx.items):
        if item.type == "message" and item.role == "user":
            return (item.text_content or "").strip()
    return ""
