"""People who call, all of them in one small program in Go (`callers/`): the machine measured is to be the agents'.

LiveKit's Python SDK encodes and decodes for each caller all the time and takes half as much of a processor as the agent
does. The program sends frames that were encoded once, here, and looks at the sizes of those that come back.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import psutil

from tests.voice_worker.speech import spoken

_SOURCE: Final = Path(__file__).parent / "callers"
_PROGRAM: Final = Path(sys.prefix) / "voice_sessions" / "callers"
_RATE: Final = 48_000
_FRAME: Final = _RATE // 50
_BIT_RATE: Final = 24_000
_LOOKAHEAD: Final = 312  # samples by which libopus is late


def build() -> None:
    """Make the program, which takes a minute or two, once, and Go.

    Raises:
        RuntimeError: there is no Go.
    """
    if shutil.which("go") is None:
        raise RuntimeError("The callers of this benchmark are a program in Go; it isn't installed: https://go.dev/dl/")
    print("Building the callers …", flush=True)
    subprocess.run(["go", "build", "-buildvcs=false", "-o", _PROGRAM, "."], cwd=_SOURCE, check=True)


class Callers:
    """Those who call at once, each in a room of their own."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program
        self.process = psutil.Process(program.pid)

    def meet(self) -> list[float]:
        """Wait until each has met an agent. Returns how long each waited for it, in seconds."""
        return [event["seconds"] for event in self._until("ready")]

    def ask(self) -> list[float | None]:
        """Let them ask. Returns the seconds from each question's end to its answer's first sound; None: it was lost."""
        assert self._program.stdin is not None
        self._program.stdin.write("ask\n")
        self._program.stdin.flush()
        return [event.get("seconds") for event in self._until("asked")]

    def _until(self, name: str) -> Iterator[dict[str, Any]]:
        for line in self._program.stdout or ():
            event = json.loads(line)
            if event["event"] == name:
                return
            yield event
        raise RuntimeError(f"The callers ended with code {self._program.wait()} before they were {name}.")


@contextlib.contextmanager
def calling(url: str, tokens: Sequence[str], words: str, **plan: float) -> Iterator[Callers]:
    """Callers who are in their rooms for the length of the block. `build` comes first.

    Args:
        tokens: the way into each one's room.
        words: what all of them ask.
        plan: when they come and ask; see `plan` in `callers/main.go`.
    """
    question, silence = _encoded(words)
    whole = {**plan, "url": url, "tokens": list(tokens), "question": question, "silence": silence}
    with subprocess.Popen([_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdin is not None
            program.stdin.write(json.dumps(whole) + "\n")
            program.stdin.flush()
            yield Callers(program)
            program.stdin.close()  # they leave
            program.wait(timeout=10)
        finally:
            program.kill()


def _encoded(words: str) -> tuple[list[str], str]:
    """The words' frames, the last sound in the last of them, and a frame of the silence around them. All in base64."""
    sound = np.frombuffer(spoken(words, rate=_RATE)[0], np.int16)
    frames = -(-(len(sound) + _LOOKAHEAD) // _FRAME)
    before, after = 50, 50  # of silence, until the encoder says always the same of it
    samples = np.zeros((before + frames + after) * _FRAME, np.int16)
    samples[before * _FRAME :][: len(sound)] = sound
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = _RATE, "mono", "s16", _BIT_RATE
    encoder.options = {"application": "voip", "frame_duration": "20"}
    packets = []
    for start in range(0, len(samples), _FRAME):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + _FRAME], format="s16", layout="mono")
        frame.sample_rate, frame.pts = _RATE, start
        packets += [base64.b64encode(bytes(packet)).decode() for packet in encoder.encode(frame)]
    return packets[before : before + frames], packets[before + frames + after - 1]
