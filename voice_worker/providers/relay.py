"""Several that hear as they are spoken to, as one: where one breaks off the next goes on, with the words it missed.

livekit-agents' own adapter goes on from where the next one is connected, so what was said until then is lost; and it
waits for ever on one whose socket stays open and says nothing. Here what nobody has understood yet is kept, and a
detector of speech tells when somebody speaks to deaf ears.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
import time
from collections import deque
from collections.abc import AsyncIterable, Iterator, Sequence
from typing import Any, Final

from livekit import rtc
from livekit.agents import (
    NOT_GIVEN,
    APIConnectionError,
    APIConnectOptions,
    APITimeoutError,
    NotGivenOr,
    stt,
    utils,
    vad,
)
from livekit.agents.metrics import STTMetrics
from livekit.agents.metrics.base import Metadata

from voice_worker.providers.choices import OWN_LABEL
from voice_worker.providers.egress import CONNECT_SECONDS
from voice_worker.providers.resting import Resting

logger = logging.getLogger(__name__)

# Of sound that is kept until somebody has understood it.
_MOST_SECONDS: Final = 15.0
# Speech of which nothing came back, not even that it was speech, and for how long after it.
_UNHEARD_SECONDS: Final = 1.0
_SILENT_SECONDS: Final = 4.0
# A detector tells of so much at a time, and is given so long to tell of what others have heard already.
_WINDOW_SECONDS: Final = 0.1
_LATE_SECONDS: Final = 0.5
_WORDS: Final = frozenset(
    {
        stt.SpeechEventType.INTERIM_TRANSCRIPT,
        stt.SpeechEventType.PREFLIGHT_TRANSCRIPT,
        stt.SpeechEventType.FINAL_TRANSCRIPT,
    }
)
# Between two rounds of all of them in which nobody heard.
_PAUSES: Final = (0.3, 1.0, 2.0, 5.0)


class NobodyHears(APIConnectionError):
    """None of a chain does, just now."""


class Relay(stt.STT[Any]):
    """Hears by the first part that does.

    Args:
        parts: in the order they are tried; those that don't stream are given what the detector cuts out.
        detector: tells speech from silence.
    """

    def __init__(self, parts: Sequence[stt.STT[Any]], detector: vad.VAD) -> None:
        self.parts = [
            part if part.capabilities.streaming else stt.StreamAdapter(stt=part, vad=detector) for part in parts
        ]
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=all(part.capabilities.interim_results for part in self.parts)
            )
        )
        self.detector = detector
        self.resting = Resting(len(self.parts))
        self.active = self.parts[0]
        # Each part tells what it used itself.
        self._recognize_metrics_needed = False
        for part in self.parts:
            part.on("metrics_collected", self._pass_on)

    @property
    def model(self) -> str:
        return self.active.model

    @property
    def provider(self) -> str:
        return self.active.provider

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = APIConnectOptions(),  # noqa: B008 - a frozen value
    ) -> stt.RecognizeStream:
        return _RelayStream(self, language, conn_options)

    async def _recognize_impl(
        self, buffer: utils.AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        raise AssertionError("these ears stream")

    def _pass_on(self, *args: Any, **named: Any) -> None:
        self.emit("metrics_collected", *args, **named)

    async def aclose(self) -> None:
        for part in self.parts:
            part.off("metrics_collected", self._pass_on)
            if isinstance(part, stt.StreamAdapter):
                await part.aclose()


class _RelayStream(stt.RecognizeStream):
    def __init__(self, relay: Relay, language: NotGivenOr[str], conn_options: APIConnectOptions) -> None:
        super().__init__(stt=relay, conn_options=conn_options)
        self._relay = relay
        self._language = language
        self._begun = time.time()
        self._kept: deque[rtc.AudioFrame] = deque()
        self._kept_seconds = 0.0
        self._current: stt.RecognizeStream | None = None
        self._given = 0.0  # seconds of sound, to the part in charge
        self._is_over = False
        # When the part in charge last said anything; how much speech it has said nothing of since.
        self._told_at = 0.0
        self._unheard = 0.0
        self._deaf = asyncio.Event()
        # Seconds of sound that the detector was given, and of which it has told; what it made of them.
        self._fed = self._watched = 0.0
        self._is_speaking = self._has_spoken = False

    async def _metrics_monitor_task(self, event_aiter: AsyncIterable[stt.SpeechEvent]) -> None:
        async for _ in event_aiter:  # the parts tell
            pass

    async def _run(self) -> None:
        watch = self._relay.detector.stream()
        tasks = [asyncio.create_task(self._feed(watch)), asyncio.create_task(self._watch(watch))]
        try:
            for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
                if await self._listen_in_turn():
                    return
                if self._is_over or not self._conn_options.max_retry:
                    raise NobodyHears("nobody in the chain hears")
                # A call goes on, and whoever was away may be back: livekit-agents would leave it deaf after three.
                self._emit_error(NobodyHears("nobody in the chain hears"), recoverable=True)
                await asyncio.sleep(pause)
        finally:
            await utils.aio.cancel_and_wait(*tasks)
            await watch.aclose()

    async def _listen_in_turn(self) -> bool:
        """Hear by the parts, one after the other. Whether all was heard that is to be."""
        for index in self._relay.resting.order():
            part = self._relay.parts[index]
            try:
                await self._listen(part)
            except Exception as error:
                logger.warning("%s %s broke off: %s", part.provider, part.model, type(error).__name__)
                self._relay.resting.fail(index)
                self._tell_of(part, error)
                continue
            return True
        return False

    def _tell_of(self, part: stt.STT[Any], error: Exception) -> None:
        """Have the session note that a part broke off; the next one hears."""
        label = f"{part.provider} {part.model}"
        self._relay.emit("error", stt.STTError(timestamp=time.time(), label=label, error=error, recoverable=True))

    async def _listen(self, part: stt.STT[Any]) -> None:
        """Hear by one part until all is said.

        Raises:
            Exception: it broke off, or what is said to it comes to nothing.
        """
        self._unheard, self._told_at, self._given = 0.0, 0.0, 0.0
        self._deaf.clear()
        with self._accounted_for(part):
            await self._listen_until_it_ends(part)
            if not self._is_over:
                raise APIConnectionError("it ended before what is said did")

    async def _listen_until_it_ends(self, part: stt.STT[Any]) -> None:
        options = dataclasses.replace(self._conn_options, max_retry=0, timeout=CONNECT_SECONDS)
        async with part.stream(language=self._language, conn_options=options) as stream:
            # Times in what it tells are counted from the beginning of what is told to it.
            missed = time.time() - self._begun - self._kept_seconds
            stream.start_time_offset = self.start_time_offset + max(0.0, missed)
            for frame in self._kept:
                self._give(stream, frame)
            self._current = stream
            if self._is_over:
                stream.end_input()
            hearing = asyncio.create_task(self._tell(stream, part))
            deaf = asyncio.create_task(self._deaf.wait())
            try:
                await asyncio.wait({hearing, deaf}, return_when=asyncio.FIRST_COMPLETED)
                if not hearing.done():
                    raise APITimeoutError("what is said to it comes to nothing")
                hearing.result()
            finally:
                self._current = None
                await utils.aio.cancel_and_wait(hearing, deaf)

    @contextlib.contextmanager
    def _accounted_for(self, part: stt.STT[Any]) -> Iterator[None]:
        """Tell of the sound that a part was given and hasn't told of itself.

        A plugin tells every few seconds, or when all has been said, and what it tells while it is being closed is lost:
        the last seconds of a call, and of Google all of them.
        """
        told = 0.0

        def note(metrics: STTMetrics) -> None:
            nonlocal told
            told += metrics.audio_duration

        part.on("metrics_collected", note)
        is_billed = True
        try:
            yield
        except Exception:
            is_billed = bool(told or self._told_at)  # nobody is charged for what was refused
            raise
        finally:
            part.off("metrics_collected", note)
            # What the detector cuts out is told of to the moment.
            if is_billed and self._given > told and not isinstance(part, stt.StreamAdapter):
                self._relay.emit("metrics_collected", _used(part, self._given - told))

    def _give(self, stream: stt.RecognizeStream, frame: rtc.AudioFrame) -> None:
        stream.push_frame(frame)
        self._given += frame.duration

    async def _tell(self, stream: stt.RecognizeStream, part: stt.STT[Any]) -> None:
        async for event in stream:
            if event.type is not stt.SpeechEventType.RECOGNITION_USAGE:
                self._relay.active = part
                self._told_at, self._unheard = time.monotonic(), 0.0
            if event.type in _WORDS and part.provider == OWN_LABEL and await self._is_invented():
                continue
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                self._kept.clear()
                self._kept_seconds = 0.0
                self._has_spoken = self._is_speaking
            self._event_ch.send_nowait(event)

    async def _is_invented(self) -> bool:
        """Whether nobody has said what was understood. The ears that come with the platform, told which words to
        expect, find them in any noise. A detector that is late is waited for, but not for long.
        """
        heard = self._fed - _WINDOW_SECONDS
        until = time.monotonic() + _LATE_SECONDS
        while not self._has_spoken and self._watched < heard:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_WINDOW_SECONDS / 5)
        return not self._has_spoken

    async def _feed(self, watch: vad.VADStream) -> None:
        """Give what comes to the part in charge and to the detector, and keep it for the next in charge."""
        async for piece in self._input_ch:
            if not isinstance(piece, rtc.AudioFrame):
                if self._current is not None:
                    self._current.flush()
                continue
            self._kept.append(piece)
            self._kept_seconds += piece.duration
            while self._kept_seconds > _MOST_SECONDS:
                self._kept_seconds -= self._kept.popleft().duration
            watch.push_frame(piece)
            self._fed += piece.duration
            if self._current is not None:
                with contextlib.suppress(RuntimeError):  # it has ended, which `_listen` is about to notice
                    self._give(self._current, piece)
        self._is_over = True
        if self._current is not None:
            with contextlib.suppress(RuntimeError):
                self._current.end_input()

    async def _watch(self, watch: vad.VADStream) -> None:
        """Notice when somebody speaks and nothing at all comes of it."""
        began = 0.0
        async for event in watch:
            self._watched = event.timestamp
            self._is_speaking = event.speaking
            if event.type is vad.VADEventType.START_OF_SPEECH:
                self._has_spoken = True
                began = time.monotonic() - event.speech_duration
            elif event.type is vad.VADEventType.END_OF_SPEECH and self._told_at < began:
                self._unheard += event.speech_duration
                if self._unheard >= _UNHEARD_SECONDS:
                    asyncio.get_running_loop().call_later(_SILENT_SECONDS, self._judge, self._told_at)

    def _judge(self, told_at: float) -> None:
        if self._told_at == told_at:
            self._deaf.set()


def _used(part: stt.STT[Any], seconds: float) -> STTMetrics:
    return STTMetrics(
        label=part.label,
        request_id="",
        timestamp=time.time(),
        duration=0.0,
        audio_duration=seconds,
        streamed=True,
        metadata=Metadata(model_name=part.model, model_provider=part.provider),
    )
