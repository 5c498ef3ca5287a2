"""From a stream of sound to the messages of Deepgram's streaming protocol: where speech begins, what it says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import pocketsphinx

from voice_worker.speech_server.levelling import Levelling, Samples, loudness
from voice_worker.speech_server.order import LEAST_ENDPOINTING_MS, RATE, ListenOrder
from voice_worker.speech_server.recognizer import Recognizer, Word
from voice_worker.speech_server.resampling import Resampler

_FRAME_MS = 30
_FRAME_BYTES = RATE * 2 * _FRAME_MS // 1000
_BEFORE = 9  # frames until the beginning was noticed that belong to it
_AFTER = 4  # frames after the last voice that belong to a word; in more of them the recognizer hears words
_RECENT, _VOICED = 6, 4  # so many of the recent frames must have a voice for speech to begin
_FAINTEST = 25.0  # root mean square of the quietest voice (-62 dB of full scale)
_INTERIM_FRAMES = 7  # between two looks at what was heard so far
_LONGEST_FRAMES = 20_000 // _FRAME_MS  # of one utterance, whose search space grows with it

Messages = Iterator[dict[str, Any]]


class Ear:
    """Hears one stream. What it yields are messages without `metadata`, which is the listener's to add."""

    def __init__(self, recognizer: Recognizer, order: ListenOrder) -> None:
        self._recognizer, self._order = recognizer, order
        recognizer.narrow(order.keyterms)
        self._resampler = Resampler(order.sample_rate, RATE)
        # Strict, for a looser one takes half a second of silence for the end of a word.
        self._detector = pocketsphinx.Vad(pocketsphinx.Vad.STRICT, RATE, _FRAME_MS / 1000)
        wanted = order.endpointing_ms
        self._quiet_limit = None if wanted is None else max(wanted, LEAST_ENDPOINTING_MS) // _FRAME_MS
        self._odd = b""
        self._pending = bytearray()
        self._levelling = Levelling()
        self._before: deque[tuple[Samples, bool]] = deque(maxlen=_BEFORE)
        self._held: list[Samples] = []
        self._position = 0  # frames heard
        self._begun: int | None = None  # frame at which the segment began; None outside of one
        self._quiet = 0  # frames since the last voice
        self._looked = 0
        self._shown = ""
        self._last_word_end: float | None = None  # of an utterance whose end was not told

    def feed(self, pcm: bytes) -> Messages:
        """More sound: PCM16, little-endian, mono; a sample may be cut in two."""
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        self._pending += self._resampler.feed(pcm[:whole])
        yield from self._frames()

    def finalize(self) -> Messages:
        """The client wants to know now what was said."""
        ended = self._begun is not None
        yield from self._end(speech_final=ended, from_finalize=True)

    def close(self) -> Messages:
        """No more sound will come."""
        self._pending += self._resampler.flush()
        yield from self._frames()
        if self._begun is not None:
            yield from self._end(speech_final=True)

    @property
    def seconds(self) -> float:
        """Sound heard so far."""
        return self._position * _FRAME_MS / 1000

    def _frames(self) -> Messages:
        while len(self._pending) >= _FRAME_BYTES:
            frame = bytes(self._pending[:_FRAME_BYTES])
            del self._pending[:_FRAME_BYTES]
            yield from self._frame(frame)

    def _frame(self, frame: bytes) -> Messages:
        samples = np.frombuffer(frame, dtype="<i2").astype(np.float32)
        voiced = self._detector.is_speech(frame) and loudness(samples) >= _FAINTEST
        self._position += 1
        self._quiet = 0 if voiced else self._quiet + 1
        if self._begun is None:
            yield from self._wait(samples, voiced=voiced)
            return
        self._hear(samples, voiced=voiced)
        if self._quiet_limit is not None and self._quiet >= self._quiet_limit:
            yield from self._end(speech_final=True)
        elif self._position - self._begun >= _LONGEST_FRAMES:
            yield from self._end(speech_final=False)
            self._begin(self._position)
        elif self._order.interim_results and self._position - self._looked >= _INTERIM_FRAMES:
            self._looked = self._position
            words = self._recognizer.so_far()
            if words and (text := _text(words)) != self._shown:
                self._shown = text
                yield self._results(words, is_final=False, speech_final=False)

    def _hear(self, samples: Samples, *, voiced: bool) -> None:
        """Let the recognizer hear a frame; silence only once a voice has followed it."""
        if voiced:
            self._levelling.learn(samples)
        self._held.append(samples)
        if voiced or self._quiet <= _AFTER:
            for held in self._held:
                self._recognizer.hear(self._levelling.level(held))
            self._held.clear()

    def _wait(self, samples: Samples, *, voiced: bool) -> Messages:
        self._before.append((samples, voiced))
        if sum(voiced for _, voiced in list(self._before)[-_RECENT:]) >= _VOICED:
            self._begin(self._position - len(self._before))
            if self._order.vad_events:
                yield {"type": "SpeechStarted", "channel": [0], "timestamp": _seconds(self._begun or 0)}
            for earlier, had_voice in self._before:
                if had_voice:
                    self._levelling.learn(earlier)
            for earlier, _ in self._before:
                self._recognizer.hear(self._levelling.level(earlier))
            self._before.clear()
        elif (
            self._last_word_end is not None
            and self._order.utterance_end_ms is not None
            and self._quiet * _FRAME_MS >= self._order.utterance_end_ms
        ):
            yield {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": self._last_word_end}
            self._last_word_end = None

    def _begin(self, frame: int) -> None:
        self._begun, self._looked, self._shown = frame, self._position, ""
        self._held.clear()
        self._recognizer.begin()

    def _end(self, *, speech_final: bool, from_finalize: bool = False) -> Messages:
        words = [] if self._begun is None else self._recognizer.end()
        message = self._results(words, is_final=True, speech_final=speech_final)
        if from_finalize:
            message["from_finalize"] = True
        if words:
            self._last_word_end = round(_seconds(self._begun or 0) + words[-1].end, 3)
        self._begun = None
        yield message

    def _results(self, words: list[Word], *, is_final: bool, speech_final: bool) -> dict[str, Any]:
        begun = self._position if self._begun is None else self._begun
        offset = _seconds(begun)
        told = [
            {
                "word": word.text.lower(),
                "punctuated_word": word.text,
                "start": round(offset + word.start, 3),
                "end": round(offset + word.end, 3),
                "confidence": word.confidence,
            }
            for word in words
        ]
        confidence = round(sum(word.confidence for word in words) / len(words), 3) if words else 0.0
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": offset,
            "duration": round(_seconds(self._position - begun), 3),
            "is_final": is_final,
            "speech_final": speech_final,
            "channel": {"alternatives": [{"transcript": _text(words), "confidence": confidence, "words": told}]},
        }


def _text(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def _seconds(frames: int) -> float:
    return round(frames * _FRAME_MS / 1000, 3)
