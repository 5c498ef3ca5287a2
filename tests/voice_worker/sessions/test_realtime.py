"""A realtime model in place of ears, engine and voice: it speaks, and the engine answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agents.domain.endpoints import create_endpoint
from agents.engine import models
from conversations.domain.conversations import begin_conversation
from conversations.models import Conversation, Message
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.factories import AgentFactory, EndpointFactory
from tests.model_server.process import ModelServer
from tests.speech_servers.server import HEARD, SpeechServer, running
from tests.voice_worker.sessions.conftest import Call
from tests.voice_worker.sessions.parts import Captions, Detector, Ears, Loudspeaker, Microphone, Voice
from tests.voice_worker.sessions.test_live import said, until
from voice_worker.domain.sessions import Begun, begin_session
from voice_worker.providers import build_speech
from voice_worker.providers.egress import open_http
from voice_worker.providers.entitlements import entitlements_of
from voice_worker.providers.parts import SpeechParts
from voice_worker.sessions.live import LiveSession, resolve

WELCOME = "Welcome to Harbour House."


# What each is played as, and the model that is asked for.
PLAYED = {"openai": ("openai_realtime", "gpt-realtime"), "google": ("gemini", "gemini-2.5-flash-live")}


@pytest.fixture
async def realtime(web_process: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SpeechServer]:
    """The realtime APIs of OpenAI and Google, played."""
    async with running() as server:
        settings.EGRESS_ALLOW = [server.host_and_port, server.secure_url.removeprefix("https://")]
        monkeypatch.setenv("SSL_CERT_FILE", server.certificate)  # Gemini's client speaks by TLS alone
        settings.SPEECH_URL = f"{server.url}/built_in/v1"
        yield server


async def test_what_it_is_asked_is_answered_by_the_engine_and_stands_in_the_thread(
    realtime: SpeechServer, harbour: Tenant
) -> None:
    def begin() -> tuple[Conversation, Begun]:
        create_endpoint(name="Realtime", provider="openai", base_url=f"{realtime.url}/openai/v1", api_key="sk-realtime")
        runtime = {"welcome_message": "", "realtime": {"endpoint": "Realtime", "model": "gpt-realtime"}}
        agent = AgentFactory.create(live__runtime=runtime)
        thread = begin_conversation(agent_id=agent.pk, channel="audio")
        return thread, begin_session(conversation_id=thread.pk, channel="audio")

    with use_tenant(harbour):
        thread, begun = await in_database(begin)
        release = await resolve(begun)
        async with open_http() as http:
            parts = await build_speech(runtime=release.runtime, entitlements=await entitlements_of(), http=http)
            live = LiveSession(begun, release, parts)
            speaker = Loudspeaker()
            live.listen_and_speak_through(Microphone(), speaker)
            await live.start()
            live.session.generate_reply(user_input=HEARD)

            found = await until(lambda: len(said(thread)) == 2 and said(thread))
            await speaker.played.wait()
            await live.aclose()

        assert found[0] == (Message.Role.CONTACT, HEARD)
        assert found[1][0] == Message.Role.AGENT
        (asked,) = realtime.asked_of("openai_realtime")
        assert "consult" in str(asked.said)
        assert any(one.get("item", {}).get("type") == "function_call_output" for one in asked.said)


@contextlib.asynccontextmanager
async def calling_by(
    provider: str, realtime: SpeechServer, model_server: ModelServer, harbour: Tenant, settings: Any
) -> AsyncIterator[Call]:
    """A call with a realtime model; the release has ears and a voice beside it."""
    settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, model_server.host_and_port]
    address = f"{realtime.url}/openai/v1" if provider == "openai" else realtime.secure_url
    models.egress_policy.cache_clear()

    def begin() -> tuple[Conversation, Begun]:
        create_endpoint(name="Realtime", provider=provider, base_url=address, api_key="sk-realtime")
        runtime = {"welcome_message": WELCOME, "realtime": {"endpoint": "Realtime", "model": PLAYED[provider][1]}}
        endpoint = EndpointFactory.create(base_url=model_server.url)
        agent = AgentFactory.create(live__endpoint=endpoint, live__model="say", live__runtime=runtime)
        thread = begin_conversation(agent_id=agent.pk, channel="audio")
        return thread, begin_session(conversation_id=thread.pk, channel="audio")

    with use_tenant(harbour):
        thread, begun = await in_database(begin)
        release = await resolve(begun)
        async with open_http() as http:
            built = await build_speech(runtime=release.runtime, entitlements=await entitlements_of(), http=http)
            assert built.realtime is not None, built.downgraded
            call = Call(None, Microphone(), Loudspeaker(), Ears(), Voice(), thread, Captions())  # type: ignore[arg-type]
            parts = SpeechParts(call.ears, call.voice, Detector(), built.realtime, closers=[built.aclose])
            call.live = LiveSession(begun, release, parts)
            call.live.listen_and_speak_through(call.microphone, call.speaker)
            await call.live.start()
            yield call
            await call.live.aclose()


async def goes_on(call: Call) -> None:
    """What is asked now is answered by the engine, and heard and said by the release's own ears and voice."""
    await until(lambda: not call.speaker.is_playing)
    answer = "Breakfast is from seven to ten."
    await call.say(f"!say {answer}")
    await until(lambda: said(call.conversation)[-2:] == [("contact", f"!say {answer}"), ("agent", answer)])
    await until(lambda: answer in call.voice.spoken)
    assert not call.live.ended.is_set()


@pytest.mark.parametrize("provider", PLAYED)
async def test_a_realtime_model_that_cannot_be_reached_is_done_without(
    realtime: SpeechServer, model_server: ModelServer, harbour: Tenant, settings: Any, provider: str
) -> None:
    realtime.behave(**{PLAYED[provider][0]: "500"})
    async with calling_by(provider, realtime, model_server, harbour, settings) as call:
        await until(lambda: call.voice.spoken == [WELCOME])
        await goes_on(call)


@pytest.mark.parametrize("provider", PLAYED)
async def test_a_realtime_model_that_fails_in_a_call_is_done_without_from_then_on(
    realtime: SpeechServer, model_server: ModelServer, harbour: Tenant, settings: Any, provider: str
) -> None:
    async with calling_by(provider, realtime, model_server, harbour, settings) as call:
        spoken = call.live.session.history.items
        await until(lambda: any(item.type == "message" and item.role == "assistant" for item in spoken))
        assert call.voice.spoken == [], "it speaks for itself"
        realtime.behave(**{PLAYED[provider][0]: "401"})
        await until(lambda: any("say that again" in one for one in call.voice.spoken))
        assert len(realtime.asked_of(PLAYED[provider][0])) > 1, "it was tried again first"
        await goes_on(call)
