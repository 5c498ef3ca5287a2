"""Data folders of their own for embedded servers, and a way to run the launcher as a user does."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.platform_process import ROOT, bare_environment


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not pytest's tmp_path: that lies under a folder only its owner may enter, a case with a test of its own.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-launcher-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def launcher_environment(data_dir: Path) -> dict[str, str]:
    return bare_environment(data_dir)


@pytest.fixture
def run_launcher(launcher_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "switchboard.launcher", *arguments],
            env=launcher_environment | variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run
