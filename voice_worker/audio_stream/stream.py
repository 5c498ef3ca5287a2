"""The session behind an audio websocket. Loaded when somebody first speaks: livekit-agents comes with it."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from livekit.agents import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from switchboard.kernel.database import OUTAGES, DatabaseUnavailable, in_database
from switchboard.kernel.problems import Problem
from voice_worker.audio_stream.coding import decoder_of
from voice_worker.audio_stream.hearing import StreamInput
from voice_worker.audio_stream.outbox import Outbox
from voice_worker.audio_stream.protocol import Start
from voice_worker.audio_stream.speaking import Captions, StreamOutput
from voice_worker.domain.sessions import Begun, begin_session, end_session
from voice_worker.models import VoiceSession
from voice_worker.providers import SpeechUnavailable, build_speech
from voice_worker.providers.egress import open_http
from voice_worker.providers.entitlements import entitlements_of
from voice_worker.sessions.live import LiveSession, context_of, resolve

logger = logging.getLogger(__name__)


class AudioStream:
    """An agent that hears what is pushed and speaks through an outbox.

    Args:
        begun: the session's row.
        live: the session.
    """

    def __init__(self, start: Start, begun: Begun, live: LiveSession, outbox: Outbox, http: Any) -> None:
        self.id = begun.id
        self.live = live
        self._decoder = decoder_of(start.encoding, start.sample_rate)
        self._hearing = StreamInput()
        self._speaking = StreamOutput(outbox, encoding=start.encoding, rate=start.sample_rate)
        self._outbox = outbox
        self._http = http

    async def start(self) -> None:
        """Hear and speak from now on."""
        self.live.listen_and_speak_through(self._hearing, self._speaking, captions=Captions(self._outbox))
        session = self.live.session
        session.on("user_input_transcribed", self._transcribed)
        session.on("agent_state_changed", self._state)
        session.on("user_state_changed", self._state)
        await self.live.start()

    def hear(self, data: bytes) -> None:
        """Sound from the client. Raises `Problem` for what is none."""
        for frame in self._decoder.decode(data):
            self._hearing.push(frame)

    def played(self, segment: int, ms: int) -> None:
        """The client says how much it played."""
        self._speaking.played(segment, ms)

    def interrupt(self) -> None:
        """Fall silent, as for somebody who breaks in."""
        self.live.session.interrupt(force=True)

    async def aclose(self, *, reason: str, failed: bool = False) -> None:
        """End the session and keep all of it."""
        self._hearing.close()
        if self._hearing.dropped_seconds:
            logger.warning("an audio websocket sent %.1f s that nobody heard", self._hearing.dropped_seconds)
        try:
            await self.live.aclose(reason=reason, failed=failed)
        finally:
            await self._speaking.aclose()
            await self._http.close()

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            name = "transcript" if event.is_final else "partial_transcript"
            self._outbox.say(name, {"text": event.transcript, "language": str(event.language or "")})

    def _state(self, event: AgentStateChangedEvent | UserStateChangedEvent) -> None:
        who = "agent" if isinstance(event, AgentStateChangedEvent) else "contact"
        self._outbox.say("state", {"who": who, "state": event.new_state})


async def open_stream(*, start: Start, conversation_id: uuid.UUID, outbox: Outbox) -> AudioStream:
    """Begin a session for a conversation.

    Raises:
        Problem: it can't be begun.
    """
    try:
        begun = await in_database(begin_session, conversation_id=conversation_id, channel=VoiceSession.Channel.AUDIO)
    except OUTAGES:
        raise DatabaseUnavailable from None
    http = open_http()
    stream = None
    try:
        release = await resolve(begun)
        context = context_of(begun, release, VoiceSession.Channel.AUDIO)
        parts = await build_speech(runtime=release.runtime, entitlements=await entitlements_of(context), http=http)
        stream = AudioStream(start, begun, LiveSession(begun, release, parts), outbox, http)
        await stream.start()
    except BaseException as error:
        reason = str(getattr(error, "code", type(error).__name__))
        if stream is not None:
            await stream.aclose(reason=reason, failed=True)
        else:
            await http.close()
            await in_database(end_session, session_id=begun.id, status=VoiceSession.Status.FAILED, reason=reason)
        if isinstance(error, SpeechUnavailable):
            detail = "This platform can neither hear nor speak: no provider is configured that it may use."
            raise Problem("speech_unavailable", detail, status=503) from None
        raise
    return stream
