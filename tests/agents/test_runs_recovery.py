"""Runs of a release's tests whose workers die."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from agents.domain import test_runs
from agents.domain.test_runs import Limits, execute, start_test_run
from agents.models import Release, TestRun
from billing.models import UsageEvent
from switchboard.celery import app
from switchboard.kernel.redis import redis_client
from tenants.context import use_public, use_tenant
from tenants.domain import leases
from tenants.models import WorkLease
from tests.agents.runs import QUICK, contains, eventually, turn
from tests.model_server.process import ROOT, ModelServer


def lapse(run: TestRun) -> None:
    with use_public():
        WorkLease.objects.filter(object_id=run.pk).update(until="2020-01-01T00:00Z")


def test_a_run_is_anothers_while_its_worker_lives(scene: Callable[..., Release]) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))]))
    leases.claim(kind=test_runs.LEASE_KIND, object_id=run.pk, owner="another:process")

    execute(run_id=run.pk, limits=QUICK)

    run.refresh_from_db()
    assert run.status == "queued"


def test_a_run_that_kills_its_workers_is_given_up(scene: Callable[..., Release]) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))]))
    WorkLease.objects.filter(object_id=run.pk).update(attempts=test_runs.MOST_ATTEMPTS)

    execute(run_id=run.pk, limits=QUICK)

    run.refresh_from_db()
    assert (run.status, run.error_code) == ("error", "run_interrupted")
    assert run.results.get().status == "error"
    assert not WorkLease.objects.exists()


WORKER = """
import sys, uuid, django
django.setup()
from agents.domain.test_runs import execute
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
with use_public():
    tenant = Tenant.objects.get(slug="harbour")
with use_tenant(tenant):
    execute(run_id=uuid.UUID(sys.argv[1]))
"""


@pytest.fixture
def worker_for(model_server: ModelServer) -> Iterator[Callable[[TestRun], subprocess.Popen[bytes]]]:
    """`worker_for(run)`: a process of its own that works on a run."""
    started: list[subprocess.Popen[bytes]] = []

    def make(run: TestRun) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "DJANGO_SETTINGS_MODULE": "switchboard.settings",
            "EGRESS_ALLOW": model_server.host_and_port,
        }
        started.append(subprocess.Popen([sys.executable, "-c", WORKER, str(run.pk)], env=environment, cwd=ROOT))
        return started[-1]

    yield make
    for process in started:
        process.kill()
        process.wait()


def test_a_run_whose_worker_was_killed_is_finished_by_another(
    scene: Callable[..., Release], worker_for: Callable[[TestRun], subprocess.Popen[bytes]], model_server: ModelServer
) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))], [turn("!stub-40x50", contains("39@"))]))
    worker = worker_for(run)
    eventually(lambda: TestRun.objects.get(pk=run.pk).passed == 1, 30)
    eventually(lambda: model_server.requests()["open"] == 1)

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert TestRun.objects.get(pk=run.pk).status == "running"
    lapse(run)
    with use_public():
        [abandoned] = leases.take_abandoned()
    assert (abandoned.kind, abandoned.object_id) == (test_runs.LEASE_KIND, run.pk)
    lapse(run)
    with use_tenant(abandoned.scope):
        execute(run_id=run.pk, limits=Limits(look_seconds=0.05))
    run.refresh_from_db()
    assert (run.status, run.passed) == ("passed", 2)
    # What was done before is not done again.
    assert model_server.count("say") == 1
    keys = list(UsageEvent.objects.values_list("idempotency_key", flat=True))
    assert len(keys) == len(set(keys)) == 2


def test_an_abandoned_run_is_announced_again(scene: Callable[..., Release]) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))]))
    redis_client().delete("celery")
    lapse(run)
    with use_public():
        [abandoned] = leases.take_abandoned()

    asyncio.run(leases.recoverer(abandoned.kind)(abandoned))

    assert str(run.pk) in str(redis_client().lrange("celery", 0, -1))
    assert "agents.run_tests" in app.tasks
