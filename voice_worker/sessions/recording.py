"""A session as it was heard, both sides of it: made in the worker, stored with the tenant's files, by consent alone."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
from livekit.agents.voice.recorder_io import RecorderIO

from switchboard.kernel.database import in_database
from voice_worker.domain.recordings import keep_recording

if TYPE_CHECKING:
    from livekit.agents import AgentSession

logger = logging.getLogger(__name__)

_TRIES, _PAUSE = 3, 2.0  # of storing it; seconds between them
_PREFIX: Final = "switchboard-recording-"


def remove_orphans() -> None:
    """Remove what processes that were killed have left of their recordings: nobody agreed to that being kept."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


class Recording:
    """Records a session that has started.

    Args:
        session_id: of the `VoiceSession`.
    """

    def __init__(self, session_id: uuid.UUID) -> None:
        self._session_id = session_id
        remove_orphans()
        # What it holds is stored only where the session ends in order.
        self._folder = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-")
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
