"""What tests of the whole platform share, made known by `pytest_plugins` in tests/conftest.py."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def platform_data() -> Iterator[Path]:
    """A data folder for platforms that run one after another: the second finds what the first has left."""
    # Not pytest's tmp_path: that lies under a folder only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-platform-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
