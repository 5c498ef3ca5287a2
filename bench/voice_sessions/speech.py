"""Ears and a voice that cost nothing, in a process of their own: `python -m bench.voice_sessions.speech --port N`.

They speak the built-in ears' and voice's protocols (Deepgram's live transcription, OpenAI's speech). Whatever is loud
was `WORDS`, told a fifth of a second after it ends, if it was long enough for them; whatever is to be said is a second
of a tone.
"""

from __future__ import annotations

import argparse
import array
import json
import math
from typing import Any, Final

from aiohttp import WSMsgType, web

WORDS: Final = "what time is breakfast"
_LOUD: Final = 500
_PAUSE_SECONDS: Final = 0.2
# Of loud sound; the words take one. A machine too busy tears holes into them.
_LEAST_SECONDS: Final = 0.5
_RATE: Final = 24_000
_TONE: Final = array.array("h", (int(9000 * math.sin(n / 9)) for n in range(_RATE))).tobytes()


async def _listen(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    rate = int(request.query.get("sample_rate", "16000"))
    is_speech, loud, silent = False, 0.0, 0.0
    async for message in socket:
        if message.type is WSMsgType.TEXT and json.loads(message.data).get("type") == "CloseStream":
            break
        if message.type is not WSMsgType.BINARY:
            continue
        samples = memoryview(message.data).cast("h")
        if max(samples, default=0) > _LOUD:
            if not is_speech:
                is_speech = True
                await socket.send_json({"type": "SpeechStarted", "timestamp": 0.1})
                await socket.send_json(_results(WORDS[:9], is_final=False))
            loud, silent = loud + len(samples) / rate, 0.0
        elif is_speech:
            silent += len(samples) / rate
            if silent >= _PAUSE_SECONDS and loud >= _LEAST_SECONDS:
                is_speech, loud = False, 0.0
                await socket.send_json(_results(WORDS, is_final=True))
    await socket.close()
    return socket


def _results(text: str, *, is_final: bool) -> dict[str, Any]:
    heard = {"transcript": text, "confidence": 0.98, "words": [], "languages": ["en"]}
    return {
        "type": "Results",
        "is_final": is_final,
        "speech_final": is_final,
        "start": 0.0,
        "duration": 0.5,
        "channel_index": [0, 1],
        "channel": {"alternatives": [heard]},
        "metadata": {"request_id": "bench"},
    }


async def _speak(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=_TONE, content_type="audio/pcm")


async def _health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def main() -> None:
    """Serve on loopback until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.voice_sessions.speech", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    app = web.Application()
    app.add_routes([web.get("/healthz", _health), web.get("/v1/listen", _listen), web.post("/v1/audio/speech", _speak)])
    web.run_app(app, host="127.0.0.1", port=parser.parse_args().port, print=None)


if __name__ == "__main__":
    main()
