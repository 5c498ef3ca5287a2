"""What a child process does: hear one stream, or speak sentence after sentence, until its socket closes.

The process that children are forked from imports this module, and so holds the models that all of them share.
"""

from __future__ import annotations

import json
import socket
from typing import BinaryIO

from voice_worker.speech_server import frames
from voice_worker.speech_server.espeak import Espeak, VoiceUnknown
from voice_worker.speech_server.hearing import Ear, Messages
from voice_worker.speech_server.order import SPOKEN_RATE, ListenOrder
from voice_worker.speech_server.recognizer import Recognizer
from voice_worker.speech_server.resampling import Resampler

_recognizer: Recognizer | None = None


def load() -> None:
    """Bring the models into this process."""
    global _recognizer
    if _recognizer is None:
        _recognizer = Recognizer()


def serve(connection: socket.socket) -> None:
    """Do what the first frame says, until the socket closes."""
    incoming = connection.makefile("rb")
    first = frames.read(incoming)
    if first is not None and first[0] == frames.LISTEN:
        _listen(ListenOrder(**json.loads(first[1])), incoming, connection)
    elif first is not None and first[0] == frames.SPEAK:
        _speak(first[1], incoming, connection)


def _listen(order: ListenOrder, incoming: BinaryIO, connection: socket.socket) -> None:
    load()
    assert _recognizer is not None
    ear = Ear(_recognizer, order)

    def tell(messages: Messages) -> None:
        for message in messages:
            connection.sendall(frames.packed_json(frames.MESSAGE, message))

    while (frame := frames.read(incoming)) is not None:
        kind, payload = frame
        if kind == frames.AUDIO:
            tell(ear.feed(payload))
        elif kind == frames.FINALIZE:
            tell(ear.finalize())
        elif kind == frames.CLOSE:
            tell(ear.close())
            connection.sendall(frames.packed_json(frames.DONE, {"duration": ear.seconds}))


def _speak(first: bytes, incoming: BinaryIO, connection: socket.socket) -> None:
    espeak = Espeak()
    request: bytes | None = first
    while request is not None:
        try:
            samples = espeak.speak(**json.loads(request))
        except VoiceUnknown:
            connection.sendall(frames.packed(frames.UNKNOWN_VOICE))
        else:
            resampler = Resampler(espeak.rate, SPOKEN_RATE)
            connection.sendall(frames.packed(frames.SOUND, resampler.feed(samples) + resampler.flush()))
        following = frames.read(incoming)
        request = following[1] if following else None
