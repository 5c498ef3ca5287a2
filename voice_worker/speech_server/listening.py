"""The websocket ``/v1/listen``: Deepgram's streaming protocol, as far as livekit-plugins-deepgram speaks it.

Query: `encoding=linear16`, `sample_rate`, `channels=1`, `language` (English), `interim_results`, `vad_events`,
`endpointing`, `utterance_end_ms`, `keyterm` and `keywords` (repeatable; where given, nothing but these words is heard).
Other parameters of Deepgram's are taken and have no effect. Binary messages are sound; texts are `KeepAlive`,
`Finalize` and `CloseStream`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from switchboard.kernel.side_process import Message, Receive, Refused, Send, raw_headers
from voice_worker.speech_server import frames
from voice_worker.speech_server.children import Child, ChildGone, Children, Full
from voice_worker.speech_server.grammar import MOST_TERM_CHARACTERS, MOST_TERMS
from voice_worker.speech_server.order import HIGHEST_RATE, LEAST_ENDPOINTING_MS, LOWEST_RATE, RATE, ListenOrder

MODEL = "pocketsphinx"
LARGEST_FRAME = 1024 * 1024  # bytes of one message: 30 s at 16 kHz
_IDLE_SECONDS = 30.0  # without sound and without KeepAlive
_LONGEST_SECONDS = 4 * 3600  # of sound in one stream
_ANSWER_SECONDS = 30.0  # that a child may take over the rest, once no more sound comes

_log = logging.getLogger("voice_worker.speech_server")


class _Ended(Exception):
    """The connection is to be closed, with a code of the websocket protocol and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Left(Exception):
    """The client has gone."""


def order_of(query: Mapping[str, list[str]]) -> ListenOrder:
    """What the parameters of an address ask for.

    Raises:
        Refused: they can't be served.
    """
    _require(query, "encoding", {"linear16"}, "encoding must be linear16.")
    _require(query, "channels", {"1"}, "channels must be 1.")
    require_english(_last(query, "language"))
    return ListenOrder(
        sample_rate=_whole(query, "sample_rate", LOWEST_RATE, HIGHEST_RATE, RATE),
        interim_results=_last(query, "interim_results") == "true",
        vad_events=_last(query, "vad_events") == "true",
        endpointing_ms=None
        if _last(query, "endpointing") == "false"
        else _whole(query, "endpointing", 0, 60_000, LEAST_ENDPOINTING_MS),
        utterance_end_ms=_whole(query, "utterance_end_ms", 0, 60_000, 0) or None,
        keyterms=terms_of([*query.get("keyterm", []), *(word.split(":")[0] for word in query.get("keywords", []))]),
    )


def require_english(language: str | None) -> None:
    """Refuse a language that it does not hear."""
    if language and language.lower().partition("-")[0] not in ("en", "english"):
        raise Refused(400, f"Nothing but English is heard here, not {language[:20]}.", code="language_not_supported")


def terms_of(terms: list[str]) -> list[str]:
    """Key terms, checked."""
    if len(terms) > MOST_TERMS or any(len(term) > MOST_TERM_CHARACTERS for term in terms):
        message = f"There may be {MOST_TERMS} key terms at most, of {MOST_TERM_CHARACTERS} characters each."
        raise Refused(400, message, code="too_many_keyterms", param="keyterm")
    return terms


def too_many_streams() -> Refused:
    """What is said to one too many."""
    return Refused(503, "As many streams are heard as may be.", code="too_many_streams", retry_after=2)


