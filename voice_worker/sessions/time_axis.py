"""What happens in a session, put on its time axis as it happens."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import Any, Final

from django.db import DatabaseError
from livekit.agents import (
    AgentSession,
    ErrorEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)
from livekit.agents.tts import AvailabilityChangedEvent
from livekit.agents.voice import SpeechHandle

from conversations.events.record import Record
from switchboard.kernel.database import OUTAGES, in_database
from voice_worker.domain.timeline import Entry, record_entries

logger = logging.getLogger(__name__)

_WRITE_SECONDS: Final = 1.0
# Entries that wait while the database is away; of a longer outage the oldest are given up.
_MOST_WAITING: Final = 5000
_DELAYS: Final = ("end_of_turn_delay", "transcription_delay", "llm_node_ttft", "tts_node_ttfb", "e2e_latency")


class TimeAxis:
    """Listens to a session and writes what it hears, a second's worth at a time.

    Args:
        session_id: of the `VoiceSession`; its axis begins now.
    """

    def __init__(self, session_id: uuid.UUID) -> None:
        self._session_id = session_id
        self._began = time.time()
        self._waiting: list[Entry] = []
        self._user_spoke_at: float | None = None
        self._calls: dict[str, list[float]] = {}
        self._words: dict[uuid.UUID, list[float]] = {}  # when the first and the last word of an answer came
        self._writer: asyncio.Task[None] | None = None

    def listen(self, session: AgentSession[Any]) -> None:
        """Begin to listen."""
        session.on("user_state_changed", self._user_state)
        session.on("user_input_transcribed", self._transcribed)
        session.on("error", self._failed)
        if session.tts is not None:
            session.tts.on("tts_availability_changed", self._voice_changed)
        self._writer = asyncio.create_task(self._write_again_and_again(), name=f"time axis {self._session_id}")

    async def aclose(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.cancel()
        for _ in range(3):
            if await self._write():
                return
            await asyncio.sleep(1.0)
        logger.warning("%s entries of a time axis are lost", len(self._waiting))

    def note(self, kind: str, *, since: float | None = None, turn_id: uuid.UUID | None = None, **data: Any) -> None:
        """Put something on the axis that happens now, or ends now.

        Args:
            since: when it began, in seconds as `time.time()` tells them; None for a moment.
        """
        now = time.time()
        at, until = (now, None) if since is None else (since, now)
        self._put(kind, at, until, turn_id, data)

    def engine_event(self, record: Record) -> None:
        """An event of a turn: tools are on the axis, and what went wrong."""
        data = record.data
        turn_id = uuid.UUID(data["turn"]) if "turn" in data else None
        match record.kind:
            case "delta" if turn_id is not None:
                self._words.setdefault(turn_id, [time.time(), 0.0])[1] = time.time()
            case "tool_call":
                self._calls.setdefault(data["tool"], []).append(time.time())
            case "tool_result":
                began = self._calls.get(data["tool"], [])
                self.note(
                    "tool",
                    since=began.pop(0) if began else None,
                    turn_id=turn_id,
                    name=data["tool"],
                    ok=data["ok"],
                    code=data["code"],
                )
            case "error":
                self.note("error", turn_id=turn_id, code=data["code"], message=data["detail"])
            case "escalation" | "refusal" | "route":
                told = {name: value for name, value in data.items() if name != "turn"}
                self.note("state", turn_id=turn_id, state=record.kind, **told)

    def spoken(self, speech: SpeechHandle, turn_id: uuid.UUID | None) -> None:
        """An answer was spoken, or broken off."""
        if not any(item.type == "message" and item.role == "assistant" for item in speech.chat_items):
            self._answered(turn_id, None)  # before anything of it was heard
        for item in speech.chat_items:
            if item.type != "message" or item.role != "assistant":
                continue
            metrics = item.metrics
            began = metrics.get("started_speaking_at") or item.created_at
            ended = metrics.get("stopped_speaking_at") or time.time()
            delays = {f"{name}_ms": round(metrics[name] * 1000) for name in _DELAYS if name in metrics}
            data = {"text": item.text_content or "", "interrupted": item.interrupted, **delays}
            self._answered(turn_id, delays.get("llm_node_ttft_ms"))
            if (waited := delays.get("tts_node_ttfb_ms")) is not None:
                self._put("tts", began - waited / 1000, began, turn_id, {"first_audio_ms": waited})
            self._put("agent_speech", began, ended, turn_id, data)

    def _answered(self, turn_id: uuid.UUID | None, waited_ms: int | None) -> None:
        """The words of an answer, from when they were asked for."""
        words = self._words.pop(turn_id, None) if turn_id is not None else None
        if words is not None:
            first, last = words
            began = first - (waited_ms or 0) / 1000
            self._put("llm", began, last, turn_id, {"first_token_ms": round((first - began) * 1000)})

    # --- the session's own --------------------------------------------------------------------------------------------
    def _user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._user_spoke_at = event.created_at
        elif event.old_state == "speaking" and self._user_spoke_at is not None:
            self._put("user_speech", self._user_spoke_at, event.created_at, None, {})
            self._user_spoke_at = None
        if event.new_state == "away" or event.old_state == "away":
            self._put("state", event.created_at, None, None, {"state": f"user_{event.new_state}"})

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript:
            data = {"text": event.transcript, "language": event.language or ""}
            self._put("transcript", event.created_at, None, None, data)

    def _failed(self, event: ErrorEvent) -> None:
        error = event.error
        is_recoverable = bool(getattr(error, "recoverable", False))
        # The provider's own words may hold an address or a key; its kind says enough.
        kind = type(getattr(error, "error", error)).__name__
        source = type(event.source).__module__.rpartition(".")[0]
        data = {"code": kind, "source": source, "part": getattr(error, "label", ""), "recovered": is_recoverable}
        self._put("error", event.created_at, None, None, data)

    def _voice_changed(self, event: AvailabilityChangedEvent) -> None:
        """A voice of the chain failed, and the next one speaks; or it is back."""
        part = f"{event.tts.provider} {event.tts.model}"
        if event.available:
            self.note("state", state="voice_back", part=part)
        else:
            self.note("error", code="voice_failed", part=part, recovered=True)

    # --- writing ------------------------------------------------------------------------------------------------------
    def _put(self, kind: str, at: float, until: float | None, turn_id: uuid.UUID | None, data: dict[str, Any]) -> None:
        entry = Entry(kind, self._ms(at), None if until is None else self._ms(until), turn_id, data)
        self._waiting.append(entry)
        del self._waiting[:-_MOST_WAITING]

    def _ms(self, at: float) -> int:
        return max(0, round((at - self._began) * 1000))

    async def _write_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(_WRITE_SECONDS)
            await self._write()

    async def _write(self) -> bool:
        entries = list(self._waiting)
        if not entries:
            return True
        try:
            await in_database(record_entries, session_id=self._session_id, entries=entries)
        except OUTAGES:
            return False
        except DatabaseError:
            # Such as a session that was deleted meanwhile: another try would fare no better.
            logger.exception("%s entries of a time axis can't be kept", len(entries))
        done = {entry.id for entry in entries}  # the oldest may have been given up meanwhile
        self._waiting = [entry for entry in self._waiting if entry.id not in done]
        return True
