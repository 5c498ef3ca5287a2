"""The conversation behind a voice: each thing said is a turn of it, and of an answer only what was heard is kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.engine.images import LabelledImage, Look
from conversations import runner
from conversations.answers import events_of
from conversations.domain.heard import keep_heard
from conversations.events.record import DONE, Record
from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database

logger = logging.getLogger(__name__)

# A turn that was cancelled is over at once, unless the database is away.
_END_SECONDS: Final = 30.0


@dataclass(slots=True)
class SpokenAnswer:
    """The answer to one thing said.

    Args:
        said: what the engine made of it so far.
        is_over: set once the turn is kept, and with it the message that `heard` corrects.
    """

    turn_id: uuid.UUID
    said: list[str] = field(default_factory=list)
    error_code: str = ""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class Thread:
    """A conversation that is spoken.

    Args:
        conversation_id: its id; the tenant is the one in force.
        listen: told of every event of its turns, such as a tool's call.
    """

    def __init__(self, conversation_id: uuid.UUID, *, listen: Callable[[Record], None]) -> None:
        self.conversation_id = conversation_id
        self._listen = listen

    async def ask(
        self, question: str, images: Sequence[LabelledImage] = (), *, look: Look | None = None
    ) -> tuple[SpokenAnswer, AsyncGenerator[str]]:
        """Begin a turn.

        Args:
            question: what was said, as the ears understood it.
            images: what is shown with it.
            look: takes a look at what is shown, for a model that asks to.

        Returns:
            The answer to be, and its pieces as they come. Whoever stops reading them cancels the turn.

        Raises:
            DatabaseError: it couldn't be taken in.
            Problem: what `turns.accept_message` raises.
        """
        accepted = await runner.accept(
            conversation_id=self.conversation_id, content=question, images=images, look=look, is_spoken=True
        )
        answer = SpokenAnswer(accepted.turn_id)
        pieces: asyncio.Queue[str | None] = asyncio.Queue()

        async def follow() -> None:
            try:
                async for record in events_of(self.conversation_id, accepted):
                    if record is None:
                        continue
                    self._listen(record)
                    if record.kind == "delta":
                        answer.said.append(record.data["text"])
                        pieces.put_nowait(answer.said[-1])
                    elif record.kind == "error":
                        answer.error_code = record.data["code"]
                    elif record.kind == DONE:
                        break
            finally:
                pieces.put_nowait(None)
                answer.is_over.set()

        lifespan.spawn(follow(), name=f"spoken turn {accepted.turn_id}")
        return answer, self._pieces(answer, pieces)

    async def _pieces(self, answer: SpokenAnswer, pieces: asyncio.Queue[str | None]) -> AsyncGenerator[str]:
        is_read = False
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            is_read = True
        finally:
            if not is_read:
                lifespan.spawn(self.stop(answer), name=f"cancel of {answer.turn_id}")

    async def stop(self, answer: SpokenAnswer) -> None:
        """Cancel a turn that nobody listens to any more; what was said of it stays."""
        if not answer.is_over.is_set():
            await runner.cancel(conversation_id=self.conversation_id, turn_id=answer.turn_id)

    async def heard(self, answer: SpokenAnswer, text: str) -> None:
        """Keep of an answer what was heard of it, once its turn is over.

        Args:
            text: the words that were spoken before the contact broke in; empty where there were none.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(answer.is_over.wait(), _END_SECONDS)
        if not await in_database(keep_heard, turn_id=answer.turn_id, text=text):
            logger.info("a turn that was broken in on left no message", extra={"turn": str(answer.turn_id)})
