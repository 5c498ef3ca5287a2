"""A whole recording at once: OpenAI's ``POST /v1/audio/transcriptions`` and Deepgram's ``POST /v1/listen``."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import uuid
import wave
from array import array
from typing import Any
from urllib.parse import parse_qs

from switchboard.kernel.side_process import (
    Message,
    Receive,
    Refused,
    content_type,
    header,
    read_body,
    unless_gone,
)
from voice_worker.speech_server import frames
from voice_worker.speech_server.children import Child, ChildGone, Children, Full
from voice_worker.speech_server.listening import MODEL, order_of, require_english, terms_of, too_many_streams
from voice_worker.speech_server.multipart import form
from voice_worker.speech_server.order import HIGHEST_RATE, LOWEST_RATE, ListenOrder

MAX_BODY_BYTES = 25 * 1024 * 1024
MAX_SECONDS = 300
_PAUSE_MS = 700  # that parts two segments of a recording
_PIECE_BYTES = 64 * 1024
_LONGEST_WORK = 120.0  # seconds


async def transcription(scope: Message, receive: Receive, children: Children) -> dict[str, Any] | str:
    """OpenAI's answer: `{"text": …}`, or the text itself for `response_format=text`.

    Raises:
        Refused, ClientGone.
    """
    if content_type(scope) != b"multipart/form-data":
        raise Refused(400, "Send multipart/form-data with a file.", code="invalid_content_type")
    body = await read_body(receive, most=MAX_BODY_BYTES)
    fields = form(header(scope, b"content-type"), body)
    response_format = _text(fields, "response_format") or "json"
    if response_format not in ("json", "text"):
        raise Refused(400, "response_format must be json or text.", code="invalid_value", param="response_format")
    require_english(_text(fields, "language"))
    if "file" not in fields:
        raise Refused(400, "file is missing.", code="invalid_value", param="file")
    pcm, rate = _sound(fields["file"][0])
    terms = terms_of([value.decode("utf-8", errors="replace") for value in fields.get("keyterm", [])])
    order = ListenOrder(sample_rate=rate, endpointing_ms=_PAUSE_MS, keyterms=terms)
    text = " ".join(_transcript(result) for result in await _heard(pcm, order, receive, children)).strip()
    return text if response_format == "text" else {"text": text}


async def recording(scope: Message, receive: Receive, children: Children) -> dict[str, Any]:
    """Deepgram's answer for a recording.

    Raises:
        Refused, ClientGone.
    """
    if content_type(scope) not in (b"audio/wav", b"audio/wave", b"audio/x-wav"):
        raise Refused(400, "Send a WAV file, with Content-Type: audio/wav.", code="invalid_content_type")
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    asked = order_of({**query, "encoding": ["linear16"], "channels": ["1"]})
    pcm, rate = _sound(await read_body(receive, most=MAX_BODY_BYTES))
    order = ListenOrder(sample_rate=rate, endpointing_ms=_PAUSE_MS, keyterms=asked.keyterms)
    alternatives = [result["channel"]["alternatives"][0] for result in await _heard(pcm, order, receive, children)]
    words = [word for alternative in alternatives for word in alternative["words"]]
    whole = {
        "transcript": " ".join(filter(None, (alternative["transcript"] for alternative in alternatives))),
        "confidence": round(sum(word["confidence"] for word in words) / len(words), 3) if words else 0.0,
        "words": words,
    }
    metadata = {"request_id": str(uuid.uuid4()), "duration": len(pcm) / 2 / rate, "channels": 1, "models": [MODEL]}
    return {"metadata": metadata, "results": {"channels": [{"alternatives": [whole]}]}}


async def _heard(pcm: bytes, order: ListenOrder, receive: Receive, children: Children) -> list[dict[str, Any]]:
    try:
        async with children.listener() as child, asyncio.timeout(_LONGEST_WORK):
            return await unless_gone(_results(child, pcm, order), receive)
    except Full:
        raise too_many_streams() from None
    except TimeoutError:
        raise Refused(503, "The recording took too long to hear.", code="overloaded", retry_after=5) from None
    except ChildGone as error:
        raise Refused(503, "The recording was lost. Try again.", code="overloaded", retry_after=1) from error


async def _results(child: Child, pcm: bytes, order: ListenOrder) -> list[dict[str, Any]]:
    async def give() -> None:
        await child.send(frames.packed_json(frames.LISTEN, order.as_json()))
        for start in range(0, len(pcm), _PIECE_BYTES):
            await child.send(frames.packed(frames.AUDIO, pcm[start : start + _PIECE_BYTES]), within=_LONGEST_WORK)
        await child.send(frames.packed(frames.CLOSE))

    giving = asyncio.create_task(give())
    try:
        results: list[dict[str, Any]] = []
        while True:
            kind, payload = await child.receive()
            if kind == frames.DONE:
                return results
            results.append(json.loads(payload))
    finally:
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)


def _sound(data: bytes) -> tuple[bytes, int]:
    """PCM16, mono, and its rate, of a WAV file; of several channels the first is taken."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:
        raise Refused(400, "file must be a WAV file of PCM samples.", code="invalid_audio", param="file") from error
    if width != 2 or not LOWEST_RATE <= rate <= HIGHEST_RATE or not 1 <= channels <= 8:
        message = f"The WAV file must have samples of 16 bits at {LOWEST_RATE} to {HIGHEST_RATE} Hz."
        raise Refused(400, message, code="invalid_audio", param="file")
    pcm = pcm[: len(pcm) // (2 * channels) * 2 * channels]
    if len(pcm) > MAX_SECONDS * rate * 2 * channels:
        raise Refused(413, f"The recording is longer than {MAX_SECONDS} seconds.", code="recording_too_long")
    if channels > 1:
        samples = array("h", pcm)
        if sys.byteorder == "big":
            samples.byteswap()
        samples = samples[::channels]
        if sys.byteorder == "big":
            samples.byteswap()
        pcm = samples.tobytes()
    return pcm, rate


def _transcript(result: dict[str, Any]) -> str:
    transcript: str = result["channel"]["alternatives"][0]["transcript"]
    return transcript


def _text(fields: dict[str, list[bytes]], name: str) -> str | None:
    return fields[name][-1].decode("utf-8", errors="replace") if fields.get(name) else None
