"""The process itself: what it loads, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import httpx2
import psutil

from tests.platform_process import still_there
from tests.voice_worker.speech import ROOT, running_speech_server


def _say(url: str) -> int:
    return httpx2.post(f"{url}/audio/speech", json={"input": "Hello"}, timeout=60).status_code


def test_neither_django_nor_livekit_is_loaded_nor_the_models_where_they_are_not_used() -> None:
    program = (
        "import sys; import voice_worker.speech_server.__main__; here = set(sys.modules); "
        "import voice_worker.speech_server.child; child = set(sys.modules); "
        "print(*sorted({'django', 'livekit', 'celery', 'pydantic'} & child), "
        "*sorted({'pocketsphinx', 'numpy'} & here))"
    )
    environment = {"PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_sigterm_ends_it_with_status_0_and_all_it_started() -> None:
    with running_speech_server() as (url, process):
        assert _say(url) == 200
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not still_there(family, 20)


def test_killed_it_leaves_nothing_behind() -> None:
    with running_speech_server() as (url, process):
        assert _say(url) == 200
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
        process.kill()
        assert not still_there(family, 20)


def test_it_is_ready_soon() -> None:
    started = time.monotonic()
    with running_speech_server():
        assert time.monotonic() - started < 20  # 1.3 s on an idle machine
