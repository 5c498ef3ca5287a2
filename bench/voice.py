"""`make bench-voice`: from the end of speech to the agent's first sound, beside bare livekit-agents with equal parts.

Both sessions hear the same words in espeak-ng's voice at the speed of speech, with livekit's own detector of speech,
the built-in ears and voice (`voice_worker.speech_server`) and a model whose first token takes 20 ms. They take turns, a
few utterances each, in one process and one run. Exit code 1 where an answer is lost, or isn't in the thread.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bench.installation import Installation
from bench.measure import percentile, ratio, table

_WORDS: Final = "what time is breakfast"
_RATE: Final = 16_000
_FRAME_SECONDS: Final = 0.02
_BLOCK: Final = 5  # utterances before the other session has its turn
_PATIENCE: Final = 20.0
_MODEL: Final = "say-20ms"  # what it heard, the first piece after 20 ms


@dataclass(slots=True)
class Side:
    """One of the two sessions, and what was measured of it. Milliseconds."""

    name: str
    say: Callable[[], Awaitable[float]]
    close: Callable[[], Awaitable[None]]
    waits: list[float] = field(default_factory=list)
    lost: int = 0


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.voice", description=__doc__)
    parser.add_argument("--utterances", type=int, default=20, help="of each side")
    utterances = parser.parse_args().utterances
    from tests.model_server.process import running
    from tests.voice_worker.speech import running_speech_server

    with running() as model, running_speech_server() as (speech, _):
        environment = {"EGRESS_ALLOW": model.host_and_port, "SPEECH_URL": speech, "LOG_LEVEL": "ERROR"}
        with Installation(environment) as place:
            place.migrate()
            return asyncio.run(_measure(model.url, utterances))


async def _measure(model_url: str, utterances: int) -> int:
    from switchboard.kernel import lifespan
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from voice_worker.providers.egress import open_http

    tenant, thread_id = await in_database(_company, model_url)
    await lifespan.start()
    with use_tenant(tenant):
        http = open_http()
        ours, bare = await _ours(thread_id, http), await _bare(thread_id, http, model_url)
        for side in (ours, bare):
            await side.say()  # connections are opened, models loaded
        for _ in range(-(-utterances // _BLOCK)):
            for side in (ours, bare):
                for _ in range(_BLOCK):
                    try:
                        side.waits.append(await asyncio.wait_for(side.say(), _PATIENCE))
                    except TimeoutError:
                        side.lost += 1
        kept = await in_database(_answers, thread_id)
        await ours.close()
        await bare.close()
        await http.close()
    await lifespan.stop()
    wanted = len(ours.waits) + 1
    rows = [_row(side) for side in (ours, bare)]
    rows.append(
        ["ours over bare", *(f"{_share(ours, share) - _share(bare, share):+.0f}" for share in (0.5, 0.95)), "", ""]
    )
    rows.append(["", *(ratio(_share(ours, share), _share(bare, share)) for share in (0.5, 0.95)), "", ""])
    print(table(["end of speech → first sound, ms", "p50", "p95", "answers", "lost"], rows))
    print(f"\nanswers in the thread: {kept} of {wanted}")
    return int(bool(ours.lost or bare.lost) or kept != wanted)


def _row(side: Side) -> list[str]:
    return [side.name, f"{_share(side, 0.5):.0f}", f"{_share(side, 0.95):.0f}", str(len(side.waits)), str(side.lost)]


def _share(side: Side, share: float) -> float:
    return percentile(side.waits, share)


def _company(model_url: str) -> tuple[Any, Any]:
    from agents.domain.agents import compose_agent
    from agents.domain.endpoints import create_endpoint
    from conversations.domain.conversations import begin_conversation
    from tenants.context import scope_of, use_public, use_tenant
    from tenants.domain.provision import create_tenant

    with use_public():
        tenant = create_tenant(name="Voice", slug="voice", domains=["voice.localhost"])
    with use_tenant(tenant):
        endpoint = create_endpoint(name="Stub", base_url=model_url, api_key="sk-stub")
        release = compose_agent(
            name="Agent",
            slug="agent",
            prompt="You answer the guests.",
            endpoint=endpoint.name,
            model=_MODEL,
            key_terms=[_WORDS],
        )
        thread = begin_conversation(agent_id=release.agent_id, channel="audio")
    return scope_of(tenant), thread.pk


def _answers(thread_id: Any) -> int:
    from conversations.models import Message

    return Message.objects.filter(conversation=thread_id, role=Message.Role.AGENT).count()


async def _parts(thread_id: Any, http: Any) -> tuple[Any, Any, Any]:
    from switchboard.kernel.database import in_database
    from voice_worker.domain.sessions import begin_session
    from voice_worker.providers import build_speech
    from voice_worker.providers.entitlements import entitlements_of
    from voice_worker.sessions.live import resolve

    begun = await in_database(begin_session, conversation_id=thread_id, channel="audio")
    release = await resolve(begun)
    parts = await build_speech(runtime=release.runtime, entitlements=await entitlements_of(), http=http)
    return begun, release, parts


async def _ours(thread_id: Any, http: Any) -> Side:
    from voice_worker.sessions.live import LiveSession

    begun, release, parts = await _parts(thread_id, http)
    live = LiveSession(begun, release, parts)
    ear, mouth = _ends()
    live.listen_and_speak_through(ear, mouth)
    await live.start()
    return Side("Switchboard", lambda: _say(ear, mouth), live.aclose)


async def _bare(thread_id: Any, http: Any, model_url: str) -> Side:
    from livekit.agents import Agent, AgentSession
    from livekit.agents.voice import TranscriptSynchronizer
    from livekit.plugins import openai

    _, release, parts = await _parts(thread_id, http)
    turn_taking = release.runtime.turn_taking
    session: Any = AgentSession(
        stt=parts.ears,
        tts=parts.voice,
        vad=parts.detector,
        llm=openai.LLM(model=_MODEL, base_url=model_url, api_key="sk-stub"),
        turn_handling={
            "turn_detection": "vad",
            "endpointing": {
                "mode": "fixed",
                "min_delay": turn_taking.min_endpointing_delay,
                "max_delay": turn_taking.max_endpointing_delay,
            },
            "interruption": {"mode": "vad"},
            "preemptive_generation": {"enabled": False},
        },
        aec_warmup_duration=None,
    )
    ear, mouth = _ends()
    in_step = TranscriptSynchronizer(next_in_chain_audio=mouth, next_in_chain_text=None)
    session.input.audio = ear
    session.output.audio, session.output.transcription = in_step.audio_output, in_step.text_output
    await session.start(Agent(instructions="You answer the guests."), record=False)
    return Side("bare livekit-agents", lambda: _say(ear, mouth), session.aclose)


async def _say(ear: Any, mouth: Any) -> float:
    """Speak, and wait for the answer. Milliseconds from the last word to the first sound."""
    mouth.began.clear()
    mouth.ended.clear()
    ended = await ear.speak()
    await mouth.began.wait()
    wait = (mouth.began_at - ended) * 1000
    await mouth.ended.wait()
    await asyncio.sleep(0.5)
    return float(wait)


def _ends() -> tuple[Any, Any]:
    """A microphone that says the words when it is told to, and a loudspeaker that notes when it is used."""
    from livekit import rtc
    from livekit.agents.voice import io

    from tests.voice_worker.sessions.parts import Loudspeaker
    from tests.voice_worker.speech import spoken

    size = int(_RATE * _FRAME_SECONDS) * 2
    words = spoken(_WORDS, rate=_RATE)[0]

    class Ear(io.AudioInput):
        def __init__(self) -> None:
            super().__init__(label="ear")
            self._left = b""
            self._said = asyncio.Event()
            self._ended = 0.0
            self._next = time.monotonic()

        async def speak(self) -> float:
            """When the last word was out, by the monotonic clock."""
            self._said.clear()
            self._left = words
            await self._said.wait()
            return self._ended

        async def __anext__(self) -> rtc.AudioFrame:
            self._next = max(self._next + _FRAME_SECONDS, time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            piece, self._left = self._left[:size], self._left[size:]
            if piece and not self._left:
                self._ended = time.monotonic()
                self._said.set()
            return rtc.AudioFrame(piece.ljust(size, b"\0"), _RATE, 1, size // 2)

    class Mouth(Loudspeaker):
        def __init__(self) -> None:
            super().__init__()
            self.began, self.ended, self.began_at = asyncio.Event(), asyncio.Event(), 0.0
            self.on("playback_started", lambda event: self._note())
            self.on("playback_finished", lambda event: self.ended.set())

        def _note(self) -> None:
            self.began_at = time.monotonic()
            self.began.set()

    return Ear(), Mouth()


if __name__ == "__main__":
    sys.exit(main())
