"""What is left of a recording whose process was killed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from voice_worker.sessions.recording import remove_orphans


def test_what_a_killed_process_has_recorded_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = tmp_path / f"switchboard-recording-{dead.pid}-abc"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        anothers = tmp_path / f"switchboard-recording-{alive.pid}-def"
        for folder in (orphan, anothers):
            folder.mkdir()
            (folder / "audio.ogg").write_bytes(b"a voice")

        remove_orphans()

        assert not orphan.exists()
        assert anothers.exists()
        alive.kill()