async def listen(scope: Message, receive: Receive, send: Send, children: Children) -> None:
    """One connection, from its handshake to its end.

    Raises:
        Refused: before it was accepted.
    """
    order = order_of(parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    try:
        async with children.listener() as child:
            await _Connection(receive, send, child).run(order)
    except Full:
        raise too_many_streams() from None
    except ChildGone as error:
        raise Refused(503, "Nobody can be made to listen. Try again.", code="overloaded", retry_after=2) from error


class _Connection:
    def __init__(self, receive: Receive, send: Send, child: Child) -> None:
        self._receive, self._send, self._child = receive, send, child
        self._request_id = str(uuid.uuid4())
        self._metadata = {
            "request_id": self._request_id,
            "model_info": {"name": MODEL, "version": "5", "arch": MODEL},
            "model_uuid": MODEL,
        }

    async def run(self, order: ListenOrder) -> None:
        await self._receive()  # websocket.connect
        headers = raw_headers({"dg-request-id": self._request_id})
        await self._send({"type": "websocket.accept", "headers": headers})
        try:
            code, reason = await self._converse(order)
        except _Left:
            return
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _converse(self, order: ListenOrder) -> tuple[int, str]:
        """Until one side is through; returns how to close."""
        hearing = asyncio.create_task(self._hear(order))
        telling = asyncio.create_task(self._tell())
        try:
            await asyncio.wait({hearing, telling}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await telling
            else:
                telling.result()
        except _Ended as ended:
            return ended.code, ended.reason
        except (ChildGone, TimeoutError):
            _log.warning("the child that heard a stream was lost")
            return 1011, "NET-0000 The stream was lost. Connect again."
        finally:
            hearing.cancel()
            telling.cancel()
            await asyncio.gather(hearing, telling, return_exceptions=True)
        return 1000, ""

    async def _hear(self, order: ListenOrder) -> None:
        """Pass on what the client sends, until it says that it is through."""
        await self._child.send(frames.packed_json(frames.LISTEN, order.as_json()))
        left = _LONGEST_SECONDS * order.sample_rate * 2
        while True:
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    message = await self._receive()
            except TimeoutError:
                raise _Ended(1011, "NET-0001 Neither sound nor KeepAlive came for 30 seconds.") from None
            if message["type"] == "websocket.disconnect":
                raise _Left
            sound: bytes | None = message.get("bytes")
            if sound:
                left -= len(sound)
                if left < 0:
                    raise _Ended(1008, "The stream is too long. Connect again.")
                await self._child.send(frames.packed(frames.AUDIO, sound))
            elif sound is None and await self._told(message.get("text") or ""):
                return

    async def _told(self, text: str) -> bool:
        """Do what a text message says; whether it was the last."""
        try:
            message = json.loads(text)
            kind = message["type"]
        except (ValueError, RecursionError, TypeError, KeyError):
            raise _Ended(1008, "DATA-0000 A text message must be JSON with a type.") from None
        if kind == "Finalize":
            await self._child.send(frames.packed(frames.FINALIZE))
        elif kind == "CloseStream":
            await self._child.send(frames.packed(frames.CLOSE))
            return True
        elif kind != "KeepAlive":
            raise _Ended(1008, "DATA-0000 The types are KeepAlive, Finalize and CloseStream.")
        return False

    async def _tell(self) -> None:
        """Pass on what the child has heard, until it has heard all."""
        while True:
            kind, payload = await self._child.receive()
            body = json.loads(payload)
            if kind == frames.DONE:
                await self._tell_client({"type": "Metadata", "channels": 1, **self._metadata, **body})
                return
            if body["type"] == "Results":
                body["metadata"] = self._metadata
            await self._tell_client(body)

    async def _tell_client(self, body: dict[str, Any]) -> None:
        try:
            await self._send({"type": "websocket.send", "text": json.dumps(body, separators=(",", ":"))})
        except OSError:  # uvicorn's word for a client that has left
            raise _Left from None


def _last(query: Mapping[str, list[str]], name: str) -> str | None:
    values = query.get(name)
    return values[-1] if values else None


def _require(query: Mapping[str, list[str]], name: str, allowed: set[str], message: str) -> None:
    value = _last(query, name)
    if value is not None and value not in allowed:
        raise Refused(400, message, code="invalid_value", param=name)


def _whole(query: Mapping[str, list[str]], name: str, least: int, most: int, default: int) -> int:
    value = _last(query, name)
    if value in (None, "", "true"):
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
        raise Refused(400, f"{name} must be a number from {least} to {most}.", code="invalid_value", param=name)
    return int(value)
