"""The publish gate: which tests a release carries, and whether they let it serve."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from agents.models import Agent, Release, TestCase, TestResult, TestRun
from switchboard.kernel.problems import Conflict, Invalid


def cases_to_carry(*, agent: Agent, wanted: Sequence[uuid.UUID] | None) -> list[uuid.UUID]:
    """The test cases that a new release carries, by id.

    Args:
        wanted: explicit ids; None takes all that are enabled.

    Raises:
        Invalid: `release_invalid`, where one of them is not the agent's, or deleted.
    """
    cases = TestCase.objects.filter(agent=agent, deleted_at=None)
    if wanted is None:
        return list(cases.filter(enabled=True).order_by("id").values_list("pk", flat=True))
    chosen = list(dict.fromkeys(wanted))
    known = set(cases.filter(pk__in=chosen).values_list("pk", flat=True))
    if len(known) != len(chosen):
        raise Invalid("release_invalid", "The agent has no such test case.", field="test_case_ids")
    return chosen


def cases_to_run(release: Release) -> list[TestCase]:
    """The cases a release carries, as they are now; those deleted or disabled since are left out."""
    rows = TestCase.objects.filter(pk__in=release.test_case_ids, deleted_at=None, enabled=True)
    place = {pk: index for index, pk in enumerate(release.test_case_ids)}
    return sorted(rows, key=lambda case: place[case.pk])


def refuse_unless_green(*, agent: Agent, release: Release) -> None:
    """Refuse to let a release serve whose tests aren't green, where its agent asks for that.

    What counts is the newest run that has ended, of this release or of one that is the same to the letter: it must have
    passed, and have had all the cases that this release carries.

    Raises:
        Conflict: `tests_not_green`.
    """
    if not agent.require_tests:
        return
    needed = {case.pk: case.name for case in cases_to_run(release)}
    if not needed:
        raise _not_green(f"{release} carries no test cases, and its agent goes live with green tests only.")
    ended = TestRun.objects.filter(release__agent=agent, release__checksum=release.checksum)
    run = ended.exclude(status__in=TestRun.OPEN).order_by("-finished_at", "-id").first()
    if run is None:
        raise _not_green(f"The tests of {release} haven't been run yet.")
    if run.status != TestRun.Status.PASSED:
        raise _not_green(f"The tests of {release} aren't green: {in_words(run)}.")
    passed = TestResult.objects.filter(run=run, status=TestResult.Status.PASSED).values_list("case_id", flat=True)
    missing = [name for pk, name in needed.items() if pk not in set(passed)]
    if missing:
        raise _not_green(f"The newest run of {release} left out “{missing[0]}”. Run its tests again.")


def in_words(run: TestRun) -> str:
    """How a run went, as half a sentence."""
    if run.status == TestRun.Status.CANCELLED:
        return "their newest run was cancelled"
    counted = [
        (run.failed, "failed"),
        (run.errors, "couldn't be judged"),
        (run.skipped, "needed a judge and none is configured"),
    ]
    parts = [f"{count} of {run.total} {word}" for count, word in counted if count]
    return ", ".join(parts) or run.error_detail.rstrip(".") or "their newest run came to nothing"


def _not_green(detail: str) -> Conflict:
    return Conflict("tests_not_green", detail)
