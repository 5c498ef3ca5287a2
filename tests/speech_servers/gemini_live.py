"""Gemini's Live API: ai.google.dev/api/live. It is set up, takes sound and turns, and speaks or calls a tool."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.speech_servers.server import HEARD, SPOKEN, SpeechServer, pieces

_USAGE = {"promptTokenCount": 40, "responseTokenCount": 20, "totalTokenCount": 60}


def routes(server: SpeechServer) -> list[web.RouteDef]:
    async def talk(request: web.Request) -> web.StreamResponse:
        asked = server.note("gemini", request, request.headers.get("x-goog-api-key", ""))
        refused = await server.refuse("gemini")
        if refused is not None:
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        tool, told = "", False
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            event = json.loads(message.data)
            if sound := event.get("realtime_input", event.get("realtimeInput", {})):
                if server.behaviour("gemini") != "well":  # it was, when this socket was opened
                    await socket.close(code=1011)
                    break
                for one in [sound.get("audio"), *(sound.get("mediaChunks") or sound.get("media_chunks") or [])]:
                    asked.audio += len(base64.urlsafe_b64decode(one["data"] + "==")) if one else 0
                if not sound.get("text"):
                    continue
            asked.said.append(event)
            if setup := event.get("setup"):
                tool = _first_tool(setup)
                await _send(socket, {"setupComplete": {"sessionId": "g-1"}})
                continue
            if "tool_response" in event or "toolResponse" in event:
                told = True
            await _respond(socket, "" if told else tool)
        return socket

    return [web.get("/{any:ws/google.ai.generativelanguage..*}", talk)]


def _first_tool(setup: dict[str, Any]) -> str:
    for tool in setup.get("tools") or []:
        for declared in tool.get("functionDeclarations") or tool.get("function_declarations") or []:
            return str(declared["name"])
    return ""


async def _respond(socket: web.WebSocketResponse, tool: str) -> None:
    if tool:
        call = {"id": "call-1", "name": tool, "args": {"day": "sunday"}}
        await _send(socket, {"toolCall": {"functionCalls": [call]}})
        return
    for part in pieces(SPOKEN):
        inline = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(part).decode()}
        await _send(socket, {"serverContent": {"modelTurn": {"role": "model", "parts": [{"inlineData": inline}]}}})
    await _send(socket, {"serverContent": {"outputTranscription": {"text": HEARD}}})
    await _send(socket, {"serverContent": {"generationComplete": True}})
    await _send(socket, {"serverContent": {"turnComplete": True}, "usageMetadata": _USAGE})


async def _send(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
    await socket.send_bytes(json.dumps(message).encode())
