"""What is built, and what isn't: premium voices, missing keys, endpoints that are gone."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from agents.content.speech import OPTIONS
from agents.providers import PROVIDERS
from tests.speech_servers.server import SpeechServer
from tests.voice_worker.providers.listening import PREMIUM, hear, hear_once, parts_of, speak

pytestmark = pytest.mark.usefixtures("tenant")


def entitlements(tier: str, *, flag: bool) -> Any:
    from voice_worker.providers.entitlements import Entitlements

    return Entitlements(tier=tier, premium_voice=flag)


# --- premium voices ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tier", ["premium", "enterprise"])
async def test_a_premium_tenant_has_the_premium_voice(providers: SpeechServer, http: Any, tier: str) -> None:
    parts = await parts_of({"tts": {"endpoint": "rime"}}, http, entitlements(tier, flag=True))
    await speak(parts.voice)

    assert (len(providers.asked_of("rime")), parts.downgraded) == (1, "")


@pytest.mark.parametrize(
    ("tier", "flag", "why"),
    [("standard", True, "standard"), ("", True, "tier"), ("premium", False, "flag premium_voice"), ("free", False, "")],
)
async def test_others_have_the_next_one_and_are_told_why(
    providers: SpeechServer, http: Any, caplog: Any, tier: str, flag: bool, why: str
) -> None:
    chain = {"tts": {"endpoint": "rime"}, "tts_fallbacks": [{"endpoint": "openai"}]}
    with caplog.at_level(logging.WARNING):
        parts = await parts_of(chain, http, entitlements(tier, flag=flag))
    await speak(parts.voice)

    assert (len(providers.asked_of("rime")), len(providers.asked_of("openai"))) == (0, 1)
    assert "rime" in parts.downgraded
    assert why in parts.downgraded
    assert parts.downgraded in caplog.text


async def test_where_there_is_no_next_one_the_built_in_one_speaks(providers: SpeechServer, http: Any) -> None:
    parts = await parts_of({"tts": {"endpoint": "rime"}}, http, entitlements("standard", flag=True))
    await speak(parts.voice)

    assert (len(providers.asked_of("rime")), len(providers.asked_of("built_in"))) == (0, 1)


async def test_operators_list_further_premium_voices(providers: SpeechServer, http: Any, settings: Any) -> None:
    settings.PREMIUM_VOICES = ["elevenlabs", "openai:marin"]
    standard = entitlements("standard", flag=True)

    async def is_used(endpoint: str, voice: str) -> bool:
        parts = await parts_of({"tts": {"endpoint": endpoint, "voice": voice}}, http, standard)
        return not parts.downgraded

    assert not await is_used("elevenlabs", "anybody")
    assert not await is_used("openai", "marin")
    assert await is_used("openai", "alloy")
    assert await is_used("cartesia", "marin")


async def test_a_voice_of_the_config_itself_is_judged_too(http: Any, settings: Any) -> None:
    settings.PREMIUM_VOICES = ["openai:marin"]
    config = {"tts": {"endpoint": "openai"}, "voice": "marin"}

    assert "premium" in (await parts_of(config, http, entitlements("standard", flag=True))).downgraded
    assert (await parts_of(config, http, PREMIUM)).downgraded == ""


@pytest.mark.usefixtures("live_tenants")
async def test_entitlements_are_the_tenants_tier_and_flag(harbour: Any) -> None:
    from asgiref.sync import sync_to_async

    from tenants.context import use_tenant
    from tenants.flags import current
    from tests.factories import FlagFactory
    from voice_worker.providers.entitlements import entitlements_of

    harbour.service_tier = "premium"
    with use_tenant(harbour):
        current.forget()
        assert await entitlements_of() == entitlements("premium", flag=False)
        await sync_to_async(FlagFactory)(key="premium_voice", rules=[], default=True)
        current.forget()
        assert await entitlements_of() == entitlements("premium", flag=True)
    current.forget()


# --- what can't be used -----------------------------------------------------------------------------------------------
async def test_without_any_key_the_provider_itself_is_not_asked(http: Any, know: Any) -> None:
    know("mine", "deepgram", PROVIDERS["deepgram"].base_url)
    know("elsewhere", "deepgram", "https://deepgram.example.com/v1")

    assert "no API key" in (await parts_of({"stt": {"endpoint": "mine"}}, http)).downgraded
    assert (await parts_of({"stt": {"endpoint": "elsewhere"}}, http)).downgraded == ""


@pytest.mark.usefixtures("live_tenants")
async def test_an_endpoint_that_is_gone_makes_room(providers: SpeechServer, http: Any, harbour: Any) -> None:
    from tenants.context import use_tenant

    with use_tenant(harbour):
        parts = await parts_of({"stt": {"endpoint": "gone"}, "languages": ["en"]}, http)

    assert "no such endpoint" in parts.downgraded
    assert await hear_once(parts.ears, "When does the kitchen close tonight?")
    assert providers.asked_of("built_in")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"stt": {"endpoint": "cartesia"}}, "Cartesia doesn't do that"),
        ({"stt": {"endpoint": "compatible"}}, "Name the model"),
        ({"stt": {"endpoint": "deepgram", "options": {"base_url": "http://x"}}}, "no option base_url"),
        ({"tts": {"endpoint": "elevenlabs", "voice": "../../user"}}, "letters, digits"),
        ({"tts": {"endpoint": "elevenlabs"}, "voice": "x?a=b"}, "letters, digits"),
        ({"tts": {"endpoint": "rime"}, "languages": ["ja"]}, "doesn't speak ja"),
        ({"stt": {"endpoint": "google"}}, "service account"),
    ],
)
async def test_a_config_that_does_not_fit_any_more_makes_room(http: Any, config: Any, why: str) -> None:
    assert why in (await parts_of(config, http)).downgraded


async def test_google_hears_for_a_service_account_alone(http: Any, know: Any) -> None:
    know("speech", "google", PROVIDERS["google"].base_url, "AIza-a-key")
    assert "service account" in (await parts_of({"stt": {"endpoint": "speech"}}, http)).downgraded

    # Where its tokens are asked for is the platform's to say, not the document's.
    document = {"type": "service_account", "project_id": "p", "client_email": "a@p", "token_uri": "http://10.0.0.1/"}
    know("speech", "google", PROVIDERS["google"].base_url, json.dumps(document))
    parts = await parts_of({"stt": {"endpoint": "speech"}, "languages": ["de", "en"]}, http)
    assert parts.downgraded == ""
    [google] = parts.ears.parts  # type: ignore[attr-defined]
    assert google._credentials_info["token_uri"] == "https://oauth2.googleapis.com/token"


async def test_no_speech_server_and_nothing_else_is_said_plainly(http: Any, settings: Any) -> None:
    from voice_worker.providers import SpeechUnavailable

    settings.SPEECH_URL = ""
    with pytest.raises(SpeechUnavailable, match="SPEECH_URL"):
        await parts_of({}, http)
    both = {"stt": {"endpoint": "deepgram"}, "tts": {"endpoint": "openai"}}
    assert (await parts_of(both, http)).downgraded == ""


async def test_a_session_without_the_guard_is_refused() -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="open_http"):
            await parts_of({}, session)


def test_whatever_a_provider_can_do_has_a_builder_and_options() -> None:
    from voice_worker.providers import hearing, realtime, speaking

    builders = {"hear": hearing.BUILDERS, "speak": speaking.BUILDERS, "realtime": realtime.BUILDERS}
    able = {(name, task) for name, provider in PROVIDERS.items() for task in provider.can if task != "chat"}
    able |= {("built_in", "hear"), ("built_in", "speak")}

    assert able == set(OPTIONS)
    assert able == {(name, task) for task, built in builders.items() for name in built}


async def test_no_key_shows_in_what_is_told(http: Any, providers: SpeechServer, caplog: Any) -> None:
    providers.behave(openai="401", deepgram="401")
    chain = {
        "stt": {"endpoint": "deepgram"},
        "stt_fallbacks": [{"endpoint": "second"}],
        "tts": {"endpoint": "openai"},
        "tts_fallbacks": [{"endpoint": "cartesia"}],
    }
    with caplog.at_level(logging.DEBUG):
        parts = await parts_of(chain, http)
        await hear(parts.ears)
        await speak(parts.voice)
    assert "sk-" not in parts.downgraded + caplog.text


# --- how sound comes to them ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("runtime", "rate"), [({}, 16_000), ({"realtime": {"endpoint": "openai"}}, 24_000)])
async def test_sound_is_to_come_as_it_is_heard(
    providers: SpeechServer, http: Any, runtime: dict[str, Any], rate: int
) -> None:
    parts = await parts_of(runtime, http)

    assert parts.hears_at == rate
