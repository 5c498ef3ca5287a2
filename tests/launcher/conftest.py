"""Data folders of their own for embedded servers, and a way to run the launcher as a user does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not pytest's tmp_path: that lies under a folder only its owner may enter, a case with a test of its own.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-launcher-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def launcher_environment(data_dir: Path) -> dict[str, str]:
    """The environment of a machine on which nothing was configured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "SWITCHBOARD_ENV_FILE": str(data_dir / "no.env"),
        "DATA_DIR": str(data_dir),
    }


@pytest.fixture
def run_launcher(launcher_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "switchboard.launcher", *arguments],
            env=launcher_environment | variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
