"""Runs of a release's tests: started, cancelled, recovered; `test_case_run` holds the conversations themselves."""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from agents import releases
from agents.domain.test_case_run import CaseOutcome, hold
from agents.domain.test_gate import cases_to_run
from agents.models import Release, TestCase, TestResult, TestRun
from agents.releases import ResolvedRelease
from switchboard.kernel.database import in_database, release_connections
from switchboard.kernel.problems import Conflict
from tenants.actor import doing
from tenants.domain import leases
from tenants.staff.models import User

logger = logging.getLogger(__name__)

LEASE_KIND: Final = "test_run"
# How long an accepted run may wait for a worker before it is announced again.
QUEUE_SECONDS: Final = 60.0
# A run that has taken its worker down this often is given up.
MOST_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How a run is held in check.

    Args:
        case_seconds: for a whole case, all its turns and judgements.
        at_once: cases of one run that are held at the same time.
        look_seconds: how often a worker looks whether the run is still its own.
    """

    case_seconds: float = 240.0
    at_once: int = 4
    look_seconds: float = 1.0


class _Lost(Exception):
    """The run was cancelled meanwhile, or another worker has taken over."""


def start_test_run(*, release: Release, by: User | None = None) -> TestRun:
    """Run the tests that a release carries. While a run of it is under way, that one is returned.

    Raises:
        Conflict: `no_test_cases`.
    """
    under_way = _open_run(release)
    if under_way is not None:
        return under_way
    cases = cases_to_run(release)
    if not cases:
        raise Conflict("no_test_cases", f"{release} carries no test cases. Write some, then make a release.")
    try:
        with transaction.atomic(), doing("test_run.started"):
            run = TestRun.objects.create(release=release, total=len(cases), started_by=by)
            TestResult.objects.bulk_create(
                TestResult(run=run, case_id=case.pk, position=position, snapshot=snapshot_of(case))
                for position, case in enumerate(cases)
            )
            leases.open_lease(kind=LEASE_KIND, object_id=run.pk, owner="", seconds=QUEUE_SECONDS)
            transaction.on_commit(lambda: announce(run.pk))
    except IntegrityError:
        # Somebody else was faster.
        under_way = _open_run(release)
        if under_way is None:
            raise
        return under_way
    return run


def cancel_test_run(*, run: TestRun) -> None:
    """End a run now. Cases that were under way come to nothing; what is done stays.

    Raises:
        Conflict: `test_run_ended`.
    """
    with transaction.atomic(), doing("test_run.cancelled"):
        row = TestRun.objects.select_for_update().get(pk=run.pk)
        if not row.is_open:
            raise Conflict("test_run_ended", "This run has ended already.")
        leases.close(kind=LEASE_KIND, object_id=run.pk, owner=None)
        _end(row, TestRun.Status.CANCELLED, rest=TestResult.Status.CANCELLED)


def snapshot_of(case: TestCase) -> dict[str, object]:
    """A case as a result keeps it."""
    return {
        "name": case.name,
        "tags": case.tags,
        "turns": case.turns,
        "judge_optional": case.judge_optional,
        "revision": case.revision,
    }


def execute(*, run_id: uuid.UUID, limits: Limits = Limits()) -> None:
    """Hold all cases of a run that aren't done. Safe to call twice, at once or after a crash."""
    attempt = leases.claim(kind=LEASE_KIND, object_id=run_id)
    if not attempt:
        return
    run = TestRun.objects.select_related("release").filter(pk=run_id).first()
    if run is None or not run.is_open:
        leases.close(kind=LEASE_KIND, object_id=run_id)
        return
    if attempt > MOST_ATTEMPTS:
        _give_up(run_id, "run_interrupted", "The worker stopped again and again while these tests ran.")
        return
    try:
        with leases.kept_alive(kind=LEASE_KIND, object_id=run_id):
            started_at = run.started_at or timezone.now()
            TestRun.objects.filter(pk=run_id).update(status=TestRun.Status.RUNNING, started_at=started_at)
            # What a worker before us was at when it died is begun again.
            TestResult.objects.filter(run_id=run_id, status=TestResult.Status.RUNNING).update(
                status=TestResult.Status.QUEUED
            )
            waiting = list(TestResult.objects.filter(run_id=run_id, status=TestResult.Status.QUEUED))
            release = releases.resolve(run.release_id)
            release_connections()
            asyncio.run(_hold_all(release, waiting, attempt, limits))
            _settle(run_id)
    except _Lost:
        logger.info("test run %s was cancelled or taken over", run_id)


