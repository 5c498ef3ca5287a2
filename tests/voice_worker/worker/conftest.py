"""A voice worker as it is shipped, in processes of its own, and meetings for it to serve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready

if TYPE_CHECKING:
    from tenants.models import Tenant
    from tests.model_server.process import ModelServer
    from tests.voice_worker.livekit_server import LiveKitServer
    from voice_worker.models import Meeting

ROOT = Path(__file__).resolve().parents[3]


class Worker:
    """`manage.py run_voice_worker`."""

    def __init__(self, process: subprocess.Popen[bytes], health: int) -> None:
        self.process = process
        self.health = health

    def jobs(self) -> list[psutil.Process]:
        """Its processes that have a call."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "job_proc" in " ".join(child.cmdline()) or child.children()]

    def kill(self) -> None:
        """End it and all its processes at once, as the system does for want of memory."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.send_signal(signal.SIGKILL)
        self.process.kill()
        self.process.wait()


@contextmanager
def running_worker(environment: dict[str, str]) -> Iterator[Worker]:
    """A worker that is ready to be given calls."""
    health = free_port()
    settings = {
        **os.environ,
        **environment,
        "VOICE_HEALTH_PORT": str(health),
        "VOICE_IDLE_PROCESSES": "1",
        "VOICE_MOST_LOAD": "1",
        "VOICE_DRAIN_SECONDS": "20",
        "VOICE_RETURN_SECONDS": "3",
        "LOG_LEVEL": "INFO",
    }
    process = subprocess.Popen([sys.executable, "manage.py", "run_voice_worker"], cwd=ROOT, env=settings)
    worker = Worker(process, health)
    try:
        deadline = time.monotonic() + 120
        while not http_ready(health, "/readyz"):
            assert process.poll() is None, f"the voice worker ended with code {process.returncode}"
            assert time.monotonic() < deadline, "the voice worker wasn't ready within 120 s"
            time.sleep(0.1)
        yield worker
    finally:
        if process.poll() is None:
            worker.kill()


@pytest.fixture(scope="module")
def surroundings(
    django_db_setup: None, livekit: LiveKitServer, speech_url: str, model_server_process: ModelServer
) -> dict[str, str]:
    """What a worker needs to know of the tests' servers."""
    allowed = model_server_process.host_and_port
    return {**livekit.environment(), "SPEECH_URL": speech_url, "EGRESS_ALLOW": allowed}


@pytest.fixture(scope="module")
def worker(surroundings: dict[str, str]) -> Iterator[Worker]:
    """A voice worker, for tests that leave it as they found it."""
    with running_worker(surroundings) as running:
        yield running


@pytest.fixture
def rooms(live_tenants: None, livekit: LiveKitServer, model_server: ModelServer, settings: Any) -> None:
    """This process knows the tests' servers too."""
    from agents.engine import models

    settings.EGRESS_ALLOW = [model_server.host_and_port]
    models.egress_policy.cache_clear()
    for name, value in livekit.environment().items():
        setattr(settings, name, value)
    settings.LIVEKIT_PUBLIC_URL = livekit.url


Meetings = Callable[..., Awaitable[tuple["Meeting", str]]]


@pytest.fixture
def meeting_of(rooms: None, model_server: ModelServer) -> Meetings:
    """`meeting, token = await meeting_of(tenant, **release)`: a meeting, and a contact's way into it."""
    import datetime as dt

    from django.utils import timezone

    from conversations.domain.conversations import begin_conversation
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from tests.factories import AgentFactory, EndpointFactory
    from voice_worker.domain.meetings import begin_meeting
    from voice_worker.meetings.tokens import identity_of, join_token

    def make(
        tenant: Tenant, model: str, runtime: dict[str, Any], recorded: bool, release: dict[str, Any]
    ) -> tuple[Meeting, str]:
        until = timezone.now() + dt.timedelta(minutes=5)
        with use_tenant(tenant):
            endpoint = EndpointFactory.create(base_url=model_server.url)
            settled = {
                "live__endpoint": endpoint,
                "live__model": model,
                "live__runtime": {"welcome_message": "", **runtime},
            }
            agent = AgentFactory.create(**settled, **{f"live__{name}": value for name, value in release.items()})
            thread = begin_conversation(agent_id=agent.pk, channel="room")
            meeting = begin_meeting(
                conversation_id=thread.pk, joinable_until=until, consents_to_recording=recorded
            ).meeting
            token = join_token(
                meeting=meeting,
                tenant=tenant.slug,
                identity=identity_of("contact", meeting),
                name="Ada",
                contact="",
                expires_at=until,
            )
        return meeting, token.token

    async def begin(
        tenant: Tenant, *, model: str = "say", runtime: Any = None, recorded: bool = False, **release: Any
    ) -> tuple[Meeting, str]:
        return await in_database(make, tenant, model, runtime or {}, recorded, release)

    return begin
