"""One audio websocket from its `start` to its end."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from conversations import queries
from conversations.events.stream import READMIT_SECONDS, follow
from conversations.models import Conversation
from switchboard.kernel.database import in_database
from voice_worker.audio_stream.limits import Pace
from voice_worker.audio_stream.loading import load
from voice_worker.audio_stream.outbox import ClientTooSlow, Outbox
from voice_worker.audio_stream.protocol import MOST_MESSAGE, Start, too_large

if TYPE_CHECKING:
    from voice_worker.audio_stream.stream import AudioStream

logger = logging.getLogger(__name__)

_CLOSE_SECONDS: Final = 30.0


class Talk:
    """What a client and an agent say to each other.

    Args:
        start: the client's request.
        conversation_id: the thread.
        send: sends a text or a binary message to the client.
        is_admitted: whether the client would be let in now.
    """

    def __init__(
        self,
        start: Start,
        conversation_id: uuid.UUID,
        *,
        send: Callable[[str | bytes], Awaitable[None]],
        is_admitted: Callable[[], Awaitable[bool]],
    ) -> None:
        self._start = start
        self._conversation_id = conversation_id
        self._is_admitted = is_admitted
        self._outbox = Outbox(send, form=start.form)
        self._stream: AudioStream | None = None
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._heard_at = time.monotonic()
        self._pace: Pace | None = None

    def hear(self, data: bytes) -> None:
        """Sound of the client's; what comes before the session is ready is let go.

        Raises:
            Problem: too large, too fast, or no sound.
        """
        if len(data) > MOST_MESSAGE:
            raise too_large()
        self._heard_at = time.monotonic()
        if self._stream is not None and self._pace is not None:
            self._pace.take(len(data))
            self._stream.hear(data)

    def played(self, segment: int, ms: int) -> None:
        """The client says how much it played."""
        self._heard_at = time.monotonic()
        if self._stream is not None:
            self._stream.played(segment, ms)

    def interrupt(self) -> None:
        """The client wants the agent to be silent."""
        self._heard_at = time.monotonic()
        if self._stream is not None:
            self._stream.interrupt()

    def end(self, reason: str) -> None:
        """Be over, for a reason. The first one counts."""
        if not self._over.done():
            self._over.set_result(reason)

    async def run(self) -> str:
        """Hold the talk. Returns why it is over.

        Raises:
            Problem: it could not begin.
        """
        thread = await in_database(queries.conversation, self._conversation_id)
        stream = await self._open()
        self._pace = Pace(_bytes_a_second(self._start))
        self._stream = stream
        self._heard_at = time.monotonic()  # whatever it took to be ready, the client didn't
        self._outbox.say("ready", self._ready(thread, stream))
        after = thread.last_event if self._start.after is None else self._start.after
        work = [self._outbox.run(), self._tell_events(after), self._watch(), self._session_over(stream)]
        tasks = [asyncio.create_task(one) for one in work]
        reason = "failed"
        try:
            reason = await self._first_reason(tasks)
        finally:
            self._stream = None
            for task in tasks[1:]:
                task.cancel()
            await self._close(stream, reason)
            self._outbox.say("ended", {"reason": reason})
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(ClientTooSlow, OSError, RuntimeError):
                await self._outbox.flush()
        return reason

    async def _open(self) -> AudioStream:
        await load()
        from voice_worker.audio_stream.stream import open_stream

        return await open_stream(start=self._start, conversation_id=self._conversation_id, outbox=self._outbox)

    async def _close(self, stream: AudioStream, reason: str) -> None:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await stream.aclose(reason=reason, failed=reason == "failed")
        except Exception:
            logger.exception("a voice session didn't end as it should", extra={"voice_session": str(stream.id)})

    async def _first_reason(self, tasks: list[asyncio.Task[Any]]) -> str:
        done, _ = await asyncio.wait([*tasks, self._over], return_when=asyncio.FIRST_COMPLETED)
        if self._over in done:
            return self._over.result()
        for task in done:
            error = task.exception()
            if isinstance(error, ClientTooSlow):
                return "client_too_slow"
            if isinstance(error, OSError):
                return "left"
            if error is not None:
                logger.error("an audio websocket failed", exc_info=error)
                return "failed"
        return next(str(task.result()) for task in done)

    async def _tell_events(self, after: int) -> str:
        async for record in follow(self._conversation_id, after=after):
            self._outbox.forward('{"event":"ping"}' if record is None else record.as_socket_text())
        return "going_away"

    async def _watch(self) -> str:
        longest = time.monotonic() + settings.AUDIO_STREAM_MINUTES * 60
        while True:
            await asyncio.sleep(READMIT_SECONDS)
            if not await self._is_admitted():
                return "not_admitted"
            if time.monotonic() - self._heard_at > settings.AUDIO_STREAM_IDLE_SECONDS:
                return "idle"
            if time.monotonic() > longest:
                return "too_long"

    async def _session_over(self, stream: AudioStream) -> str:
        await stream.live.ended.wait()
        return "session_over"

    def _ready(self, thread: Conversation, stream: AudioStream) -> dict[str, Any]:
        return {
            "conversation": str(thread.pk),
            "agent": str(thread.agent_id),
            "release": str(thread.release_id) if thread.release_id else None,
            "session": str(stream.id),
            "sample_rate": self._start.sample_rate,
            "encoding": self._start.encoding,
            "format": self._start.form,
        }


def _bytes_a_second(start: Start) -> int:
    from voice_worker.audio_stream.coding import bytes_a_second

    return bytes_a_second(start.encoding, start.sample_rate)
