"""What speaks: each provider by its real client, on the wire."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.speech_servers.server import SpeechServer
from tests.voice_worker.providers.listening import parts_of, speak

pytestmark = pytest.mark.usefixtures("tenant")
SECONDS = 0.5  # what every provider here makes of a text
ALL = ["cartesia", "elevenlabs", "rime", "openai", "groq", "compatible"]
KEYS = {"cartesia": "sk-cartesia", "elevenlabs": "sk-elevenlabs"}


def speech(provider: str, **more: Any) -> dict[str, Any]:
    return {"endpoint": provider, "model": "kokoro" if provider == "compatible" else "", "voice": "marina", **more}


@pytest.mark.parametrize("provider", ALL)
async def test_each_provider_is_heard(providers: SpeechServer, http: Any, provider: str) -> None:
    parts = await parts_of({"tts": speech(provider), "languages": ["de"]}, http)

    assert await speak(parts.voice) == pytest.approx(SECONDS, abs=0.12)
    asked = providers.asked_of(provider)[0]
    assert asked.key == KEYS.get(provider, f"Bearer sk-{provider}")
    assert "marina" in f"{asked.path} {asked.query} {asked.said}"
    assert "kitchen" in str(asked.said)
    assert parts.downgraded == ""


async def test_the_language_goes_along(providers: SpeechServer, http: Any) -> None:
    for provider in ("cartesia", "elevenlabs", "rime"):
        parts = await parts_of({"tts": speech(provider), "languages": ["de", "en"]}, http)
        await speak(parts.voice)

    assert providers.asked_of("cartesia")[0].said[0]["language"] == "de"
    assert providers.asked_of("elevenlabs")[0].query["language_code"] == "de"
    assert providers.asked_of("rime")[0].query["lang"] == "ger"


async def test_options_reach_their_provider(providers: SpeechServer, http: Any) -> None:
    options: dict[str, dict[str, Any]] = {
        "cartesia": {"speed": 1.2, "emotion": "calm"},
        "elevenlabs": {"stability": 0.3, "speed": 1.1},
        "openai": {"speed": 1.5, "instructions": "Whisper."},
        "rime": {"time_scale_factor": 1.25},
    }
    for provider, chosen in options.items():
        parts = await parts_of({"tts": speech(provider, options=chosen)}, http)
        await speak(parts.voice)

    config = providers.asked_of("cartesia")[0].said[0]["generation_config"]
    assert config == {"speed": 1.2, "emotion": "calm"}
    assert providers.asked_of("elevenlabs")[0].said[0]["voice_settings"].items() >= {"stability": 0.3}.items()
    assert providers.asked_of("openai")[0].said[0].items() >= options["openai"].items()
    assert "1.25" in str(providers.asked_of("rime")[0].query)


async def test_the_configs_own_voice_is_of_what_speaks_first(providers: SpeechServer, http: Any) -> None:
    providers.behave(groq="500")
    chain = {"tts": {"endpoint": "groq"}, "tts_fallbacks": [{"endpoint": "openai"}], "voice": "troy"}
    await speak((await parts_of(chain, http)).voice)

    assert providers.asked_of("groq")[0].said[0]["voice"] == "troy"
    assert providers.asked_of("openai")[0].said[0]["voice"] != "troy"


async def test_the_built_in_one_speaks_the_language_without_any_endpoint(providers: SpeechServer, http: Any) -> None:
    parts = await parts_of({"languages": ["de"]}, http)

    assert await speak(parts.voice) == pytest.approx(SECONDS, abs=0.05)
    assert providers.asked_of("built_in")[0].said[0]["voice"] == "de"


@pytest.mark.parametrize(("chosen", "spoken"), [("de+f3", "de+f3"), ("Marina the Second", "en"), ("", "en")])
async def test_it_has_languages_for_voices(providers: SpeechServer, http: Any, chosen: str, spoken: str) -> None:
    parts = await parts_of({"voice": chosen}, http)
    await speak(parts.voice)

    assert providers.asked_of("built_in")[0].said[0]["voice"] == spoken


@pytest.mark.parametrize("fault", ["401", "429", "500", "garbage", "hang"])
@pytest.mark.parametrize("provider", ALL)
async def test_the_next_one_speaks_when_one_does_not(
    providers: SpeechServer, http: Any, provider: str, fault: str
) -> None:
    providers.behave(**{provider: fault})
    parts = await parts_of({"tts": speech(provider), "tts_fallbacks": [{"endpoint": ""}]}, http)

    begun = time.monotonic()
    assert await speak(parts.voice) == pytest.approx(SECONDS, abs=0.05)
    assert time.monotonic() - begun < 15
    assert len(providers.asked_of("built_in")) == 1
    await parts.aclose()


@pytest.mark.parametrize("provider", ALL)
async def test_what_was_heard_is_not_said_again(providers: SpeechServer, http: Any, provider: str) -> None:
    providers.behave(**{provider: "half"})
    parts = await parts_of({"tts": speech(provider), "tts_fallbacks": [{"endpoint": ""}]}, http)

    heard = await speak(parts.voice)

    # Either the half that came before it broke off, or, where nothing of it had been heard yet, the whole by another.
    again = bool(providers.asked_of("built_in"))
    assert heard == pytest.approx(SECONDS, abs=0.05) if again else 0 < heard < SECONDS
    await parts.aclose()
