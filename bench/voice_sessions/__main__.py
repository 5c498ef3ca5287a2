"""`make bench-voice_sessions`: what a call costs, and whether ten at a time on one machine are as prompt as one.

A real LiveKit server, the voice worker as it is shipped, and callers, each in a room of their own. The ears, the voice
and the model are stubs that take no processor time, as providers elsewhere would; the detector of speech is the real
one. Each caller asks a few questions and waits for each answer's first sound. Exit code 1 where an answer is lost or
isn't in its thread. Everything runs on this machine, but the callers encode and decode nothing (`calling.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from bench.companies import make_company
from bench.installation import Installation
from bench.measure import percentile, table
from bench.voice_sessions.calling import build, calling
from bench.voice_sessions.speech import WORDS

_MODEL: Final = "say-20ms"
# When they come and ask, in seconds; `plan` in callers/main.go says what of. An answer is a second long.
_PLAN: Final[Mapping[str, float]] = {"apart": 0.3, "settle": 3.0, "every": 7.0, "patience": 15.0, "listen": 1.6}
_RETURN_SECONDS: Final = 2  # that an agent waits for its caller to come back
# What the arithmetic at the end takes for granted of a machine.
_CORES: Final = 8
_GIB: Final = 32
_BUSY: Final = 0.7  # VOICE_MOST_LOAD


@dataclass(slots=True)
class Level:
    """So many calls at once, measured.

    Args:
        waits: from the last packet of a question to the first of the answer's sound at the caller, milliseconds.
        memory: of each call's process, its share of what it shares with others counted in (PSS), bytes.
        cores: processor time of all calls' processes per second, in cores.
        callers: processor time of all the callers per second, in cores.
        welcome: from joining to the agent being there, milliseconds.
    """

    calls: int
    waits: list[float] = field(default_factory=list)
    lost: int = 0
    unsaved: int = 0
    memory: list[int] = field(default_factory=list)
    cores: float = 0.0
    callers: float = 0.0
    welcome: list[float] = field(default_factory=list)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.voice_sessions", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10], help="levels to measure")
    parser.add_argument("--questions", type=int, default=6, help="of each caller")
    options = parser.parse_args()
    build()
    from tests.model_server.process import running
    from tests.voice_worker.livekit_server import running_livekit
    from tests.voice_worker.worker.conftest import running_worker

    with running() as model, running_livekit() as livekit, _stub_speech() as speech:
        environment = {**livekit.environment(), "EGRESS_ALLOW": model.host_and_port, "SPEECH_URL": speech}
        with Installation(environment) as place:
            place.migrate()
            company = make_company(slug="harbour", model_url=model.url, model=_MODEL)
            with running_worker({**place.environment, "VOICE_RETURN_SECONDS": str(_RETURN_SECONDS)}) as worker:
                levels = []
                for calls in options.calls:
                    levels.append(_level(calls, options.questions, company, livekit.url, worker))
                    print(f"{calls} calls done", flush=True)
                parent = psutil.Process(worker.process.pid).memory_full_info().pss
    print(_report(levels, parent))
    return int(any(level.lost or level.unsaved for level in levels))


@contextlib.contextmanager
def _stub_speech() -> Iterator[str]:
    from switchboard.launcher.ports import free_port
    from switchboard.launcher.readiness import http_ready

    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.voice_sessions.speech", "--port", str(port)])
    try:
        while not http_ready(port, "/healthz"):
            if process.poll() is not None:
                raise RuntimeError("the stub of ears and voice didn't start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _level(calls: int, questions: int, company: Any, url: str, worker: Any) -> Level:
    level = Level(calls)
    meetings = [_meeting_of(company) for _ in range(calls)]
    with calling(url, [token for _, token in meetings], WORDS, questions=questions, **_PLAN) as callers:
        level.welcome = [wait * 1000 for wait in callers.meet()]
        jobs = _job_processes(worker)
        before, begun = {one.pid: _spent(one) for one in [*jobs, callers.process]}, time.monotonic()
        waits = callers.ask()
        alive, lasted = [job for job in jobs if job.is_running()], time.monotonic() - begun
        level.cores = sum(_spent(job) - before[job.pid] for job in alive) / lasted
        level.callers = (_spent(callers.process) - before[callers.process.pid]) / lasted
        for job in alive:
            with contextlib.suppress(psutil.NoSuchProcess):  # one of an earlier level, whose agent has left just now
                level.memory.append(job.memory_full_info().pss)
    level.waits = [wait * 1000 for wait in waits if wait is not None]
    level.lost = waits.count(None)
    time.sleep(_RETURN_SECONDS + 4.0)  # until the agents have left, too
    level.unsaved = sum(questions - _answers(company, conversation) for conversation, _ in meetings)
    return level


def _meeting_of(company: Any) -> tuple[uuid.UUID, str]:
    from django.utils import timezone

    from conversations.domain.conversations import begin_conversation
    from tenants.context import use_public, use_tenant
    from tenants.models import Tenant
    from voice_worker.domain.meetings import begin_meeting
    from voice_worker.meetings.tokens import identity_of, join_token

    until = timezone.now() + dt.timedelta(minutes=10)
    with use_public():
        tenant = Tenant.objects.get(slug=company.slug)
    with use_tenant(tenant):
        thread = begin_conversation(agent_id=company.agent, channel="room")
        meeting = begin_meeting(conversation_id=thread.pk, joinable_until=until, consents_to_recording=False).meeting
        who = identity_of("contact", meeting)
        token = join_token(
            meeting=meeting, tenant=tenant.slug, identity=who, name="Ada", contact="", expires_at=until
        ).token
    return thread.pk, token


def _answers(company: Any, conversation: uuid.UUID) -> int:
    from conversations.models import Message
    from tenants.context import use_public, use_tenant
    from tenants.models import Tenant

    with use_public():
        tenant = Tenant.objects.get(slug=company.slug)
    with use_tenant(tenant):
        return Message.objects.filter(conversation=conversation, role=Message.Role.AGENT).count()


def _job_processes(worker: Any) -> list[psutil.Process]:
    """The processes of calls: what the forkserver has forked. Those that wait for a call are among them."""
    everyone = psutil.Process(worker.process.pid).children(recursive=True)
    parents = {one.ppid() for one in everyone}
    return [one for one in everyone if one.pid not in parents and "resource_tracker" not in " ".join(one.cmdline())]


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _report(levels: Sequence[Level], parent: int) -> str:
    head = ["calls at once", "agent there ms p50", "first sound ms p50", "p95", "answers", "lost", "unsaved"]
    head += ["MB a call", "cores a call", "cores of all callers"]
    rows = []
    for level in levels:
        busiest = sorted(level.memory)[-level.calls :]
        rows.append(
            [str(level.calls), *(f"{number:.0f}" for number in (percentile(level.welcome, 0.5),))]
            + [f"{percentile(level.waits, share):.0f}" if level.waits else "-" for share in (0.5, 0.95)]
            + [str(len(level.waits)), str(level.lost), str(level.unsaved)]
            + [f"{sum(busiest) / len(busiest) / 1e6:.0f}", f"{level.cores / level.calls:.3f}", f"{level.callers:.3f}"]
        )
    last = levels[-1]
    memory = sum(sorted(last.memory)[-last.calls :]) / last.calls
    by_cores = int(_CORES * _BUSY / (last.cores / last.calls))
    by_memory = int((_GIB * 2**30 * 0.9 - parent) / memory)
    a_machine = min(by_cores, by_memory)
    return (
        f"\n{table(head, rows)}\n\nThe worker itself: {parent / 1e6:.0f} MB. A machine of {_CORES} cores, busy at"
        f" {_BUSY:.0%}, and {_GIB} GiB: {by_cores} calls by its cores, {by_memory} by its memory. A thousand calls:"
        f" {-(-1000 // a_machine)} machines, and one more that may fail."
    )


if __name__ == "__main__":
    sys.exit(main())
