"""The speech server's face, as an ASGI application."""

from __future__ import annotations

import json
import logging
from typing import Any

from switchboard.kernel.side_process import (
    ClientGone,
    Message,
    Receive,
    Refused,
    Send,
    header,
    raw_headers,
    send_json,
)
from voice_worker.speech_server import listening, speaking, transcribing
from voice_worker.speech_server.children import Children

_log = logging.getLogger("voice_worker.speech_server")

_FAILED = Refused(500, "The speech server failed on this request.", code="internal_error")
_PATHS = {"/v1/audio/speech", "/v1/audio/transcriptions", "/v1/listen", "/v1/models", "/healthz"}


class SpeechApp:
    """The ASGI application around the children that hear and speak.

    Args:
        streams: how many streams may be heard at once.
    """

    def __init__(self, *, streams: int) -> None:
        self._children = Children(streams=streams)
        self._mouth = speaking.Mouth(self._children)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._children.start()
                except Exception as error:
                    _log.exception("the models can't be loaded")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
            else:
                self._mouth.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            _refuse_pages(scope)
            await self._answer(scope, receive, noting)
        except Refused as refusal:
            await send_json(send, refusal.status, refusal.body, refusal.headers)
        except ClientGone:
            return
        except Exception:
            _log.exception("a request failed")
            if begun:
                raise  # which breaks the answer off, so that nobody takes it for whole
            await send_json(send, 500, _FAILED.body, {})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        match scope["method"], scope["path"]:
            case "POST", "/v1/audio/speech":
                await speaking.speech(scope, receive, send, self._mouth)
            case "POST", "/v1/audio/transcriptions":
                await _send(send, await transcribing.transcription(scope, receive, self._children))
            case "POST", "/v1/listen":
                await _send(send, await transcribing.recording(scope, receive, self._children))
            case "GET" | "HEAD", "/healthz":
                load = {"listening": self._children.listening, "streams": self._children.streams}
                await _send(send, {"status": "ok", **load})
            case "GET", "/v1/models":
                names = (listening.MODEL, speaking.MODEL)
                models = [{"id": name, "object": "model", "owned_by": "local"} for name in names]
                await _send(send, {"object": "list", "data": models})
            case method, path if path in _PATHS:
                raise Refused(405, f"{method} is not allowed here.", code="method_not_allowed")
            case _:
                raise Refused(404, "There is nothing here.", code="not_found")

    async def _websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] != "/v1/listen":
                raise Refused(404, "There is nothing here; streams are heard at /v1/listen.", code="not_found")
            _refuse_pages(scope)
            await listening.listen(scope, receive, send, self._children)
        except Refused as refusal:
            await _refuse_handshake(receive, send, refusal)


def _refuse_pages(scope: Message) -> None:
    # A page of any website may post a form here, or open a socket, without asking. Its browser says so.
    if header(scope, b"origin"):
        raise Refused(403, "Web pages are not served here.", code="forbidden")


async def _send(send: Send, answer: dict[str, Any] | str) -> None:
    if isinstance(answer, dict):
        await send_json(send, 200, answer, {})
        return
    headers = raw_headers({"content-type": "text/plain; charset=utf-8"})
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer.encode()})


async def _refuse_handshake(receive: Receive, send: Send, refusal: Refused) -> None:
    """Answer a handshake with an error in Deepgram's shape instead of a socket."""
    await receive()  # websocket.connect
    body = json.dumps({"err_code": refusal.code, "err_msg": str(refusal)}).encode()
    headers = raw_headers({"content-type": "application/json", "content-length": str(len(body)), **refusal.headers})
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
