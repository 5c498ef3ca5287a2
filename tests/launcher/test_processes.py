"""The supervisor: what it shows, what it restarts, when it gives up, and in which order it stops."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from switchboard.launcher.child import ChildCommand
from switchboard.launcher.console import Console
from switchboard.launcher.errors import LaunchError
from switchboard.launcher.orphans import command_line
from switchboard.launcher.processes import Child, StopRequested, Supervisor

IDLE = "import time; print('up', flush=True); time.sleep(60)"


def python(name: str, program: str, *, grace: float = 5, one_shot: bool = False) -> Child:
    command = ChildCommand(argv=[sys.executable, "-c", program])
    return Child(name=name, command=lambda: command, grace=grace, one_shot=one_shot)


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(screen: io.StringIO) -> Iterator[Supervisor]:
    supervisor = Supervisor(Console(screen, names=("web", "worker")))
    yield supervisor
    supervisor.stop_all()


def tick_until(supervisor: Supervisor, screen: io.StringIO, text: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while text not in screen.getvalue():
        assert time.monotonic() < deadline, screen.getvalue()
        supervisor.tick()


def test_each_line_stands_under_its_childs_name_without_colour_off_a_terminal(
    supervisor: Supervisor, screen: io.StringIO
) -> None:
    supervisor.start(python("web", IDLE))
    supervisor.start(python("worker", IDLE))
    tick_until(supervisor, screen, "worker | up")
    tick_until(supervisor, screen, "web    | up")
    assert "\x1b" not in screen.getvalue()


def test_a_killed_child_is_started_again_and_the_user_is_told(supervisor: Supervisor, screen: io.StringIO) -> None:
    child = python("web", IDLE)
    supervisor.start(child)
    supervisor.wait_ready(child, limit=60)
    assert child.process
    killed = child.process.pid
    os.kill(killed, signal.SIGKILL)
    tick_until(supervisor, screen, "web is back")
    assert "web has died (signal SIGKILL). Starting it again in 0.2 s; nothing needs to be done." in screen.getvalue()
    assert child.process.pid != killed


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(screen: io.StringIO) -> None:
    supervisor = Supervisor(Console(screen), most_deaths=3)
    child = python("web", "import time; time.sleep(0.2); print('no such table'); raise SystemExit(3)")
    supervisor.start(child)
    with pytest.raises(LaunchError) as caught:
        supervisor.run()
    assert str(caught.value).startswith("web has died 3 times within 60 s; giving up. web stopped with exit code 3.")
    assert "no such table" in str(caught.value)
    supervisor.stop_all()


def test_a_child_that_never_became_ready_is_not_restarted(supervisor: Supervisor) -> None:
    command = ChildCommand(argv=[sys.executable, "-c", "print('bad flag'); raise SystemExit(2)"])
    child = Child(name="web", command=lambda: command, ready=lambda: False)
    supervisor.start(child)
    with pytest.raises(LaunchError, match=r"(?s)web stopped with exit code 2.*bad flag"):
        supervisor.wait_ready(child, limit=60)


def test_a_child_that_runs_but_does_not_answer_is_reported_with_its_last_words(supervisor: Supervisor) -> None:
    command = ChildCommand(argv=[sys.executable, "-c", IDLE])
    child = Child(name="web", command=lambda: command, ready=lambda: False)
    supervisor.start(child)
    with pytest.raises(LaunchError, match=r"(?s)hasn't become ready within 3 s.*up"):
        supervisor.wait_ready(child, limit=3)


def test_a_program_that_is_not_there_gets_a_sentence(supervisor: Supervisor) -> None:
    command = ChildCommand(argv=["/nowhere/at-all"])
    with pytest.raises(LaunchError, match="web can't be started"):
        supervisor.start(Child(name="web", command=lambda: command))


def test_a_one_shot_child_that_fails_says_why(supervisor: Supervisor) -> None:
    good, bad = python("seed", "pass", one_shot=True), python("migrate", "raise SystemExit('locked')", one_shot=True)
    supervisor.start(good)
    supervisor.wait_done(good, limit=60)
    supervisor.start(bad)
    with pytest.raises(LaunchError, match=r"(?s)migrate stopped with exit code 1.*locked"):
        supervisor.wait_done(bad, limit=60)


def test_children_stop_in_reverse_order(supervisor: Supervisor, screen: io.StringIO) -> None:
    polite = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *a: (print('bye', flush=True), sys.exit(0)));"
        "print('up', flush=True); time.sleep(60)"
    )
    supervisor.start(python("web", polite))
    supervisor.start(python("worker", polite))
    tick_until(supervisor, screen, "web    | up")
    tick_until(supervisor, screen, "worker | up")
    supervisor.stop_all()
    assert screen.getvalue().index("worker | bye") < screen.getvalue().index("web    | bye")


def test_a_child_that_ignores_the_signal_is_killed_after_its_grace(supervisor: Supervisor, screen: io.StringIO) -> None:
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {IDLE}"
    child = python("web", stubborn, grace=0.5)
    supervisor.start(child)
    tick_until(supervisor, screen, "up")
    begun = time.monotonic()
    supervisor.stop_all()
    assert child.process
    assert child.process.returncode == -signal.SIGKILL
    assert time.monotonic() - begun < 15


def test_a_disk_that_fills_up_is_mentioned_once(supervisor: Supervisor, screen: io.StringIO) -> None:
    supervisor.start(python("web", f"print('write: No space left on device\\n' * 3); {IDLE}"))
    tick_until(supervisor, screen, "up")
    assert screen.getvalue().count("Free some space") == 1


def test_ctrl_c_ends_a_wait(supervisor: Supervisor) -> None:
    child = Child(name="web", command=lambda: ChildCommand(argv=[sys.executable, "-c", IDLE]), ready=lambda: False)
    supervisor.start(child)
    supervisor.request_stop()
    with pytest.raises(StopRequested):
        supervisor.wait_ready(child, limit=5)


def test_no_child_outlives_a_killed_supervisor(launcher_environment: dict[str, str], data_dir: Path) -> None:
    program = (
        "import sys; from switchboard.launcher.processes import *\n"
        "from switchboard.launcher.child import ChildCommand\n"
        "command = ChildCommand(argv=[sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "child = Child(name='web', command=lambda: command)\n"
        "supervisor = Supervisor(Console()); supervisor.start(child)\n"
        "print(child.process.pid, flush=True); supervisor.run()"
    )
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, env=launcher_environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert "sleep" in command_line(pid)
        parent.kill()
    deadline = time.monotonic() + 30
    while command_line(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_ctrl_c_does_not_wait_for_the_stubborn(supervisor: Supervisor, screen: io.StringIO) -> None:
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {IDLE}"
    supervisor.start(python("web", stubborn, grace=60))
    tick_until(supervisor, screen, "up")
    supervisor.request_stop()
    impatience = threading.Timer(0.3, supervisor.request_stop)
    impatience.start()
    begun = time.monotonic()
    supervisor.stop_all()
    assert 0.2 < time.monotonic() - begun < 30
    impatience.join()
