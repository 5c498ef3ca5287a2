"""One room: whose it is, who answers there, and the agent at work until everybody has gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Final

from django.conf import settings
from livekit.agents import AutoSubscribe, JobContext, JobProcess
from livekit.agents.ipc.log_queue import LogQueueHandler
from livekit.agents.voice.room_io import AudioInputOptions, RoomOptions

from conversations import runner
from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem
from tenants import recovery
from tenants.context import current_tenant, use_tenant
from voice_worker.directory.domain import find_room_async
from voice_worker.domain.sessions import Begun, begin_session, end_session, lose_session
from voice_worker.meetings.livekit import delete_room
from voice_worker.meetings.tokens import contact_of
from voice_worker.models import Meeting, VoiceSession
from voice_worker.providers import SpeechParts, SpeechUnavailable, build_speech
from voice_worker.providers.egress import open_http
from voice_worker.providers.entitlements import entitlements_of
from voice_worker.sessions.live import LiveSession, context_of, resolve
from voice_worker.vision.eyes import Eyes, sees_more
from voice_worker.worker.admission import NOT_SERVED, until_refused
from voice_worker.worker.company import Company

logger = logging.getLogger(__name__)

_NAME_SECONDS: Final = 3.0


def prepare(process: JobProcess) -> None:
    """What a job's process does before it has a job: its log lines are written by itself, and not by the worker too,
    which doesn't know whose they are.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, LogQueueHandler):
            root.removeHandler(handler)


def _options(parts: SpeechParts) -> RoomOptions:
    # A browser levels a voice itself; to do so again takes a sixth of a call's time.
    sound = AudioInputOptions(sample_rate=parts.hears_at, auto_gain_control=False)
    # The agent isn't gone with the first who leaves, nor at once.
    return RoomOptions(audio_input=sound, close_on_disconnect=False, text_input=False)


async def run_job(ctx: JobContext) -> None:
    """Serve a room that LiveKit has given this process. What it is, the directory says, and never its name."""
    name = ctx.job.room.name
    entry = await find_room_async(name)
    if entry is None:
        logger.warning("a room that is nobody's was refused")
        ctx.shutdown(reason="unknown_room")
        return
    with use_tenant(entry.tenant.scope):
        try:
            begun = await in_database(_begin, entry.meeting_id)
        except Problem as problem:
            logger.warning("a room could not be served: %s", problem.code, extra={"meeting": str(entry.meeting_id)})
            ctx.shutdown(reason=problem.code)
            return
        await recovery.start_renewing()
        await runner.start()
        await _RoomSession(ctx, begun).run()


def _begin(meeting_id: Any) -> Begun:
    meeting = Meeting.objects.get(pk=meeting_id)
    return begin_session(
        conversation_id=meeting.conversation_id, channel=VoiceSession.Channel.ROOM, meeting_id=meeting.pk
    )


class _RoomSession:
    """A session in a room, ended when its room or its process ends."""

    def __init__(self, ctx: JobContext, begun: Begun) -> None:
        self._ctx = ctx
        self._begun = begun
        self._http = open_http()
        self._tenant = current_tenant()
        self._live: LiveSession | None = None
        self._company: Company | None = None

    async def run(self) -> None:
        self._ctx.add_shutdown_callback(self._end)
        try:
            await self._begin_to_talk()
        except Exception:
            # Such as a connection that failed: another worker may fare better, and somebody waits.
            await in_database(lose_session, session_id=self._begun.id)
            raise

    async def _begin_to_talk(self) -> None:
        release = await resolve(self._begun)
        try:
            context = context_of(self._begun, release, VoiceSession.Channel.ROOM)
            entitlements = await entitlements_of(context)
            parts = await build_speech(runtime=release.runtime, entitlements=entitlements, http=self._http)
        except SpeechUnavailable as reason:
            # Another worker would fare no better, so this is no case for one.
            logger.error("an agent can't speak: %s", reason, extra={"voice_session": str(self._begun.id)})
            failed = VoiceSession.Status.FAILED
            await in_database(end_session, session_id=self._begun.id, status=failed, reason="speech_unavailable")
            self._ctx.shutdown(reason="speech_unavailable")
            return
        eyes = Eyes(release.runtime.vision, is_advanced=await sees_more(context))
        live = self._live = LiveSession(
            self._begun,
            release,
            parts,
            eyes=eyes,
            longest=settings.VOICE_CALL_MINUTES * 60,
            has_guests=lambda: self._company is not None and self._company.has_guests(),
        )
        # Pictures are subscribed to by the eyes, and one microphone by the company.
        await self._ctx.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
        await self._introduce(release.agent_name)
        company = self._company = Company(
            self._ctx.room,
            contact=contact_of(self._begun.conversation_id),
            listen_to=live.listen_to,
            patience=settings.VOICE_RETURN_SECONDS,
        )
        company.start()
        await live.start(room=self._ctx.room, options=_options(parts))
        live.axis.note("state", state="joined")
        lifespan.spawn(self._leave_when_over(live), name="leave when over")
        lifespan.spawn(self._leave_when_alone(live, company), name="leave when alone")
        lifespan.spawn(self._leave_when_refused(), name="leave when refused")

    async def _introduce(self, name: str) -> None:
        """Let everybody in the room know the agent by its name. A call goes on without that, too."""
        try:
            async with asyncio.timeout(_NAME_SECONDS):
                await self._ctx.room.local_participant.set_name(name[:100])
        except Exception as error:
            logger.warning("an agent goes without its name: %s", type(error).__name__)

    async def _leave_when_over(self, live: LiveSession) -> None:
        await live.ended.wait()
        self._ctx.shutdown(reason=live.end_reason or "session_over")

    async def _leave_when_alone(self, live: LiveSession, company: Company) -> None:
        await company.gone.wait()
        live.end_reason = "everybody_left"
        live.ended.set()
        # Whoever comes after all finds a room that is made anew, and an agent on its way there.
        with contextlib.suppress(Problem):
            await delete_room(self._ctx.room.name)

    async def _leave_when_refused(self) -> None:
        assert self._live is not None
        reason = await until_refused(room=self._ctx.job.room.name, session_id=self._begun.id)
        if reason == NOT_SERVED:
            await self._live.say_goodbye()
        self._ctx.shutdown(reason=reason)

    async def _end(self, reason: str) -> None:
        with use_tenant(self._tenant):  # livekit-agents calls this from a task of its own
            try:
                if self._company is not None:
                    self._company.stop()
                if self._live is not None:
                    # A session that is over knows better than its process what ended it.
                    await self._live.aclose(reason="" if self._live.ended.is_set() else reason)
            finally:
                await self._http.close()
                await lifespan.stop()
