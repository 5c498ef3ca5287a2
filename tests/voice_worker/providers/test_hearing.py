"""What hears: each provider by its real client, on the wire."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.speech_servers.server import HEARD, SpeechServer, tone
from tests.voice_worker.providers.listening import frames, hear, hear_once, hear_said, parts_of, recognize, speak
from tests.voice_worker.speech import spoken

pytestmark = pytest.mark.usefixtures("tenant")
WHISPERS = [("openai", "gpt-4o-mini-transcribe"), ("groq", "whisper-large-v3-turbo"), ("compatible", "whisper-1")]


async def test_deepgram_hears_as_it_is_spoken_to(providers: SpeechServer, http: Any) -> None:
    speech = {"endpoint": "deepgram", "options": {"smart_format": True, "keyterm": ["spa"], "endpointing_ms": 300}}
    parts = await parts_of({"stt": speech, "languages": ["de"]}, http)

    assert await hear(parts.ears) == HEARD
    (asked,) = providers.asked_of("deepgram")
    assert asked.key == "Token sk-deepgram"
    wanted = {"model": "nova-3", "language": "de", "smart_format": "true", "keyterm": "spa", "endpointing": "300"}
    assert wanted.items() <= asked.query.items()
    assert asked.audio >= 16000
    assert parts.downgraded == ""


async def test_several_languages_are_heard_at_once(providers: SpeechServer, http: Any) -> None:
    parts = await parts_of({"stt": {"endpoint": "deepgram"}, "languages": ["de", "en"]}, http)
    await hear(parts.ears)
    one = await parts_of({"stt": {"endpoint": "deepgram", "language": "fr"}, "languages": ["de", "en"]}, http)
    await hear(one.ears)

    assert [asked.query["language"] for asked in providers.asked_of("deepgram")] == ["multi", "fr"]


@pytest.mark.parametrize(("provider", "model"), WHISPERS)
async def test_whispers_hear_what_the_detector_cuts_out(
    providers: SpeechServer, http: Any, provider: str, model: str
) -> None:
    speech = {"endpoint": provider, "model": model if provider == "compatible" else "", "options": {"prompt": "A spa."}}
    parts = await parts_of({"stt": speech, "languages": ["de"]}, http)

    assert parts.ears.capabilities.streaming
    assert await recognize(parts.ears) == HEARD
    (asked,) = providers.asked_of(provider)
    assert asked.key == f"Bearer sk-{provider}"
    assert {"model": model, "language": "de", "prompt": "A spa."}.items() <= asked.said[0].items()
    assert asked.audio == 32000


async def test_a_whisper_guesses_among_several_languages(providers: SpeechServer, http: Any) -> None:
    parts = await parts_of({"stt": {"endpoint": "groq"}, "languages": ["de", "en"]}, http)

    assert await recognize(parts.ears) == HEARD
    assert "language" not in providers.asked_of("groq")[0].said[0]


async def test_the_built_in_one_hears_without_any_endpoint(providers: SpeechServer, http: Any) -> None:
    parts = await parts_of({"languages": ["en"]}, http)

    assert await hear_once(parts.ears, "When does the kitchen close tonight?") == HEARD
    assert len(providers.asked_of("built_in")) == 1
    assert parts.downgraded == ""


async def test_a_better_server_than_the_built_in_one_is_spoken_to_as_openai_is(
    providers: SpeechServer, http: Any, settings: Any
) -> None:
    settings.SPEECH_URL, settings.SPEECH_API_KEY = f"{providers.url}/compatible/v1", "sk-speech"
    settings.SPEECH_HEARING_MODEL, settings.SPEECH_SPEAKING_MODEL = "faster-whisper", "kokoro"
    parts = await parts_of({"languages": ["de"]}, http)

    assert await recognize(parts.ears) == HEARD
    assert await speak(parts.voice) == pytest.approx(0.5, abs=0.05)
    heard, spoken = providers.asked_of("compatible")
    assert {heard.key, spoken.key} == {"Bearer sk-speech"}
    assert (heard.said[0]["model"], spoken.said[0]["model"]) == ("faster-whisper", "kokoro")


@pytest.mark.parametrize("fault", ["401", "429", "500", "hang", "half"])
async def test_the_next_one_hears_when_deepgram_does_not(providers: SpeechServer, http: Any, fault: str) -> None:
    providers.behave(deepgram=fault)
    chain = {"stt": {"endpoint": "deepgram"}, "stt_fallbacks": [{"endpoint": "second"}]}
    parts = await parts_of(chain, http)

    begun = time.monotonic()
    assert await hear(parts.ears) == HEARD
    assert time.monotonic() - begun < 15
    assert providers.asked_of("second")


@pytest.mark.parametrize("fault", ["401", "429", "500", "garbage", "half", "hang"])
async def test_the_same_words_go_to_the_next_whisper(providers: SpeechServer, http: Any, fault: str) -> None:
    providers.behave(groq=fault)
    parts = await parts_of({"stt": {"endpoint": "groq"}, "stt_fallbacks": [{"endpoint": "openai"}]}, http)

    begun = time.monotonic()
    assert await recognize(parts.ears) == HEARD
    assert time.monotonic() - begun < 20
    assert providers.asked_of("openai")[0].audio == 32000


async def test_who_failed_rests_for_a_while(providers: SpeechServer, http: Any) -> None:
    providers.behave(groq="500")
    parts = await parts_of({"stt": {"endpoint": "groq"}, "stt_fallbacks": [{"endpoint": "openai"}]}, http)
    for _ in range(3):
        assert await recognize(parts.ears) == HEARD
    assert (len(providers.asked_of("groq")), len(providers.asked_of("openai"))) == (1, 3)

    providers.behave(groq="well", openai="500")  # nobody else is left, so it is asked again
    assert await recognize(parts.ears) == HEARD


async def test_words_are_cut_out_of_what_is_heard_and_transcribed_once(providers: SpeechServer, http: Any) -> None:
    parts = await parts_of({"stt": {"endpoint": "groq"}}, http)

    assert await hear_said(parts.ears, "When does the kitchen close tonight?") == HEARD
    assert len(providers.asked_of("groq")) == 1


@pytest.mark.parametrize("fault", ["garbage", "deaf"])
async def test_speaking_to_deaf_ears_is_noticed(providers: SpeechServer, http: Any, fault: str) -> None:
    providers.behave(deepgram=fault)
    chain = {"stt": {"endpoint": "deepgram"}, "stt_fallbacks": [{"endpoint": "second"}]}
    parts = await parts_of(chain, http)

    begun = time.monotonic()
    assert await hear_once(parts.ears, "When does the kitchen close tonight, and is the spa open?") == HEARD
    assert time.monotonic() - begun < 20
    assert len(providers.asked_of("deepgram")) == 1


@pytest.mark.parametrize("fault", ["500", "hang", "half"])
async def test_the_next_one_is_told_what_the_first_one_missed(providers: SpeechServer, http: Any, fault: str) -> None:
    providers.behave(deepgram=fault)
    chain = {"stt": {"endpoint": "deepgram"}, "stt_fallbacks": [{"endpoint": "second"}]}
    parts = await parts_of(chain, http)

    said = "When does the kitchen close tonight?"
    assert await hear_once(parts.ears, said) == HEARD  # said once, and nobody has to say it again
    first_syllable = spoken(said, rate=16000)[0][3200:6400]
    assert first_syllable in providers.asked_of("second")[0].sound


async def test_what_was_understood_is_not_told_again(providers: SpeechServer, http: Any) -> None:
    providers.behave(deepgram="breaks_after")
    chain = {"stt": {"endpoint": "deepgram"}, "stt_fallbacks": [{"endpoint": "second"}]}
    parts = await parts_of(chain, http)

    assert await hear_once(parts.ears, "When does the kitchen close tonight?") == HEARD
    await asyncio.sleep(0.5)
    assert sum(asked.audio for asked in providers.asked_of("second")) < 16000


async def test_a_silent_room_is_not_taken_for_deaf_ears(providers: SpeechServer, http: Any) -> None:
    chain = {"stt": {"endpoint": "deepgram"}, "stt_fallbacks": [{"endpoint": "second"}]}
    parts = await parts_of(chain, http)
    stream = parts.ears.stream()
    for frame in frames(bytes(32000 * 3)):
        stream.push_frame(frame)
    await asyncio.sleep(5)

    assert providers.asked_of("second") == []
    await stream.aclose()


async def test_closed_parts_leave_nothing_open(providers: SpeechServer, http: Any) -> None:
    chain = {"stt": {"endpoint": "openai"}, "tts": {"endpoint": "cartesia"}, "tts_fallbacks": [{"endpoint": "openai"}]}
    from livekit.agents import APIConnectionError, APIConnectOptions

    parts = await parts_of(chain, http)
    await recognize(parts.ears)

    await parts.aclose()
    await parts.aclose()

    with pytest.raises(APIConnectionError):
        await parts.ears.recognize(frames(tone(rate=16000)), conn_options=APIConnectOptions(max_retry=0))
    assert len(providers.asked_of("openai")) == 1
