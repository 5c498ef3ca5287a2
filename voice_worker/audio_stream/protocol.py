"""What is said on an audio websocket: the client's requests, checked."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from dataclasses import dataclass
from typing import Any, Final, Literal

from switchboard.kernel.problems import Invalid, Problem

LEAST_RATE, MOST_RATE = 8_000, 48_000
OPUS_RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)  # RFC 6716 §2.1.3
MOST_MESSAGE: Final = 64 * 1024  # bytes: two thirds of a second at the highest rate
_LAST_MS: Final = 24 * 3600 * 1000
Encoding = Literal["pcm16", "opus"]
Form = Literal["binary", "base64"]


@dataclass(frozen=True, slots=True)
class Start:
    """Who is to be talked with, and how sound travels.

    Args:
        conversation: a thread to go on with; None begins one with `agent`.
        release: one of the agent's releases, a preview perhaps; None lets the agent choose.
        after: the number of the last event that is known already; None: only what is new.
    """

    conversation: uuid.UUID | None
    agent: uuid.UUID | None
    release: uuid.UUID | None
    contact: str
    channel: str
    sample_rate: int
    encoding: Encoding
    form: Form
    after: int | None


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio in base64."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Played:
    """How much of a stretch of the agent's speech was played so far."""

    segment: int
    ms: int


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop speaking."""


@dataclass(frozen=True, slots=True)
class End:
    """Hang up."""


Request = Start | Sound | Played | Interrupt | End


def parse(text: str | None) -> Request:
    """One request of the client's.

    Raises:
        Problem: it is none.
    """
    if len(text or "") > 2 * MOST_MESSAGE:
        raise too_large()
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Problem("bad_request", "This is not JSON.", status=400) from None
    if not isinstance(value, dict):
        raise Problem("bad_request", "Send a JSON object.", status=400)
    match value.get("type"):
        case "start":
            return _start(value)
        case "audio":
            return Sound(_bytes(value.get("audio")))
        case "played":
            return Played(_whole(value, "segment", 0, 10**9), _whole(value, "ms", 0, _LAST_MS))
        case "interrupt":
            return Interrupt()
        case "end":
            return End()
    raise Invalid("unknown_request", "`type` is one of start, audio, played, interrupt and end.", field="type")


def too_large() -> Problem:
    """What a message gets that is larger than any needs to be."""
    return Problem("too_large", f"A message has {MOST_MESSAGE:,} bytes of audio at most.", status=413)


def _start(value: dict[str, Any]) -> Start:
    conversation, agent = _id(value, "conversation"), _id(value, "agent")
    if (conversation is None) == (agent is None):
        raise Invalid("invalid_start", "Name a `conversation`, or the `agent` of a new one.", field="conversation")
    release = _id(value, "release")
    if release is not None and agent is None:
        raise Invalid("invalid_start", "A conversation stays on the release it began with.", field="release")
    encoding, form = value.get("encoding", "pcm16"), value.get("format", "binary")
    if encoding not in ("pcm16", "opus"):
        raise Invalid("invalid_encoding", "`encoding` is pcm16 or opus.", field="encoding")
    if form not in ("binary", "base64"):
        raise Invalid("invalid_format", "`format` is binary or base64.", field="format")
    rate = _whole(value, "sample_rate", LEAST_RATE, MOST_RATE, default=24_000)
    if encoding == "opus" and rate not in OPUS_RATES:
        raise Invalid("invalid_sample_rate", f"Opus has {', '.join(map(str, OPUS_RATES))} Hz.", field="sample_rate")
    contact, channel = value.get("contact", ""), value.get("channel", "audio")
    if not isinstance(contact, str) or len(contact) > 200 or not contact.isprintable():
        raise Invalid("invalid_contact", "`contact` has 200 printable characters at most.", field="contact")
    if channel not in ("audio", "playground"):
        raise Invalid("invalid_channel", "`channel` is audio or playground.", field="channel")
    after = None if value.get("after") is None else _whole(value, "after", 0, 10**15)
    return Start(conversation, agent, release, contact, channel, rate, encoding, form, after)


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise Invalid("invalid_audio", "`audio` is base64.", field="audio")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("invalid_audio", "`audio` is base64.", field="audio") from None


def _id(value: dict[str, Any], name: str) -> uuid.UUID | None:
    given = value.get(name)
    if given is None:
        return None
    try:
        return uuid.UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise Invalid("invalid_start", f"`{name}` is an id.", field=name) from None


def _whole(value: dict[str, Any], name: str, least: int, most: int, *, default: int | None = None) -> int:
    given = value.get(name, default)
    # A float is what JavaScript's clocks count in.
    if isinstance(given, float) and least <= given <= most:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise Invalid(f"invalid_{name}", f"`{name}` is a number from {least:,} to {most:,}.", field=name)
    return given
