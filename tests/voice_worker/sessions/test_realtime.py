"""A realtime model in place of ears, engine and voice: it speaks, and the engine answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agents.domain.endpoints import create_endpoint
from conversations.domain.conversations import begin_conversation
from conversations.models import Conversation, Message
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.factories import AgentFactory
from tests.speech_servers.server import HEARD, SpeechServer, running
from tests.voice_worker.sessions.parts import Loudspeaker, Microphone
from tests.voice_worker.sessions.test_live import said, until
from voice_worker.domain.sessions import Begun, begin_session
from voice_worker.providers import build_speech
from voice_worker.providers.egress import open_http
from voice_worker.providers.entitlements import entitlements_of
from voice_worker.sessions.live import LiveSession, resolve


@pytest.fixture
async def realtime(web_process: None, settings: Any) -> AsyncIterator[SpeechServer]:
    """OpenAI's realtime API, played."""
    async with running() as server:
        settings.EGRESS_ALLOW = [server.host_and_port]
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
