"""A session with a microphone and a loudspeaker, whose conversation is a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from livekit.agents.voice.io import AudioInput

    from conversations.models import Conversation
    from tenants.models import Tenant
    from tests.model_server.process import ModelServer
    from tests.voice_worker.sessions.parts import Captions, Ears, Loudspeaker, Microphone, Voice
    from voice_worker.providers.parts import SpeechParts
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
    captions: Captions

    async def say(self, text: str, *, seconds: float = 0.4) -> None:
        """Say something; the ears understand just that."""
        self.ears.words.append(text)
        await self.microphone.say(seconds)


Callers = Callable[..., Awaitable[Call]]


@pytest.fixture
async def calling(
    web_process: None, harbour: Tenant, model_server: ModelServer, settings: Any
) -> AsyncIterator[Callers]:
    """`await calling(model="say", **runtime)`: a call with harbour's agent behind the stub model.

    `parts` and `microphone` stand in the place of those of parts.py; `fallback` is the model after the first one.
    """
    import dataclasses

    from agents.engine import models
    from agents.models import Agent
    from conversations.domain.conversations import begin_conversation
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from tests.factories import AgentFactory, EndpointFactory
    from tests.voice_worker.sessions.parts import Captions, Detector, Ears, Loudspeaker, Microphone, Voice
    from voice_worker.domain.sessions import begin_session
    from voice_worker.providers.parts import SpeechParts
    from voice_worker.sessions.live import LiveSession, resolve

    settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, model_server.url.removeprefix("http://").removesuffix("/v1")]
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
            parts: SpeechParts | None = None,
            microphone: AudioInput | None = None,
            fallback: str = "",
            longest: float = 0.0,
            **runtime: Any,
        ) -> Call:
            def begin() -> tuple[Conversation, Any]:
                thread = conversation
                if thread is None:
                    endpoint = EndpointFactory.create(base_url=model_server.url, provider=provider)
                    if fallback:
                        runtime["fallbacks"] = [{"endpoint": endpoint.name, "model": fallback}]
                    agent: Agent = AgentFactory.create(
                        live__endpoint=endpoint, live__model=model, live__runtime={"welcome_message": "", **runtime}
                    )
                    thread = begin_conversation(agent_id=agent.pk, channel="audio")
                return thread, begin_session(conversation_id=thread.pk, channel="audio")

            thread, begun = await in_database(begin)
            begun = dataclasses.replace(begun, is_recorded=recorded)
            ears, voice, own, speaker, captions = Ears(), Voice(), Microphone(), Loudspeaker(), Captions()
            heard = parts or SpeechParts(ears, voice, Detector())
            live = LiveSession(begun, await resolve(begun), heard, eyes=eyes, longest=longest)
            live.listen_and_speak_through(microphone or own, speaker, captions=captions)
            await live.start()
            calls.append(Call(live, own, speaker, ears, voice, thread, captions))
            return calls[-1]

        yield call
        for one in calls:
            await one.live.aclose()
