"""OpenAI's realtime API: platform.openai.com/docs/api-reference/realtime.

It sets the session up, takes sound, and at `response.create` speaks, or calls the first tool it was offered until it
has been told what came of that.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.speech_servers.server import HEARD, SPOKEN, Asked, SpeechServer, pieces

_USAGE = {
    "total_tokens": 60,
    "input_tokens": 40,
    "output_tokens": 20,
    "input_token_details": {"text_tokens": 10, "audio_tokens": 30, "cached_tokens": 0, "image_tokens": 0},
    "output_token_details": {"text_tokens": 5, "audio_tokens": 15},
}


def routes(server: SpeechServer) -> list[web.RouteDef]:
    async def talk(request: web.Request) -> web.StreamResponse:
        asked = server.note("openai_realtime", request, request.headers.get("Authorization", ""))
        refused = await server.refuse("openai_realtime")
        if refused is not None:
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "session.created", "event_id": "e-0", "session": {"id": "s-1"}})
        session: dict[str, Any] = {}
        answers = 0
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            match event["type"]:
                case "input_audio_buffer.append":
                    if server.behaviour("openai_realtime") != "well":  # it was, when this socket was opened
                        await socket.close(code=1011)
                        break
                    asked.audio += len(base64.b64decode(event["audio"]))
                    continue
                case "session.update":
                    session |= event["session"]
                    await socket.send_json({"type": "session.updated", "event_id": "e-1", "session": session})
                case "conversation.item.create":
                    added = {"type": "conversation.item.added", "event_id": "e-2", "item": event["item"]}
                    await socket.send_json({**added, "previous_item_id": event.get("previous_item_id")})
                case "response.create":
                    answers += 1
                    await _respond(socket, event, _tool(session, asked), _arguments(session), answers)
            asked.said.append(event)
        return socket

    return [web.get("/openai/v1/realtime", talk)]


def _tool(session: dict[str, Any], asked: Asked) -> str:
    """The first tool on offer, as long as nobody has told what one gave."""
    told = any(said.get("item", {}).get("type") == "function_call_output" for said in asked.said)
    tools = session.get("tools") or []
    return "" if told or not tools else str(tools[0]["name"])


def _arguments(session: dict[str, Any]) -> dict[str, str]:
    """What the tool on offer asks for: a day, or words."""
    tools = session.get("tools") or [{}]
    wanted = tools[0].get("parameters", {}).get("properties", {})
    return {name: "sunday" if name == "day" else HEARD for name in wanted}


async def _respond(
    socket: web.WebSocketResponse, event: dict[str, Any], tool: str, arguments: dict[str, str], number: int
) -> None:
    response_id, item_id = f"resp-{number}", f"item-{number}"
    metadata = (event.get("response") or {}).get("metadata")

    async def send(kind: str, **more: Any) -> None:
        await socket.send_json({"type": kind, "event_id": f"e-{kind}", "response_id": response_id, **more})

    whole = {"id": response_id, "object": "realtime.response", "status": "in_progress", "metadata": metadata}
    await send("response.created", response=whole)
    place = {"output_index": 0, "item_id": item_id, "content_index": 0}
    if tool:
        item = {"id": item_id, "type": "function_call", "name": tool, "call_id": "call-1", "arguments": ""}
        await send("response.output_item.added", output_index=0, item=item)
        item = {**item, "arguments": json.dumps(arguments), "status": "completed"}
    else:
        item = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        await send("response.output_item.added", output_index=0, item=item)
        await send("response.content_part.added", **place, part={"type": "audio", "transcript": ""})
        await send("response.output_audio_transcript.delta", **place, delta=HEARD)
        for part in pieces(SPOKEN):
            await send("response.output_audio.delta", **place, delta=base64.b64encode(part).decode())
        await send("response.output_audio.done", **place)
        item = {**item, "status": "completed", "content": [{"type": "output_audio", "transcript": HEARD}]}
    await send("response.output_item.done", output_index=0, item=item)
    await send("response.done", response={**whole, "status": "completed", "output": [item], "usage": _USAGE})
