"""Models that hear, answer and speak by themselves: set up, spoken to, heard, and asked to use a tool."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.speech_servers.server import SpeechServer, tone
from tests.voice_worker.providers.listening import frames, parts_of

pytestmark = pytest.mark.usefixtures("tenant")
SERVED_AS = {"openai": "openai_realtime", "google": "gemini"}
KEYS = {"openai": "Bearer sk-openai", "google": "sk-google"}


async def session_of(parts: Any) -> Any:
    assert parts.realtime is not None, parts.downgraded
    return parts.realtime.session()


async def answer(session: Any) -> tuple[float, list[Any]]:
    """Seconds of sound in an answer, and the calls in it."""
    async with asyncio.timeout(10):
        generation = await session.generate_reply(instructions="Greet.")
        heard = 0.0
        async for message in generation.message_stream:
            async for frame in message.audio_stream:
                heard += frame.duration
        calls = [call async for call in generation.function_stream]
    return heard, calls


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_it_is_spoken_to_and_heard(providers: SpeechServer, http: Any, provider: str) -> None:
    parts = await parts_of({"realtime": {"endpoint": provider, "voice": "marina"}}, http)
    session = await session_of(parts)
    for frame in frames(tone(0.5, rate=24000), rate=24000):
        session.push_audio(frame)

    heard, calls = await answer(session)
    await session.aclose()

    assert (heard, calls) == (pytest.approx(0.5, abs=0.05), [])
    (asked,) = providers.asked_of(SERVED_AS[provider])
    assert asked.key == KEYS[provider]
    assert "marina" in str(asked.said)
    assert asked.audio > 8000
    # Ears and a voice are there all the same, for an agent that greets by a text of its own.
    assert parts.ears.capabilities.streaming


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_it_uses_a_tool(providers: SpeechServer, http: Any, provider: str) -> None:
    from livekit.agents import llm

    @llm.function_tool
    async def opening_hours(day: str) -> str:
        """When the spa is open.

        Args:
            day: of the week.
        """
        return "nine to six"

    parts = await parts_of({"realtime": {"endpoint": provider}}, http)
    session = await session_of(parts)
    await session.update_tools([opening_hours])

    _, calls = await answer(session)
    await session.aclose()

    assert [(call.name, call.call_id, call.arguments) for call in calls] == [
        ("opening_hours", "call-1", '{"day": "sunday"}')
    ]


@pytest.mark.parametrize("fault", ["401", "429", "500"])
async def test_a_refusal_is_told(providers: SpeechServer, http: Any, fault: str) -> None:
    providers.behave(openai_realtime=fault)
    session = await session_of(await parts_of({"realtime": {"endpoint": "openai"}}, http))
    told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    session.on("error", lambda error: told.done() or told.set_result(error))

    error = await asyncio.wait_for(told, 10)
    await session.aclose()

    assert fault in str(error.error)


async def test_gemini_goes_to_google_or_where_the_operator_says_by_name(
    providers: SpeechServer, http: Any, know: Any, settings: Any
) -> None:
    know("proxy", "google", "https://gemini.example.com", "sk-x")
    settings.EGRESS_ALLOW = ["127.0.0.0/8"]

    for endpoint in ("proxy", "google"):
        parts = await parts_of({"realtime": {"endpoint": endpoint}}, http)
        assert parts.realtime is None
        assert "Google's own address" in parts.downgraded
