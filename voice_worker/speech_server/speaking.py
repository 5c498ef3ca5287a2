"""``POST /v1/audio/speech`` as OpenAI's API has it: text in, sound out, sentence by sentence as it is spoken."""

from __future__ import annotations

import asyncio
import json
import re
import struct
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from switchboard.kernel.side_process import Message, Receive, Refused, Send, content_type, raw_headers, read_body
from voice_worker.speech_server import frames
from voice_worker.speech_server.children import Child, ChildGone, Children
from voice_worker.speech_server.espeak import MOST_CHARACTERS
from voice_worker.speech_server.order import SPOKEN_RATE

MODEL = "espeak-ng"
MAX_INPUT_CHARACTERS = 4_096
_MAX_BODY_BYTES = 128 * 1024
_SENTENCE_SECONDS = 10.0
_SENTENCE = re.compile(r"(?<=[.!?…:;])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_VOICE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,12}){0,3}(?:\+[a-z0-9]{1,12})?")
# Clients that know OpenAI's voices alone get the platform's own.
_OPENAI_VOICES = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse default".split()  # noqa: SIM905
)
_DEFAULT_VOICE = "en-us"


@dataclass(frozen=True, slots=True)
class _Order:
    text: str
    voice: str
    speed: float
    response_format: str


class Mouth:
    """The child that speaks, one sentence at a time for all; made when first needed, and again if it is lost."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._child: Child | None = None
        self._lock = asyncio.Lock()

    async def say(self, sentence: str, *, voice: str, speed: float) -> bytes | None:
        """The sentence as PCM16 at 24 kHz; None where nobody has such a voice.

        Raises:
            ChildGone: it can't be spoken; two children were lost over it.
        """
        frame = frames.packed_json(frames.SPEAK, {"text": sentence, "voice": voice, "speed": speed})
        async with self._lock:
            try:
                kind, sound = await self._ask(frame)
            except ChildGone:
                kind, sound = await self._ask(frame)
        return sound if kind == frames.SOUND else None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.end()
            self._child = None

    async def _ask(self, frame: bytes) -> tuple[bytes, bytes]:
        if self._child is None:
            self._child = await self._children.make()
        try:
            await self._child.send(frame, within=_SENTENCE_SECONDS)
            return await self._child.receive(within=_SENTENCE_SECONDS)
        except BaseException:
            # Also when nobody waits any longer: its answer must not pass for the next one's.
            self.close()
            raise


async def speech(scope: Message, receive: Receive, send: Send, mouth: Mouth) -> None:
    """Answer one request.

    Raises:
        Refused, ClientGone: before anything was sent.
    """
    if content_type(scope) != b"application/json":
        raise Refused(400, "Send JSON, with Content-Type: application/json.", code="invalid_content_type")
    order = _order(await read_body(receive, most=_MAX_BODY_BYTES))
    pieces = _spoken(order, mouth)
    try:
        # Before anything is promised: whether there is such a voice, and whether it speaks at all.
        first = await anext(pieces, b"")
    except ChildGone as error:
        raise Refused(503, "The voice was lost. Try again.", code="overloaded", retry_after=1) from error
    kind = "audio/wav" if order.response_format == "wav" else "audio/pcm"
    headers = {"content-type": kind, "x-sample-rate": str(SPOKEN_RATE), "x-request-id": str(uuid.uuid4())}
    await send({"type": "http.response.start", "status": 200, "headers": raw_headers(headers)})
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        beginning = _endless_wav() if order.response_format == "wav" else b""
        await send({"type": "http.response.body", "body": beginning + first, "more_body": True})
        async for piece in pieces:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _spoken(order: _Order, mouth: Mouth) -> AsyncIterator[bytes]:
    for sentence in sentences(order.text):
        sound = await mouth.say(sentence, voice=order.voice, speed=order.speed)
        if sound is None:
            raise Refused(400, f"There is no voice {order.voice}.", code="voice_not_found", param="voice")
        yield sound


def sentences(text: str) -> Iterator[str]:
    """The text in pieces that are spoken one after another; one that is too long is cut between words."""
    for sentence in _SENTENCE.split(text):
        rest = sentence.strip()
        while len(rest) > MOST_CHARACTERS:
            cut = rest.rfind(" ", 1, MOST_CHARACTERS)
            cut = MOST_CHARACTERS if cut < 0 else cut
            yield rest[:cut]
            rest = rest[cut:].strip()
        if rest:
            yield rest


def _order(body: bytes) -> _Order:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not valid JSON.", code="invalid_json") from error
    if not isinstance(request, dict):
        raise Refused(400, "The body must be a JSON object.", code="invalid_json")
    text = request.get("input")
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, "input must be a text that is not blank.", code="invalid_value", param="input")
    if len(text) > MAX_INPUT_CHARACTERS:
        message = f"input is longer than {MAX_INPUT_CHARACTERS:,} characters."
        raise Refused(400, message, code="input_too_long", param="input")
    response_format = request.get("response_format") or "pcm"
    if response_format not in ("pcm", "wav"):
        raise Refused(400, "response_format must be pcm or wav.", code="invalid_value", param="response_format")
    return _Order(text, _voice(request.get("voice")), _speed(request.get("speed")), response_format)


def _voice(value: Any) -> str:
    name = value or _DEFAULT_VOICE
    if not isinstance(name, str) or not (name in _OPENAI_VOICES or _VOICE.fullmatch(name.lower())):
        message = "voice must be a language, such as en-us, de, fr or es, with a variant if wanted: de+f3."
        raise Refused(400, message, code="voice_not_found", param="voice")
    return _DEFAULT_VOICE if name in _OPENAI_VOICES else name.lower()


def _speed(value: Any) -> float:
    speed = 1.0 if value is None else value
    if not isinstance(speed, int | float) or isinstance(speed, bool) or not 0.25 <= speed <= 4:
        raise Refused(400, "speed must be a number from 0.25 to 4.", code="invalid_value", param="speed")
    return float(speed)


def _endless_wav() -> bytes:
    """The head of a WAV file whose length is not known yet, as OpenAI's streams have it."""
    unknown = 0xFFFFFFFF
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SPOKEN_RATE, SPOKEN_RATE * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", unknown, b"WAVE") + form + struct.pack("<4sI", b"data", unknown)
