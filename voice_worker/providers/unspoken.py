"""The last of every chain of voices: it says nothing, for as long as the words would take.

So what nobody can speak can be read as captions, at the pace of speech, and the call goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any, Final

from livekit.agents import APIConnectOptions, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

_RATE: Final = 24_000
_WORD_SECONDS: Final = 0.35


class Unspoken(tts.TTS[Any]):
    """Silence in place of speech."""

    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=_RATE, num_channels=1)

    @property
    def model(self) -> str:
        return "silence"

    @property
    def provider(self) -> str:
        return "switchboard"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Silence(tts=self, input_text=text, conn_options=conn_options)


class _Silence(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="silence", sample_rate=_RATE, num_channels=1, mime_type="audio/pcm")
        seconds = _WORD_SECONDS * max(1, len(self.input_text.split()))
        output_emitter.push(bytes(int(_RATE * seconds) * 2))
        output_emitter.flush()

    async def _metrics_monitor_task(self, event_aiter: AsyncIterable[tts.SynthesizedAudio]) -> None:
        async for _ in event_aiter:  # nobody is paid for silence
            pass
