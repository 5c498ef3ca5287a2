"""A session from its beginning to its end: ears, voice, the conversation behind them, and the account of it all."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from livekit import rtc
from livekit.agents import AgentSession, CloseEvent, ErrorEvent, SpeechCreatedEvent, llm
from livekit.agents.voice import SpeechHandle, TranscriptSynchronizer
from livekit.agents.voice import events as session_events
from livekit.agents.voice.io import AudioInput, AudioOutput, TextOutput
from livekit.agents.voice.room_io import RoomOptions

from agents import releases
from agents.engine.images import LabelledImage, Seen
from agents.engine.saying import prompt_of
from agents.releases import ResolvedRelease
from conversations.events.record import Record
from switchboard.kernel.database import in_database
from tenants.domain import leases
from tenants.flags.evaluation import Context
from voice_worker.domain.sessions import Begun, end_session
from voice_worker.models import VoiceSession
from voice_worker.providers.metering import SpeechMeter
from voice_worker.providers.parts import SpeechParts
from voice_worker.sessions.afterwards import Afterwards
from voice_worker.sessions.apologies import Apologies
from voice_worker.sessions.background import play_behind
from voice_worker.sessions.base_instructions import BaseInstructions
from voice_worker.sessions.realtime_agent import RealtimeAgent
from voice_worker.sessions.recording import Recording
from voice_worker.sessions.spoken_agent import LAST_ITEMS, EngineModel, SpokenAgent
from voice_worker.sessions.thread import Thread
from voice_worker.sessions.time_axis import TimeAxis
from voice_worker.sessions.wording import BACK, DEAF, GOODBYE, LAST_SAID, TROUBLE, WAITING, sentence, without_sources
from voice_worker.vision import across

if TYPE_CHECKING:
    from voice_worker.vision.eyes import Eyes

logger = logging.getLogger(__name__)

# What was said without the conversation is told it once it is back; a session that ends waits so long for that.
_TELL_SECONDS: Final = 20.0
_GOODBYE_SECONDS: Final = 10.0
# For each step of a session's end, more than any that works takes: whoever hangs keeps neither a place nor a row open.
_CLOSE_SECONDS: Final = 30.0


class LiveSession:
    """One agent with its ears and voice, at work for a conversation.

    Args:
        begun: its row, whose lease this process holds.
        release: the agent.
        parts: what it hears and speaks with.
        on_record: told of every event of the conversation's turns.
        eyes: what it sees of its room with.
        longest: seconds after which the agent says goodbye, and the session has ended; 0: somebody else sees to that.
        has_guests: whether guests are there now, who may not hear what is the contact's.
    """

    def __init__(
        self,
        begun: Begun,
        release: ResolvedRelease,
        parts: SpeechParts,
        *,
        on_record: Callable[[Record], None] | None = None,
        eyes: Eyes | None = None,
        longest: float = 0.0,
        has_guests: Callable[[], bool] = lambda: False,
    ) -> None:
        self.id = begun.id
        self.begun = begun
        self._release = release
        self._parts = parts
        self._on_record = on_record
        self._eyes = eyes
        self._watching = contextlib.AsyncExitStack()
        self._language = (
            release.personality.languages[0] if release.personality and release.personality.languages else "en"
        )
        self.axis = TimeAxis(begun.id)
        self.thread = Thread(begun.conversation_id, listen=self._listen)
        self._afterwards = Afterwards(begun.conversation_id)
        self.agent: SpokenAgent | RealtimeAgent = (
            self._spoken_agent() if parts.realtime is None else self._realtime_agent()
        )
        self.session = _agent_session(release, parts)
        self._meter = SpeechMeter(begun.id, begun.conversation_id, begun.release_id)
        self.ended = asyncio.Event()
        self.end_reason = ""
        self._longest = longest
        self._timer: asyncio.Task[None] | None = None
        self._apologies = Apologies(self._apologise)
        self._listens_to = ""
        self._is_in_room = False
        self._has_guests = has_guests
        self._has_greeted = False
        self._closing: list[Callable[[], Awaitable[None]]] = [self._apologies.aclose, parts.aclose]
        # From now on: until it speaks, a room must be connected to, which takes its time on a bad day.
        self._at_work = contextlib.ExitStack()
        self._at_work.enter_context(leases.at_work(begun.id))

    def listen_and_speak_through(
        self, hearing: AudioInput, speaking: AudioOutput, *, captions: TextOutput | None = None
    ) -> None:
        """Take something other than a LiveKit room for ears and mouth, before `start`.

        Args:
            captions: is given the words as they are heard.
        """
        # Without it, an answer that was broken in on would keep words that nobody heard.
        in_step = TranscriptSynchronizer(next_in_chain_audio=speaking, next_in_chain_text=captions)
        self._closing.append(in_step.aclose)
        self.session.input.audio = hearing
        self.session.output.audio = in_step.audio_output
        self.session.output.transcription = in_step.text_output

    async def start(self, *, room: rtc.Room | None = None, options: RoomOptions | None = None) -> None:
        """Listen and speak from now on.

        Args:
            room: the LiveKit room; None where the session's own input and output were set.
        """
        self.session.on("speech_created", self._speech_created)
        self.session.on("close", self._closed)
        self.session.on("session_usage_updated", lambda event: self._meter.update(event.usage))
        self._meter.listen_to(self._parts.ears)
        self.axis.listen(self.session)
        if isinstance(self.agent, RealtimeAgent):
            self.session.on("conversation_item_added", self.agent.said)
            self.session.on("error", self._fall_back)
        self.session.on("conversation_item_added", lambda _: self._forget())
        self._apologies.listen(self.session)
        if self._eyes is not None and self._eyes.are_open:
            writers = across.shown_to_writers(self.begun.conversation_id, self._see, self._look)
            await self._watching.enter_async_context(writers)
        if room is None:
            await self.session.start(self.agent, record=False)
        else:
            # Without a session host: it would tell everybody in the room all that happens in the session.
            await self.session.start(
                self.agent, room=room, room_options=options or RoomOptions(), record=False, session_host=False
            )
            self._is_in_room = True
            if self._listens_to:
                self.session.room_io.set_participant(self._listens_to)
            if self._eyes is not None:
                await self._watching.enter_async_context(self._eyes.watch(room))
            player = await play_behind(self.session, room, self._release.runtime.background_audio)
            if player is not None:
                self._closing.insert(0, player.aclose)
        if self.begun.is_recorded:
            recording = Recording(self.id)
            self._closing.insert(0, recording.aclose)
            await recording.start(self.session)
        if self._longest:
            self._timer = asyncio.create_task(self._end_in_time(), name=f"longest call {self.id}")
        self._greet()

    async def say_goodbye(self) -> None:
        """Say that the call has to end, to the last word if that doesn't take long."""
        goodbye = self._say(sentence(GOODBYE, self._language), "Say goodbye to the caller with these words")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(goodbye.wait_for_playout(), _GOODBYE_SECONDS)

    async def aclose(self, *, reason: str = "", failed: bool = False) -> None:
        """End the session, and keep all of it. What can't be closed or kept, or hangs, is told to the log, and nothing
        else is lost for it.
        """
        if self._timer is not None:
            self._timer.cancel()
        closing, self._closing = self._closing, []
        book = functools.partial(self._meter.aclose, patience=_TELL_SECONDS)
        steps: list[Callable[[], Awaitable[object]]] = [self._watching.aclose, self.session.aclose, *closing]
        steps += [self._tell, book, self.axis.aclose]
        for step in steps:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await step()
            except Exception:
                logger.exception("a voice session didn't end as it should", extra={"voice_session": str(self.id)})
        status = VoiceSession.Status.FAILED if failed else VoiceSession.Status.ENDED
        self._at_work.close()
        await in_database(end_session, session_id=self.id, status=status, reason=reason or self.end_reason)

    async def _tell(self) -> None:
        if not await self._afterwards.told(within=_TELL_SECONDS):
            logger.error("what was said without the conversation is lost", extra={"voice_session": str(self.id)})

    def listen_to(self, identity: str) -> None:
        """Listen to this one of the room's people from now on."""
        self._listens_to = identity
        if self._is_in_room:
            self.session.room_io.set_participant(identity)
            self._greet()

    async def _end_in_time(self) -> None:
        """Tell that the time is up once it is, and end when that was heard."""
        await asyncio.sleep(self._longest)
        await self.say_goodbye()
        self.axis.note("state", state="too_long")
        self.end_reason = "too_long"
        self.ended.set()

    def _fall_back(self, event: ErrorEvent) -> None:
        """Go on with ears, engine and voice where a realtime model has failed for good."""
        error = event.error
        if not isinstance(error, llm.RealtimeModelError) or error.recoverable:
            return
        error.recoverable = True  # it would end the session; livekit-agents asks after its listeners
        failed = self.agent
        if not isinstance(failed, RealtimeAgent):
            return
        logger.warning("a realtime model failed: %s", type(error.error).__name__, extra={"voice_session": str(self.id)})
        self.axis.note("state", state="fell_back")
        self.session.off("conversation_item_added", failed.said)
        has_spoken = any(
            item.type == "message" and item.role == "assistant" and item.text_content
            for item in self.session.history.items
        )
        first_words = sentence(TROUBLE, self._language) if has_spoken else self._greeting()
        chain = _chain(self._release, self._parts)
        self.agent = self._spoken_agent(first_words=first_words, **chain)
        self.session.update_agent(self.agent)

    @property
    def _is_expected(self) -> bool:
        """Whether whom the agent is for, or staff in their stead, has yet to come into the room."""
        return self._is_in_room and not self._listens_to

    def _greeting(self) -> str:
        if self._is_expected:
            return sentence(WAITING, self._language) if self._has_guests() else ""
        if not self.begun.was_lost:
            return self._release.runtime.welcome_message
        greeting = sentence(BACK, self._language)
        if self.begun.last_said and not self._has_guests():
            greeting += " " + sentence(LAST_SAID, self._language).format(said=self.begun.last_said[:200])
        return greeting

    def _greet(self) -> None:
        """Greet whoever is there; the contact once, be it that guests were there before them."""
        if self._has_greeted:
            return
        self._has_greeted = not self._is_expected
        if greeting := self._greeting():
            self._say(greeting, "Greet the caller with these words")

    def _say(self, words: str, bidding: str) -> SpeechHandle:
        """Speak of one's own accord.

        Args:
            bidding: what a realtime model is told to do, which has no voice for words of ours.
        """
        if isinstance(self.agent, RealtimeAgent):
            return self.session.generate_reply(instructions=f"{bidding}: {words}")
        return self.session.say(words)

    def _spoken_agent(self, **more: Any) -> SpokenAgent:
        apart = BaseInstructions(self._afterwards, self._release, language=self._language)
        return SpokenAgent(self.thread, without_backend=apart, language=self._language, see=self._see, **more)

    def _realtime_agent(self) -> RealtimeAgent:
        return RealtimeAgent(
            instructions=prompt_of(self._release),
            thread=self.thread,
            afterwards=self._afterwards,
            release_id=self._release.id,
            language=self._language,
            note=self.axis.note,
        )

    async def _see(self, question: str) -> Seen:
        """What is shown, where a question asks about it; and where it doesn't, a way to look for the model."""
        if self._eyes is None:
            return (), None
        began = time.time()
        images = await self._eyes.see(question, self._language)
        self._note_look(began, images)
        return images, self._look if not images and self._eyes.has_something else None

    async def _look(self) -> Sequence[LabelledImage]:
        began = time.time()
        images = await self._eyes.look() if self._eyes is not None else ()
        self._note_look(began, images)
        return images

    def _note_look(self, began: float, images: Sequence[LabelledImage]) -> None:
        if images:
            self.axis.note("vision", since=began, frames=len(images), labels=[image.label for image in images])

    def _listen(self, record: Record) -> None:
        self.axis.engine_event(record)
        if self._on_record is not None:
            self._on_record(record)

    def _speech_created(self, event: SpeechCreatedEvent) -> None:
        if event.source == "generate_reply" and isinstance(self.agent, SpokenAgent):
            self.agent.watch(event.speech_handle, spoken=self.axis.spoken)
        else:
            event.speech_handle.add_done_callback(lambda speech: self.axis.spoken(speech, None))

    def _apologise(self) -> None:
        with contextlib.suppress(RuntimeError):  # the session is closing
            self.session.say(sentence(DEAF, self._language), add_to_chat_ctx=False)

    def _forget(self) -> None:
        if isinstance(self.agent, SpokenAgent):
            self.agent.forget()
            self.session.history.truncate(max_items=LAST_ITEMS)

    def _closed(self, event: CloseEvent) -> None:
        self.end_reason = self.end_reason or str(event.reason.value)
        self.ended.set()