async def _hold_all(release: ResolvedRelease, waiting: list[TestResult], attempt: int, limits: Limits) -> None:
    turns = asyncio.Semaphore(limits.at_once)

    async def one(result: TestResult) -> None:
        async with turns:
            await in_database(_begin, result)
            outcome = await hold(release, result, attempt=attempt, seconds=limits.case_seconds)
            await in_database(_keep, result, outcome)

    watch = asyncio.create_task(_watch(waiting[0].run_id, limits.look_seconds) if waiting else asyncio.sleep(0))
    work = [asyncio.create_task(one(result)) for result in waiting]
    try:
        await _first_trouble([*work], watch)
    finally:
        for task in (*work, watch):
            task.cancel()
        # Cases that are cut off still meter what they used.
        await asyncio.gather(*work, watch, return_exceptions=True)


async def _first_trouble(work: list[asyncio.Task[None]], watch: asyncio.Task[None]) -> None:
    """Wait for all of the work; raise what the first of it, or the watch, raises."""
    left: set[asyncio.Task[None]] = set(work)
    while left:
        done, _ = await asyncio.wait({*left, watch}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        left -= done


async def _watch(run_id: uuid.UUID, every: float) -> None:
    """Notice a run that is no longer ours."""
    while True:
        await asyncio.sleep(every)
        if not await in_database(leases.is_held, kind=LEASE_KIND, object_id=run_id):
            raise _Lost


def _begin(result: TestResult) -> None:
    with transaction.atomic():
        _ours(result.run_id)
        TestResult.objects.filter(pk=result.pk).update(status=TestResult.Status.RUNNING)


def _keep(result: TestResult, outcome: CaseOutcome) -> None:
    with transaction.atomic():
        row = _ours(result.run_id)
        TestResult.objects.filter(pk=result.pk).update(
            status=outcome.status,
            turns=outcome.turns,
            error_code=outcome.error_code[:60],
            error_detail=outcome.error_detail[:300],
            duration_ms=outcome.duration_ms,
            input_tokens=outcome.input_tokens,
            output_tokens=outcome.output_tokens,
            finished_at=timezone.now(),
        )
        _count(row)


def _ours(run_id: uuid.UUID) -> TestRun:
    """The run's row, locked, while this process is to work on it."""
    row = TestRun.objects.select_for_update().get(pk=run_id)
    if not row.is_open or not leases.is_held(kind=LEASE_KIND, object_id=run_id):
        raise _Lost
    return row


def _settle(run_id: uuid.UUID) -> None:
    """Say how the run went, and let go of it."""
    with transaction.atomic():
        row = TestRun.objects.select_for_update().get(pk=run_id)
        if not leases.close(kind=LEASE_KIND, object_id=run_id):
            raise _Lost
        _count(row)
        _end(row, verdict_of(row), rest=TestResult.Status.ERROR)


def verdict_of(run: TestRun) -> TestRun.Status:
    """How a run whose cases are all done went: green only where every case passed."""
    if run.failed or run.skipped:
        return TestRun.Status.FAILED
    if run.errors or run.passed != run.total:
        return TestRun.Status.ERROR
    return TestRun.Status.PASSED


def _give_up(run_id: uuid.UUID, code: str, detail: str) -> None:
    with transaction.atomic():
        row = TestRun.objects.select_for_update().get(pk=run_id)
        if leases.close(kind=LEASE_KIND, object_id=run_id):
            row.error_code, row.error_detail = code, detail
            _end(row, TestRun.Status.ERROR, rest=TestResult.Status.ERROR, code=code, detail=detail)


def _end(run: TestRun, status: TestRun.Status, *, rest: TestResult.Status, code: str = "", detail: str = "") -> None:
    run.results.filter(status__in=TestResult.OPEN).update(status=rest, error_code=code, error_detail=detail)
    _count(run)
    run.status = status
    run.finished_at = timezone.now()
    run.save()


def _count(run: TestRun) -> None:
    counted = run.results.aggregate(
        passed=Count("pk", filter=Q(status=TestResult.Status.PASSED)),
        failed=Count("pk", filter=Q(status=TestResult.Status.FAILED)),
        errors=Count("pk", filter=Q(status=TestResult.Status.ERROR)),
        skipped=Count("pk", filter=Q(status=TestResult.Status.SKIPPED)),
    )
    for name, count in counted.items():
        setattr(run, name, count)
    run.save(update_fields=list(counted))


def _open_run(release: Release) -> TestRun | None:
    return TestRun.objects.filter(release=release, status__in=TestRun.OPEN).first()


def announce(run_id: uuid.UUID) -> None:
    """Tell the workers. If the broker is away, the lease lapses and the run is announced again."""
    from agents.tasks import run_tests

    try:
        run_tests.apply_async((str(run_id),), retry=False)
    except Exception:
        logger.warning("the broker is away; test run %s will be announced again", run_id)


async def recover(work: leases.Abandoned) -> None:
    """Announce a run again whose worker died, or whose announcement was lost."""

    def announce_again() -> None:
        leases.postpone(kind=work.kind, object_id=work.object_id, seconds=QUEUE_SECONDS)
        announce(work.object_id)

    await in_database(announce_again)
