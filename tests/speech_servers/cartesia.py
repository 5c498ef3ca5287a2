"""Cartesia's speech over a websocket: docs.cartesia.ai/api-reference/tts/websocket."""

from __future__ import annotations

import base64
import json

from aiohttp import WSMsgType, web

from tests.speech_servers.server import SPOKEN, SpeechServer, pieces


def routes(server: SpeechServer) -> list[web.RouteDef]:
    async def speak(request: web.Request) -> web.StreamResponse:
        asked = server.note("cartesia", request, request.headers.get("X-API-Key", ""))
        refused = await server.refuse("cartesia")
        if refused is not None:
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        behaviour = server.behaviour("cartesia")
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            order = json.loads(message.data)
            asked.said.append(order)
            if order.get("continue"):
                continue
            if behaviour == "garbage":
                await socket.send_str("{{{ no JSON")
                break
            context = order["context_id"]
            for number, part in enumerate(pieces(SPOKEN)):
                if behaviour == "half" and number == 3:
                    await socket.close(code=1011)
                    return socket
                data = base64.b64encode(part).decode()
                await socket.send_json(
                    {"type": "chunk", "context_id": context, "data": data, "done": False, "status_code": 206}
                )
            await socket.send_json({"type": "done", "context_id": context, "done": True, "status_code": 200})
        await socket.close()
        return socket

    return [web.get("/cartesia/tts/websocket", speak)]
