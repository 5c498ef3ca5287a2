"""The audio websocket. Thin: what is said is held by `talk`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import Any, Final

from channels.generic.websocket import AsyncWebsocketConsumer

from agents.models import Agent
from conversations.domain.conversations import begin_conversation
from conversations.models import Conversation
from conversations.socket_callers import check_caller, is_admitted
from switchboard.kernel import lifespan
from switchboard.kernel.database import OUTAGES, DatabaseUnavailable, in_database
from switchboard.kernel.problems import Problem
from tenants.api.authentication import ApiKeyCaller
from tenants.permissions import Permission, allows, require
from tenants.sockets import CLOSE_OFFSET
from tenants.staff.sessions import member_of
from voice_worker.audio_stream.limits import one_of_few
from voice_worker.audio_stream.outbox import dumps
from voice_worker.audio_stream.protocol import End, Interrupt, Played, Sound, Start, parse
from voice_worker.audio_stream.talk import Talk
from voice_worker.domain.places import check_place

logger = logging.getLogger(__name__)

_START_SECONDS: Final = 15.0
# RFC 6455 §7.4.1, and our own.
_OVER, _GOING_AWAY, _FAILED = 1000, 1001, 1011
_CODES: Final = {
    "going_away": _GOING_AWAY,
    "failed": _FAILED,
    "not_admitted": CLOSE_OFFSET + 401,
    "client_too_slow": CLOSE_OFFSET + 408,
    "too_large": CLOSE_OFFSET + 413,
    "bad_audio": CLOSE_OFFSET + 422,
    "audio_too_fast": CLOSE_OFFSET + 429,
    "idle": CLOSE_OFFSET + 408,
}
# What a client can go on after.
_MENDABLE: Final = frozenset({400, 422})


class AudioConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """`/api/v1/voice/stream`; the protocol is docs/guides/audio-websocket.md."""

    _talk: Talk | None = None
    _talking: asyncio.Task[None] | None = None
    _has_started = False
    _patience: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Admit the caller, who says with `start` what they want."""
        try:
            await check_caller(self.scope, Permission.CONVERSATIONS_WRITE)
        except Problem as problem:
            await self.close(code=CLOSE_OFFSET + problem.status, reason=problem.code)
            return
        except OUTAGES:
            await self.close(code=CLOSE_OFFSET + 503, reason=DatabaseUnavailable().code)
            return
        # The handshake fails in a browser that offered subprotocols and got none; the key itself is not echoed.
        await self.accept("switchboard" if "switchboard" in self.scope.get("subprotocols", ()) else None)
        self._patience = asyncio.get_running_loop().call_later(_START_SECONDS, self._give_up)

    async def disconnect(self, code: int) -> None:
        """The client has gone: so has the session."""
        if self._patience is not None:
            self._patience.cancel()
        if self._talk is not None:
            self._talk.end("left")
        elif self._talking is not None:
            self._talking.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A request of the client's, or its voice."""
        try:
            if bytes_data is not None:
                self._hear(bytes_data)
            else:
                self._handle(text_data)
        except Problem as problem:
            await self._refuse(problem)

    def _handle(self, text: str | None) -> None:
        match parse(text):
            case Start() as start:
                if self._has_started:
                    raise Problem("already_started", "This connection has begun already.", status=422)
                self._has_started = True
                self._talking = lifespan.spawn(self._hold(start), name="audio websocket")
            case End():
                if self._talk is None:
                    lifespan.spawn(self.close(code=_OVER), name="end of an audio websocket")
                else:
                    self._talk.end("ended")
            case Sound(data):
                self._hear(data)
            case Played(segment, ms) if self._talk is not None:
                self._talk.played(segment, ms)
            case Interrupt() if self._talk is not None:
                self._talk.interrupt()

    def _hear(self, data: bytes) -> None:
        if not self._has_started:
            raise Problem("not_started", "Send `start` first.", status=422)
        if self._talk is not None:
            self._talk.hear(data)

    async def _refuse(self, problem: Problem) -> None:
        await self.send(dumps("problem", problem.as_dict()))
        if problem.status in _MENDABLE and problem.code != "bad_audio":
            return
        if self._talk is not None:
            self._talk.end(problem.code)
        else:
            await self.close(code=CLOSE_OFFSET + problem.status, reason=problem.code)

    async def _hold(self, start: Start) -> None:
        if self._patience is not None:
            self._patience.cancel()
        try:
            # A place first: whoever gets none has begun no conversation.
            with one_of_few():
                reason = await self._talked(start)
            await self._hang_up(_CODES.get(reason, _OVER), reason)
        except Problem as problem:
            await self._tell(problem)
        except OUTAGES:
            await self._tell(DatabaseUnavailable())
        except Exception:
            logger.exception("an audio websocket failed")
            await self._hang_up(_FAILED, "failed")

    async def _talked(self, start: Start) -> str:
        """Hold the talk. Returns why it is over."""
        await in_database(check_place)
        conversation_id = await self._conversation(start)
        self._talk = Talk(
            start,
            conversation_id,
            send=self._send,
            is_admitted=lambda: is_admitted(
                self.scope, Permission.CONVERSATIONS_WRITE, conversation_id=conversation_id
            ),
        )
        with contextlib.suppress(OSError, RuntimeError):  # it has gone, which the talk is about to hear
            await self._send(dumps("preparing", {"conversation": str(conversation_id)}))
        return await self._talk.run()

    async def _tell(self, problem: Problem) -> None:
        try:
            await self.send(dumps("problem", problem.as_dict()))
        except (OSError, RuntimeError):  # it has gone meanwhile
            return
        await self._hang_up(CLOSE_OFFSET + problem.status, problem.code)

    async def _hang_up(self, code: int, reason: str) -> None:
        try:
            await self.close(code=code, reason=reason)
        except (OSError, RuntimeError):
            return

    def _give_up(self) -> None:
        lifespan.spawn(self._hang_up(CLOSE_OFFSET + 408, "not_started"), name="end of an audio websocket")

    async def _send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self.send(text_data=message)
        else:
            await self.send(bytes_data=message)

    # --- whose conversation -------------------------------------------------------------------------------------------

    async def _conversation(self, start: Start) -> uuid.UUID:
        if start.conversation is not None:
            await check_caller(self.scope, Permission.CONVERSATIONS_WRITE, conversation_id=start.conversation)
            return start.conversation
        await check_caller(self.scope, Permission.CONVERSATIONS_WRITE, agent_id=start.agent)
        contact = start.contact
        if (token := self.scope["token"]) is not None:
            if contact not in {"", token.contact}:
                raise Problem("forbidden", "This token is another contact's.", status=403)
            if start.channel != "audio" or start.release is not None:
                raise Problem("forbidden", "A token's holder says neither channel nor release.", status=403)
            contact = token.contact
        row = await in_database(self._begin, start, contact)
        return row.pk

    def _begin(self, start: Start, contact: str) -> Conversation:
        assert start.agent is not None
        if start.release is not None:
            self._require_agents_read(start.agent)
        return begin_conversation(
            agent_id=start.agent, channel=start.channel, contact=contact, release_id=start.release
        )

    def _require_agents_read(self, agent_id: uuid.UUID) -> None:
        key, session = self.scope["api_key"], self.scope.get("session")
        caller: Any = ApiKeyCaller(key) if key is not None else member_of(session.session_key if session else None)
        if not allows(caller, Permission.AGENTS_READ):
            require(caller, Permission.AGENTS_READ, on=Agent.objects.filter(pk=agent_id).first())
