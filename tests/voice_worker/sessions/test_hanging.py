"""In a call, a provider takes what it is given and says nothing: somebody hears of it, and the call goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from agents.engine import models
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.factories import EndpointFactory
from tests.speech_servers.server import HEARD, SpeechServer, running
from tests.voice_worker.providers.listening import parts_of
from tests.voice_worker.sessions.conftest import Call, Callers
from tests.voice_worker.sessions.parts import Detector, Ears, Tape, Voice
from tests.voice_worker.sessions.test_live import said, until
from tests.voice_worker.speech import spoken
from voice_worker.models import TimelineEntry
from voice_worker.providers.parts import SpeechParts
from voice_worker.sessions.wording import DEAF, MOMENT, TROUBLE

PATHS = {"deepgram": "/deepgram/v1", "second": "/second/v1", "openai": "/openai/v1"}
QUESTION = "When does the kitchen close tonight, and is the spa open?"


@pytest.fixture
async def providers(settings: Any, live_tenants: None, harbour: Tenant) -> AsyncIterator[SpeechServer]:
    """Speech providers that harbour has an endpoint at, each named as it is."""

    def know(url: str) -> None:
        with use_tenant(harbour):
            for name, path in PATHS.items():
                provider = "deepgram" if name == "second" else name
                EndpointFactory.create(name=name, provider=provider, base_url=url + path, api_key=f"sk-{name}")

    async with running() as server:
        settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, server.host_and_port]
        models.egress_policy.cache_clear()
        settings.SPEECH_URL = f"{server.url}/built_in/v1"
        await in_database(know, server.url)
        yield server


@pytest.fixture
async def http(providers: SpeechServer) -> AsyncIterator[aiohttp.ClientSession]:
    from voice_worker.providers.egress import open_http

    async with open_http() as session:
        yield session


async def reads(call: Call, words: str, *, seconds: float = 30.0) -> None:
    """Wait until something can be read in the call."""
    for _ in range(int(seconds / 0.05)):
        if words in call.captions.text:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"“{call.captions.text}” and not “{words}”")


async def until_failed(call: Call, *codes: str) -> None:
    """Wait until its time axis tells of failures with just these codes."""

    def told() -> bool:
        entries = TimelineEntry.objects.filter(session=call.live.id, kind="error")
        return {entry.data["code"] for entry in entries} == set(codes)

    await until(told)


async def test_ears_that_hear_nothing_are_connected_to_anew_or_apologised_for(
    calling: Callers, providers: SpeechServer, http: Any, harbour: Tenant
) -> None:
    providers.behave(deepgram="deaf", second="deaf")
    calls, tapes, ears = [], [], []
    for name in ("deepgram", "second"):
        with use_tenant(harbour):
            ears.append(await parts_of({"stt": {"endpoint": name}}, http))
        tapes.append(Tape())
        parts = SpeechParts(ears[-1].ears, Voice(), ears[-1].detector)
        calls.append(await calling(parts=parts, microphone=tapes[-1]))
    better, deaf = calls

    await asyncio.gather(*(tape.play(spoken(QUESTION, rate=16_000)[0]) for tape in tapes))
    providers.behave(deepgram="well")
    thread = await until(lambda: len(said(better.conversation)) == 2 and said(better.conversation))
    await reads(deaf, DEAF["en"])

    assert thread == [("contact", HEARD), ("agent", HEARD)], "though it was said to deaf ears"
    assert DEAF["en"] not in better.captions.text
    for call in calls:
        await until_failed(call, "APITimeoutError", "NobodyHears")
    assert await in_database(lambda: said(deaf.conversation)) == []
    assert not deaf.live.ended.is_set()
    for one in ears:
        await one.aclose()


async def test_a_voice_that_says_nothing_gives_way_to_the_built_in_one(
    calling: Callers, providers: SpeechServer, http: Any, harbour: Tenant
) -> None:
    providers.behave(openai="hang")
    with use_tenant(harbour):
        real = await parts_of({"tts": {"endpoint": "openai"}}, http)
    call = await calling(parts=SpeechParts(Ears(), real.voice, Detector()))

    call.live.session.stt.words.append("!say Breakfast is at seven.")
    await call.microphone.say(0.4)
    await asyncio.wait_for(call.speaker.played.wait(), 40)

    assert providers.asked_of("built_in")
    await until(lambda: len(said(call.conversation)) == 2)
    await until_failed(call, "voice_failed")
    await real.aclose()


async def test_an_answer_that_nobody_can_speak_can_be_read_and_the_next_one_is_heard(
    calling: Callers, providers: SpeechServer, http: Any, harbour: Tenant
) -> None:
    providers.behave(built_in="hang")
    with use_tenant(harbour):
        real = await parts_of({}, http)
    call = await calling(parts=SpeechParts(Ears(), real.voice, Detector()))

    call.live.session.stt.words.append("!say Breakfast is at seven.")
    await call.microphone.say(0.4)
    await reads(call, "Breakfast is at seven.")
    await until_failed(call, "voice_failed")
    assert not call.speaker.loud

    providers.behave(built_in="well")
    for _ in range(10):  # whoever failed is tried beside the next answer, and speaks the one after it
        call.live.session.stt.words.append("!say Lunch.")
        await call.microphone.say(0.4)
        await asyncio.sleep(2.0)
        if call.speaker.loud:
            break
    assert call.speaker.loud, "somebody speaks again"
    assert not call.live.ended.is_set()
    await real.aclose()


async def test_a_model_that_says_nothing_is_apologised_for_or_another_answers(calling: Callers) -> None:
    alone = await calling(model="hang-before-first")
    chain = await calling(model="hang-before-first", fallback="say")

    await asyncio.gather(alone.say("Is there breakfast?"), chain.say("Breakfast at seven, please."))
    await reads(alone, MOMENT["en"])
    await reads(chain, "Breakfast at seven, please.")
    await reads(alone, TROUBLE["en"])

    assert chain.voice.spoken == [MOMENT["en"], "Breakfast at seven, please."]
    await until_failed(alone, "model_timeout")
    await alone.say("!say I am here again.")
    await until(lambda: ("agent", "I am here again.") in said(alone.conversation))
    # What is said while one waits is no part of the answer.
    assert ("agent", "Breakfast at seven, please.") in await in_database(lambda: said(chain.conversation))
