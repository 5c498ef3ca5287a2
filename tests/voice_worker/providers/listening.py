"""What is done with parts in tests: speak to ears, and listen to voices."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.content.runtime import RuntimeContent
from tests.speech_servers.server import tone
from tests.voice_worker.speech import spoken
from voice_worker.providers import SpeechParts, build_speech
from voice_worker.providers.entitlements import Entitlements

PREMIUM = Entitlements(tier="premium", premium_voice=True)
PATIENCE = 40.0


async def parts_of(runtime: dict[str, Any], http: Any, entitlements: Entitlements = PREMIUM) -> SpeechParts:
    """The parts of a runtime config."""
    return await build_speech(runtime=RuntimeContent.model_validate(runtime), entitlements=entitlements, http=http)


def frames(sound: bytes, *, rate: int = 16000) -> list[Any]:
    """A sound as a microphone's frames of 20 ms."""
    from livekit import rtc

    size = rate // 50 * 2
    return [
        rtc.AudioFrame(data=sound[at : at + size], sample_rate=rate, num_channels=1, samples_per_channel=size // 2)
        for at in range(0, len(sound) - size + 1, size)
    ]


async def hear(ears: Any, *, seconds: float = 1.0) -> str:
    """What ears make of a sound that is streamed to them, until they have heard a whole sentence."""
    return await hear_sound(ears, tone(seconds, rate=16000))


async def hear_sound(ears: Any, sound: bytes) -> str:
    from livekit.agents.stt import SpeechEventType

    stream = ears.stream()

    async def speak() -> None:
        while True:  # people repeat what wasn't heard
            for frame in frames(sound):
                stream.push_frame(frame)
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.1)

    speaking = asyncio.create_task(speak())
    try:
        async with asyncio.timeout(PATIENCE):
            async for event in stream:
                if event.type is SpeechEventType.FINAL_TRANSCRIPT:
                    return str(event.alternatives[0].text)
    finally:
        speaking.cancel()
        await stream.aclose()
    return ""


async def hear_said(ears: Any, text: str) -> str:
    """What ears that need a detector of speech make of words that are spoken to them once."""
    from livekit.agents.stt import SpeechEventType

    sound, rate = spoken(text, rate=24000)
    stream = ears.stream()
    for frame in frames(bytes(rate) + sound + bytes(rate * 4), rate=rate):
        stream.push_frame(frame)
    stream.end_input()
    heard = ""
    async with asyncio.timeout(PATIENCE):
        async for event in stream:
            if event.type is SpeechEventType.FINAL_TRANSCRIPT:
                heard = str(event.alternatives[0].text)
    return heard


async def hear_once(ears: Any, text: str) -> str:
    """What streaming ears make of words that are said to them once, while the microphone stays open."""
    from livekit.agents.stt import SpeechEventType

    sound, rate = spoken(text, rate=16000)
    stream = ears.stream()

    async def speak() -> None:
        for frame in frames(bytes(rate // 5) + sound, rate=rate):
            stream.push_frame(frame)
            await asyncio.sleep(0.005)
        while True:
            stream.push_frame(frames(bytes(rate), rate=rate)[0])
            await asyncio.sleep(0.02)

    speaking = asyncio.create_task(speak())
    try:
        async with asyncio.timeout(PATIENCE):
            async for event in stream:
                if event.type is SpeechEventType.FINAL_TRANSCRIPT:
                    return str(event.alternatives[0].text)
    finally:
        speaking.cancel()
        await stream.aclose()
    return ""


async def recognize(ears: Any, *, seconds: float = 1.0) -> str:
    """What ears make of a sound that is given to them whole."""
    async with asyncio.timeout(PATIENCE):
        event = await ears.recognize(frames(tone(seconds, rate=16000)))
    return str(event.alternatives[0].text)


async def speak(voice: Any, text: str = "The kitchen closes at ten.") -> float:
    """Seconds of sound that a voice makes of a text, as an AgentSession asks for it."""
    from livekit.agents import tokenize, tts

    made = voice
    if not voice.capabilities.streaming:
        made = tts.StreamAdapter(tts=voice, sentence_tokenizer=tokenize.basic.SentenceTokenizer())
    heard = 0.0
    async with asyncio.timeout(PATIENCE), made.stream() as stream:
        stream.push_text(text)
        stream.end_input()
        async for piece in stream:
            heard += piece.frame.duration
    return heard