class _Session(AgentSession[None]):
    """Keeps no list of all that ever happened in it: livekit-agents does, for a report that nobody asks for, and some
    of it happens fifty times a second.
    """

    def emit(self, event: session_events.EventTypes, arg: session_events.AgentEvent) -> None:
        super().emit(event, arg)
        self._recorded_events.clear()


def _chain(release: ResolvedRelease, parts: SpeechParts) -> dict[str, Any]:
    """Ears, voice and turn-taking around the engine, as a session takes them and an agent does."""
    turn_taking = release.runtime.turn_taking
    return {
        "stt": parts.ears,
        "tts": parts.voice,
        "vad": parts.detector,
        "llm": EngineModel(),
        "turn_handling": {
            "turn_detection": "vad",
            "endpointing": {
                "mode": "fixed",
                "min_delay": turn_taking.min_endpointing_delay,
                "max_delay": turn_taking.max_endpointing_delay,
            },
            "interruption": {"enabled": turn_taking.allow_interruptions, "mode": "vad"},
            # The engine answers what was said, once it has been said: a turn that is begun early would be kept.
            "preemptive_generation": {"enabled": False},
        },
    }


def _session(release: ResolvedRelease, **parts: Any) -> AgentSession[None]:
    return _Session(
        **parts,
        user_away_timeout=release.runtime.turn_taking.user_away_timeout or None,
        tts_text_transforms=["filter_markdown", "filter_emoji", without_sources],
        aec_warmup_duration=None,
    )


def _agent_session(release: ResolvedRelease, parts: SpeechParts) -> AgentSession[None]:
    if parts.realtime is None:
        return _session(release, **_chain(release, parts))
    interruption = {"enabled": release.runtime.turn_taking.allow_interruptions}
    return _session(release, llm=parts.realtime, turn_handling={"interruption": interruption})


def context_of(begun: Begun, release: ResolvedRelease, channel: str) -> Context:
    """What flags are asked about: the same of a session, wherever it takes place."""
    return Context(contact=begun.contact, agent=release.agent_slug, channel=channel, unit=str(begun.conversation_id))


async def resolve(begun: Begun) -> ResolvedRelease:
    """The release of a session that begins."""
    return await releases.resolve_async(begun.release_id)
