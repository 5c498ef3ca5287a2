"""The real thing: everything is started, shot at, and stopped, as at somebody's terminal."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform_process import PARTS, UP, Terminal, still_there

pytestmark = pytest.mark.chaos


@pytest.fixture
def terminal(launcher_environment: dict[str, str]) -> Iterator[Terminal]:
    terminal = Terminal(launcher_environment)
    yield terminal
    terminal.kill()


def test_every_part_comes_back_when_killed_and_ctrl_c_leaves_nothing(terminal: Terminal, data_dir: Path) -> None:
    terminal.wait_for(UP)
    services = json.loads((data_dir / "services.json").read_text())
    assert {"database_url", "redis_url", "embeddings_url"} <= set(services)
    assert (data_dir / "services.json").stat().st_mode & 0o777 == 0o600

    for name in PARTS:
        wait_until_back = terminal.strike(name)
        terminal.wait_for(f"{name} has died (signal SIGKILL). Starting it again", 30)
        wait_until_back()

    family = terminal.children()
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.finish() == 0
    assert "All stopped; the data is kept." in terminal.text
    assert not still_there(family, 20)
    assert not (data_dir / "services.json").exists()


def test_a_killed_launcher_takes_everything_with_it_and_the_next_one_starts(
    terminal: Terminal, launcher_environment: dict[str, str]
) -> None:
    terminal.wait_for(UP)
    family = terminal.children()
    terminal.process.kill()
    assert not still_there(family, 20)

    begun = time.monotonic()
    second = Terminal(launcher_environment)
    try:
        second.wait_for(UP)
        assert time.monotonic() - begun < 60
        second.process.terminate()
        assert second.finish() == 0
    finally:
        second.kill()
