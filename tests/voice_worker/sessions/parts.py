"""Ears, a voice and a detector that need no models: what is loud is speech, and what it says is known beforehand.

They are parts as livekit-agents takes them from any provider, so that the session around them is the real one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, stt, tts, vad
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.voice import io

RATE: Final = 16_000
FRAME_SECONDS: Final = 0.02
# What a word takes to be spoken.
WORD_SECONDS: Final = 0.1
# A session that ends gives its ears silence in pieces as long as this, and waits two seconds for what they understood.
ASKED_SECONDS: Final = 0.2


def frame(*, loud: bool) -> rtc.AudioFrame:
    """20 ms of speech or of silence."""
    samples = int(RATE * FRAME_SECONDS)
    data = (np.full(samples, 8000, np.int16) if loud else np.zeros(samples, np.int16)).tobytes()
    return rtc.AudioFrame(data, RATE, 1, samples)


def is_loud(heard: rtc.AudioFrame) -> bool:
    return bool(np.abs(np.frombuffer(heard.data, np.int16)).max() > 1000)


class Microphone(io.AudioInput):
    """Somebody who is silent but for what `say` makes them say, at the speed of speech."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self._to_say = 0
        self._next = 0.0

    async def say(self, seconds: float) -> None:
        """Speak for so long."""
        self._to_say = round(seconds / FRAME_SECONDS)
        await asyncio.sleep(seconds)

    async def __anext__(self) -> rtc.AudioFrame:
        now = time.monotonic()
        self._next = max(self._next + FRAME_SECONDS, now - 0.2)
        await asyncio.sleep(max(0.0, self._next - now))
        if self._to_say:
            self._to_say -= 1
            return frame(loud=True)
        return frame(loud=False)


class Tape(io.AudioInput):
    """A microphone that somebody's recordings are played into. Between them it is silent, or gives nothing at all."""

    def __init__(self) -> None:
        super().__init__(label="tape")
        self._left = b""
        self._next = 0.0
        self._goes = asyncio.Event()
        self._goes.set()

    async def play(self, sound: bytes) -> None:
        """Play PCM16 at RATE to its end."""
        self._left = sound
        await asyncio.sleep(len(sound) / 2 / RATE)

    def stop(self) -> None:
        """Give nothing any more, whatever is being played: the track has ended, or is muted."""
        self._goes.clear()
        self._left = b""

    def go_on(self) -> None:
        """Give sound again."""
        self._goes.set()

    async def __anext__(self) -> rtc.AudioFrame:
        await self._goes.wait()
        now = time.monotonic()
        self._next = max(self._next + FRAME_SECONDS, now - 0.2)
        await asyncio.sleep(max(0.0, self._next - now))
        size = int(RATE * FRAME_SECONDS) * 2
        piece, self._left = self._left[:size], self._left[size:]
        return rtc.AudioFrame(piece.ljust(size, b"\0"), RATE, 1, size // 2)


class Loudspeaker(io.AudioOutput):
    """Plays in real time, and stops where it is told to."""

    def __init__(self) -> None:
        super().__init__(label="speaker", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self._queued = 0.0
        self._began = 0.0
        self._over: asyncio.TimerHandle | None = None
        self.played = asyncio.Event()  # whenever something has begun
        self.loud = 0.0  # seconds of it that could be heard

    @property
    def is_playing(self) -> bool:
        return self._queued > 0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._queued:
            self._began = time.monotonic()
            self.on_playback_started(created_at=time.time())
            self.played.set()
        self._queued += frame.duration
        if is_loud(frame):
            self.loud += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._queued:
            left = self._began + self._queued - time.monotonic()
            self._over = asyncio.get_running_loop().call_later(max(0.0, left), self._finish, False)

    def clear_buffer(self) -> None:
        if self._over is not None:
            self._over.cancel()
        if self._queued:
            self._finish(True)

    def _finish(self, interrupted: bool) -> None:
        position = min(time.monotonic() - self._began, self._queued)
        self._queued, self._over = 0.0, None
        self.on_playback_finished(playback_position=position, interrupted=interrupted)


class Captions(io.TextOutput):
    """What can be read of an answer, as it is heard."""

    def __init__(self) -> None:
        super().__init__(label="captions", next_in_chain=None)
        self.text = ""

    async def capture_text(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        self.text += "\n"


class Detector(vad.VAD):
    """Speech is what is loud."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.1))

    def stream(self) -> vad.VADStream:
        return _Detection(self)


class _Detection(vad.VADStream):
    async def _main_task(self) -> None:
        speaking, spoke, silent, heard = False, 0.0, 0.0, []
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                continue
            loud = is_loud(item)
            spoke = spoke + item.duration if loud else (spoke if speaking else 0.0)
            silent = 0.0 if loud else silent + item.duration
            heard = [*heard, item] if loud or speaking else []
            if loud and not speaking and spoke >= 0.05:
                speaking = True
                self._tell(vad.VADEventType.START_OF_SPEECH, spoke, silent, heard, speaking)
            elif speaking and silent >= 0.2:
                speaking = False
                self._tell(vad.VADEventType.END_OF_SPEECH, spoke, silent, heard, speaking)
                spoke, heard = 0.0, []
            self._tell(vad.VADEventType.INFERENCE_DONE, spoke, silent, [item], speaking)

    def _tell(
        self, kind: vad.VADEventType, spoke: float, silent: float, frames: list[rtc.AudioFrame], speaking: bool
    ) -> None:
        event = vad.VADEvent(
            type=kind,
            samples_index=0,
            timestamp=time.time(),
            speech_duration=spoke,
            silence_duration=silent,
            frames=frames,
            probability=1.0 if speaking else 0.0,
            speaking=speaking,
            raw_accumulated_silence=silent,
            raw_accumulated_speech=spoke,
        )
        self._event_ch.send_nowait(event)


class Ears(stt.STT):
    """Understand of each stretch of speech what `words` has next."""

    def __init__(self, *words: str) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.words = deque(words)

    async def _recognize_impl(self, *_: object, **__: object) -> stt.SpeechEvent:
        raise AssertionError("these ears stream")

    def stream(
        self, *, language: object = None, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        return _Hearing(stt=self, conn_options=conn_options)


class _Hearing(stt.RecognizeStream):
    async def _run(self) -> None:
        ears = self._stt
        assert isinstance(ears, Ears)
        speaking, silent = False, 0.0
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                continue
            if item.duration >= ASKED_SECONDS and not speaking:
                self._tell("")
            elif is_loud(item):
                if not speaking:
                    self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH))
                speaking, silent = True, 0.0
            elif speaking:
                silent += item.duration
                if silent >= 0.15:
                    speaking = False
                    self._tell(ears.words.popleft() if ears.words else "")
                    self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.END_OF_SPEECH))

    def _tell(self, text: str) -> None:
        told = [stt.SpeechData(language="en", text=text, confidence=0.9)]
        self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=told))


class Voice(tts.TTS):
    """A tone for each word. `spoken` is what it was given to say."""

    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)
        self.spoken: list[str] = []

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        self.spoken.append(text)
        return _Speaking(tts=self, input_text=text, conn_options=conn_options)


class _Speaking(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="x", sample_rate=RATE, num_channels=1, mime_type="audio/pcm")
        seconds = WORD_SECONDS * max(1, len(self._input_text.split()))
        output_emitter.push(np.full(int(RATE * seconds), 4000, np.int16).tobytes())
        output_emitter.flush()
