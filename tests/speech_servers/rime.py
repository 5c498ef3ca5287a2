"""Rime's speech over a websocket (ws3): docs.rime.ai/api-reference/endpoint/websockets-json."""

from __future__ import annotations

import base64
import json

from aiohttp import WSMsgType, web

from tests.speech_servers.server import SpeechServer, pieces, tone


def routes(server: SpeechServer) -> list[web.RouteDef]:
    async def speak(request: web.Request) -> web.StreamResponse:
        asked = server.note("rime", request, request.headers.get("Authorization", ""))
        refused = await server.refuse("rime")
        if refused is not None:
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        behaviour = server.behaviour("rime")
        sound = tone(rate=int(request.query["samplingRate"]))
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            order = json.loads(message.data)
            asked.said.append(order)
            if order.get("operation") != "flush":
                continue
            if behaviour == "garbage":
                await socket.send_str("{{{ no JSON")
                break
            for number, part in enumerate(pieces(sound)):
                if behaviour == "half" and number == 3:
                    await socket.close(code=1011)
                    return socket
                await socket.send_json({"type": "chunk", "data": base64.b64encode(part).decode()})
            await socket.send_json({"type": "done"})
        await socket.close()
        return socket

    return [web.get("/rime/ws3", speak)]
