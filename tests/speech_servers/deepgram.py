"""Deepgram's live transcription: developers.deepgram.com/reference/speech-to-text/listen-streaming.

It hears half a second of anything as `HEARD`: unless it is `deaf`, and where it `breaks_after` it hangs up then.
`built_in` is the same protocol at the platform's own address.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.speech_servers.server import HEARD, Asked, SpeechServer

_ENOUGH = 16000  # bytes: half a second at 16 kHz


def routes(server: SpeechServer) -> list[web.RouteDef]:
    def at(provider: str) -> Any:
        async def listen(request: web.Request) -> web.StreamResponse:
            return await _listen(server, provider, request)

        return listen

    return [
        web.get("/deepgram/v1/listen", at("deepgram")),
        web.get("/second/v1/listen", at("second")),
        web.get("/built_in/v1/listen", at("built_in")),
    ]


async def _listen(server: SpeechServer, provider: str, request: web.Request) -> web.StreamResponse:
    asked = server.note(provider, request, request.headers.get("Authorization", ""))
    refused = await server.refuse(provider)
    if refused is not None:
        return refused
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    told = False
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            asked.audio += len(message.data)
            asked.sound += message.data
        elif message.type is WSMsgType.TEXT:
            said = json.loads(message.data)
            asked.said.append(said)
            if said.get("type") == "CloseStream":
                await socket.send_json({"type": "Metadata", "request_id": "r-1"})
                break
        if asked.audio >= _ENOUGH and not told:
            told = True
            await _tell(socket, server.behaviour(provider), asked)
            if server.behaviour(provider) in ("half", "breaks_after"):
                break
    await socket.close()
    return socket


async def _tell(socket: web.WebSocketResponse, behaviour: str, asked: Asked) -> None:
    if behaviour == "deaf":
        return
    if behaviour == "garbage":
        await socket.send_str("\x00 this is not JSON {{{")
        return
    await socket.send_json({"type": "SpeechStarted", "timestamp": 0.1})
    await socket.send_json(_results(HEARD[:11], is_final=False, ends=False))
    if behaviour != "half":
        await socket.send_json(_results(HEARD, is_final=True, ends=True))


def _results(text: str, *, is_final: bool, ends: bool) -> dict[str, Any]:
    words = [
        {"word": word, "punctuated_word": word, "start": n * 0.3, "end": n * 0.3 + 0.2, "confidence": 0.98}
        for n, word in enumerate(text.split())
    ]
    return {
        "type": "Results",
        "is_final": is_final,
        "speech_final": ends,
        "start": 0.0,
        "duration": 0.5,
        "channel_index": [0, 1],
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.98, "words": words, "languages": ["en"]}]},
        "metadata": {"request_id": "r-1", "model_info": {"name": "nova-3"}},
    }
