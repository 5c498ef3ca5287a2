"""A conversation over a websocket: the same events, the same rules, both ways on one connection."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from typing import Any, Final
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from conversations import queries, runner
from conversations.events.stream import follow, while_admitted
from conversations.socket_callers import check_caller, is_admitted
from switchboard.kernel import lifespan
from switchboard.kernel.database import OUTAGES, DatabaseUnavailable, in_database
from switchboard.kernel.problems import Problem
from switchboard.kernel.text import check_text
from tenants.permissions import Permission
from tenants.sockets import CLOSE_OFFSET

logger = logging.getLogger(__name__)

_KEY: Final = re.compile(r"[\x21-\x7e]{1,120}\Z")
# RFC 6455 §7.4.1, and our own.
_GOING_AWAY: Final = 1001
_FAILED: Final = 1011
_NOT_ADMITTED: Final = CLOSE_OFFSET + 401


class ConversationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """`/ws/conversations/{id}?after=N`.

    In: `{"type": "message", "content": …, "idempotency_key": …}`, `{"type": "cancel", "turn": …}`.
    Out: `{"id": N, "event": …, "data": …}` as over SSE, `{"event": "accepted", …}`, `{"event": "problem", …}`,
    `{"event": "ping"}`.
    """

    _follower: asyncio.Task[Any] | None = None

    async def connect(self) -> None:
        """Admit the caller and begin to send events."""
        self.conversation_id = uuid.UUID(str(self.scope["url_route"]["kwargs"]["conversation_id"]))
        try:
            await self._check_caller(Permission.CONVERSATIONS_READ)
            await in_database(queries.conversation, self.conversation_id)
            after = _after(self.scope.get("query_string", b""))
        except Problem as problem:
            await self.close(code=CLOSE_OFFSET + problem.status, reason=problem.code)
            return
        await self.accept(self._subprotocol())
        self._follower = lifespan.spawn(self._send_events(after), name="socket events")

    async def disconnect(self, code: int) -> None:
        """The turn goes on; only the sending ends."""
        if self._follower is not None:
            self._follower.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One request of the client's."""
        if not await self._is_admitted():
            await self.close(code=_NOT_ADMITTED)
            return
        try:
            await self._handle(_parse(text_data))
        except Problem as problem:
            await self._send({"event": "problem", "data": problem.as_dict()})
        except OUTAGES:
            await self._send({"event": "problem", "data": DatabaseUnavailable().as_dict()})

    async def _handle(self, request: dict[str, Any]) -> None:
        await self._check_caller(Permission.CONVERSATIONS_WRITE)
        match request:
            case {"type": "message", "content": str(content), **rest}:
                key = _idempotency_key(rest.get("idempotency_key"))
                text = check_text(content, field="content", max_bytes=settings.MESSAGE_LIMIT_BYTES)
                accepted = await runner.accept(
                    conversation_id=self.conversation_id,
                    content=text,
                    idempotency_key=key,
                )
                if accepted.job is not None:
                    runner.run(accepted.job)
                data = {"turn": str(accepted.turn_id), "message": str(accepted.message_id)}
                await self._send({"event": "accepted", "data": data})
            case {"type": "cancel", "turn": str(turn)}:
                await runner.cancel(conversation_id=self.conversation_id, turn_id=_uuid(turn))
            case _:
                raise Problem("unknown_request", "Send a message or a cancel.", status=422)

    async def _send_events(self, after: int) -> None:
        try:
            async for record in while_admitted(follow(self.conversation_id, after=after), self._is_admitted):
                await self.send('{"event":"ping"}' if record is None else record.as_socket_text())
            await self.close(code=_GOING_AWAY if await self._is_admitted() else _NOT_ADMITTED)
        except OSError:
            # The client is gone, and its `disconnect` is on its way to us (ASGI, "Disconnected Client").
            return
        except Exception:
            # A socket that stays open and says nothing more is worse than one that ends: its client comes back.
            logger.exception("a socket's events ended")
            await self.close(code=_FAILED)

    async def _send(self, value: dict[str, Any]) -> None:
        await self.send(json.dumps(value, ensure_ascii=False))

    async def _check_caller(self, permission: Permission) -> None:
        await check_caller(self.scope, permission, conversation_id=self.conversation_id)

    async def _is_admitted(self) -> bool:
        return await is_admitted(self.scope, Permission.CONVERSATIONS_READ, conversation_id=self.conversation_id)

    def _subprotocol(self) -> str | None:
        # The handshake fails in a browser that offered subprotocols and got none; the key itself is not echoed.
        return "switchboard" if "switchboard" in self.scope.get("subprotocols", ()) else None


def _after(query_string: bytes) -> int:
    value = parse_qs(query_string.decode("latin-1")).get("after", ["0"])[0]
    if not value.isascii() or not value.isdigit() or len(value) > 15:
        raise Problem("invalid_event_id", "`after` is the number of an event.", status=422)
    return int(value)


def _parse(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Problem("bad_request", "This is not JSON.", status=400) from None
    if not isinstance(value, dict):
        raise Problem("bad_request", "Send a JSON object.", status=400)
    return value


def _idempotency_key(value: object) -> str | None:
    """As the `Idempotency-Key` header's."""
    if value is None:
        return None
    if not isinstance(value, str) or not _KEY.match(value):
        detail = "`idempotency_key` takes 1 to 120 visible ASCII characters."
        raise Problem("invalid_idempotency_key", detail, status=422)
    return value


def _uuid(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise Problem("unknown_request", "`turn` is the id of a turn.", status=422) from None
