"""ElevenLabs' speech, over its websocket of several contexts:
elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input
"""

from __future__ import annotations

import base64
import json
from typing import Any

import av
import numpy as np
from aiohttp import WSMsgType, web

from tests.speech_servers.server import SPOKEN, SpeechServer, pieces, tone


def routes(server: SpeechServer) -> list[web.RouteDef]:
    async def speak(request: web.Request) -> web.StreamResponse:
        asked = server.note("elevenlabs", request, request.headers.get("xi-api-key", ""))
        refused = await server.refuse("elevenlabs")
        if refused is not None:
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        behaviour = server.behaviour("elevenlabs")
        sound = _sound(request.query["output_format"])
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            order = json.loads(message.data)
            asked.said.append(order)
            if not order.get("close_context"):
                continue
            if behaviour == "garbage":
                await socket.send_str("{{{ no JSON")
                break
            await _tell(socket, order["context_id"], sound, half=behaviour == "half")
            if behaviour == "half":
                break
        await socket.close(code=1011 if behaviour != "well" else 1000)
        return socket

    return [web.get("/elevenlabs/v1/text-to-speech/{voice}/multi-stream-input", speak)]


async def _tell(socket: web.WebSocketResponse, context: str, sound: bytes, *, half: bool) -> None:
    for part in pieces(sound[: len(sound) // 2] if half else sound):
        await socket.send_json({"contextId": context, "audio": base64.b64encode(part).decode()})
    if not half:
        await socket.send_json({"contextId": context, "isFinal": True})


def _sound(wanted: str) -> bytes:
    kind, rate = wanted.split("_")[:2]
    if kind == "pcm":
        return SPOKEN if int(rate) == 24000 else tone(rate=int(rate))
    return _mp3(int(rate))


def _mp3(rate: int) -> bytes:
    codec: Any = av.CodecContext.create("libmp3lame", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = rate, "mono", "s16p", 32000
    samples = np.frombuffer(tone(rate=rate), dtype="<i2")
    size = codec.frame_size or 576
    packets = []
    codec.open()
    size = codec.frame_size or size
    for at in range(0, len(samples) - size, size):
        frame = av.AudioFrame.from_ndarray(samples[at : at + size].reshape(1, -1), format="s16p", layout="mono")
        frame.sample_rate, frame.pts = rate, at
        packets += codec.encode(frame)
    packets += codec.encode(None)
    return b"".join(bytes(packet) for packet in packets)
