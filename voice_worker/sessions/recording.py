"""A session as it was heard, both sides of it: made in the worker, stored with the tenant's files, by consent alone."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livekit.agents.voice.recorder_io import RecorderIO

from switchboard.kernel.database import in_database
from voice_worker.domain.recordings import keep_recording

if TYPE_CHECKING:
    from livekit.agents import AgentSession

logger = logging.getLogger(__name__)

_TRIES, _PAUSE = 3, 2.0  # of storing it; seconds between them


class Recording:
    """Records a session that has started.

    Args:
        session_id: of the `VoiceSession`.
    """

    def __init__(self, session_id: uuid.UUID) -> None:
        self._session_id = session_id
        # Unlinked with the process's own files; what it holds is stored only where the session ends in order.
        self._folder = tempfile.TemporaryDirectory(prefix="switchboard-recording-")
        self._path = Path(self._folder.name) / "audio.ogg"
        self._recorder: RecorderIO | None = None

    async def start(self, session: AgentSession[Any]) -> None:
        """Record from here on. A session without sound has nothing to record."""
        heard, said = session.input.audio, session.output.audio
        if heard is None or said is None:
            return
        self._recorder = RecorderIO(agent_session=session)
        session.input.audio = self._recorder.record_input(heard)
        session.output.audio = self._recorder.record_output(said)
        await self._recorder.start(output_path=self._path)

    async def aclose(self) -> None:
        """Store what was recorded."""
        try:
            if self._recorder is not None:
                await self._recorder.aclose()
                await self._store()
        finally:
            self._folder.cleanup()

    async def _store(self) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await in_database(keep_recording, session_id=self._session_id, path=self._path)
                return
            except Exception as error:  # a storage elsewhere has errors of its own
                logger.warning("a recording could not be stored: %s", type(error).__name__)
            if attempt < _TRIES:
                await asyncio.sleep(_PAUSE)
        logger.error("a recording is lost", extra={"voice_session": str(self._session_id)})
