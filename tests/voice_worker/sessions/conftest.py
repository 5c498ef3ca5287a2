"""A session with a microphone and a loudspeaker, whose conversation is a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conversations.models import Conversation
    from tenants.models import Tenant
    from tests.model_server.process import ModelServer
    from tests.voice_worker.sessions.parts import Ears, Loudspeaker, Microphone, Voice
    from voice_worker.sessions.live import LiveSession
    from voice_worker.vision.eyes import Eyes


@dataclass
class Call:
    """Somebody talks with an agent."""

    live: LiveSession
    microphone: Microphone
    speaker: Loudspeaker
    ears: Ears
    voice: Voice
    conversation: Conversation

    async def say(self, text: str, *, seconds: float = 0.4) -> None:
        """Say something; the ears understand just that."""
        self.ears.words.append(text)
        await self.microphone.say(seconds)


Callers = Callable[..., Awaitable[Call]]


@pytest.fixture
async def calling(
    web_process: None, harbour: Tenant, model_server: ModelServer, settings: Any
) -> AsyncIterator[Callers]:
    """`await calling(model="say", **runtime)`: a call with harbour's agent behind the stub model."""
    import dataclasses

    from agents.engine import models
    from agents.models import Agent
    from conversations.domain.conversations import begin_conversation
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from tests.factories import AgentFactory, EndpointFactory
    from tests.voice_worker.sessions.parts import Detector, Ears, Loudspeaker, Microphone, Voice
    from voice_worker.domain.sessions import begin_session
    from voice_worker.providers.parts import SpeechParts
    from voice_worker.sessions.live import LiveSession, resolve

    settings.EGRESS_ALLOW = [model_server.url.removeprefix("http://").removesuffix("/v1")]
    models.egress_policy.cache_clear()
    calls: list[Call] = []

    with use_tenant(harbour):

        async def call(
            *,
            model: str = "say",
            provider: str = "openai_compatible",
            conversation: Conversation | None = None,
            eyes: Eyes | None = None,
            recorded: bool = False,
            **runtime: Any,
        ) -> Call:
            def begin() -> tuple[Conversation, Any]:
                thread = conversation
                if thread is None:
                    endpoint = EndpointFactory.create(base_url=model_server.url, provider=provider)
                    agent: Agent = AgentFactory.create(
                        live__endpoint=endpoint, live__model=model, live__runtime={"welcome_message": "", **runtime}
                    )
                    thread = begin_conversation(agent_id=agent.pk, channel="audio")
                return thread, begin_session(conversation_id=thread.pk, channel="audio")

            thread, begun = await in_database(begin)
            begun = dataclasses.replace(begun, is_recorded=recorded)
            ears, voice, microphone, speaker = Ears(), Voice(), Microphone(), Loudspeaker()
            live = LiveSession(begun, await resolve(begun), SpeechParts(ears, voice, Detector()), eyes=eyes)
            live.listen_and_speak_through(microphone, speaker)
            await live.start()
            calls.append(Call(live, microphone, speaker, ears, voice, thread))
            return calls[-1]

        yield call
        for one in calls:
            await one.live.aclose()
