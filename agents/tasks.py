from __future__ import annotations

import uuid

from celery import shared_task

from agents.domain import memory, test_runs
from switchboard.kernel.database import OUTAGES


@shared_task(
    name="agents.run_tests",
    # A database that restarts is back within seconds. Without this the run would wait until its lease lapses.
    autoretry_for=OUTAGES,
    retry_backoff=1,
    retry_backoff_max=8,
    max_retries=4,
)
def run_tests(run_id: str) -> None:
    """Thin: see agents.domain.test_runs."""
    test_runs.execute(run_id=uuid.UUID(run_id))


@shared_task(name="agents.purge_memory", autoretry_for=OUTAGES, retry_backoff=1, retry_backoff_max=8, max_retries=4)
def purge_memory() -> int:
    """Facts and cached answers whose time is up, in the tenant that the task was sent for."""
    return memory.purge()
