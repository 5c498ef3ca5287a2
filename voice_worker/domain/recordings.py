"""Recordings of sessions, among the tenant's files."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage

from switchboard.kernel.database import release_connections
from tenants.context import current_tenant
from voice_worker.models import VoiceSession


def keep_recording(*, session_id: uuid.UUID, path: Path) -> None:
    """Store a session's recording. Without anything in it, or without its session, there is none."""
    if not path.exists() or not path.stat().st_size:
        return
    session = VoiceSession.objects.filter(pk=session_id).first()
    if session is None:
        return
    release_connections()  # an hour of sound takes its time to a storage elsewhere
    with path.open("rb") as file:
        name = default_storage.save(f"{current_tenant().schema_name}/recordings/{session_id}.ogg", File(file))
    VoiceSession.objects.filter(pk=session_id).update(recording=name)
