"""`/audio/transcriptions` and `/audio/speech`, as OpenAI, Groq and servers like them have them.

platform.openai.com/docs/api-reference/audio, console.groq.com/docs/speech-to-text
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from typing import Any

from aiohttp import web

from tests.speech_servers.server import HEARD, RATE, SPOKEN, SpeechServer, pieces

_PROVIDERS = ("openai", "groq", "compatible", "built_in", "second_http")
_ROOTS = {"groq": "/groq/openai/v1"}


def root_of(provider: str) -> str:
    return _ROOTS.get(provider, f"/{provider}/v1")


def routes(server: SpeechServer) -> list[web.RouteDef]:
    def at(provider: str, answer: Any) -> Any:
        async def handler(request: web.Request) -> web.StreamResponse:
            result: web.StreamResponse = await answer(server, provider, request)
            return result

        return handler

    return [
        web.post(f"{root_of(provider)}/audio/{path}", at(provider, answer))
        for provider in _PROVIDERS
        for path, answer in (("transcriptions", _transcribe), ("speech", _speak))
    ]


async def _transcribe(server: SpeechServer, provider: str, request: web.Request) -> web.StreamResponse:
    asked = server.note(provider, request, request.headers.get("Authorization", ""))
    form = await request.post()
    sound = form["file"]
    assert isinstance(sound, web.FileField)
    with wave.open(sound.file, "rb") as opened:
        asked.audio = opened.getnframes() * opened.getsampwidth()
    asked.said.append({name: str(value) for name, value in form.items() if name != "file"})
    refused = await server.refuse(provider)
    if refused is not None:
        return refused
    match server.behaviour(provider):
        case "garbage":
            return web.Response(body=b"\xff\x00<<garbage", content_type="application/json")
        case "half":
            return await _cut_off(request, json.dumps({"text": HEARD}).encode(), "application/json")
    return web.json_response({"text": HEARD})


async def _speak(server: SpeechServer, provider: str, request: web.Request) -> web.StreamResponse:
    asked = server.note(provider, request, request.headers.get("Authorization", ""))
    order = await request.json()
    asked.said.append(order)
    refused = await server.refuse(provider)
    if refused is not None:
        return refused
    behaviour = server.behaviour(provider)
    if behaviour == "garbage":
        return web.Response(text="<html>no sound here</html>", content_type="text/html")
    wanted = order.get("response_format", "mp3")
    if order.get("stream_format") == "sse" and provider == "openai":
        return await _events(request, cut=behaviour == "half")
    sound = SPOKEN if wanted == "pcm" else _wav()
    kind = "audio/pcm" if wanted == "pcm" else "audio/wav"
    if behaviour == "half":
        return await _cut_off(request, sound, kind)
    return await _whole(request, sound, kind)


async def _events(request: web.Request, *, cut: bool) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for part in pieces(SPOKEN if not cut else SPOKEN[: len(SPOKEN) // 2]):
        event = {"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()}
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    if cut:
        assert request.transport is not None
        request.transport.abort()
        return response
    used = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
    await response.write(f"data: {json.dumps({'type': 'speech.audio.done', 'usage': used})}\n\n".encode())
    await response.write_eof()
    return response


async def _whole(request: web.Request, body: bytes, kind: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    for part in pieces(body):
        await response.write(part)
    await response.write_eof()
    return response


async def _cut_off(request: web.Request, body: bytes, kind: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind, "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(0.05)
    assert request.transport is not None
    request.transport.abort()
    return response


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes(SPOKEN)
    return file.getvalue()
