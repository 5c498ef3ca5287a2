"""A release's tests beside those of the release before it: what has begun to fail, and what has been mended."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.models import Release, TestResult, TestRun

_GREEN: Final = TestResult.Status.PASSED


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One case in two runs. `before` and `after` are statuses; None: the run didn't have the case."""

    case_id: uuid.UUID
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, case by case.

    Args:
        before: the older run; None where the release before was never tested.
    """

    run: TestRun
    before: TestRun | None
    newly_failing: tuple[CaseChange, ...] = ()
    newly_passing: tuple[CaseChange, ...] = ()
    still_failing: tuple[CaseChange, ...] = ()
    still_passing: tuple[CaseChange, ...] = ()
    new: tuple[CaseChange, ...] = ()
    removed: tuple[CaseChange, ...] = ()

    def by_case(self) -> dict[uuid.UUID, str]:
        """The word for each case of the newer run that is worth a word."""
        words = {"newly_failing": "newly failing", "newly_passing": "newly passing", "new": "new"}
        named = {**words, "still_failing": "still failing"}
        return {change.case_id: word for group, word in named.items() for change in getattr(self, group)}


@dataclass(slots=True)
class _Groups:
    newly_failing: list[CaseChange] = field(default_factory=list)
    newly_passing: list[CaseChange] = field(default_factory=list)
    still_failing: list[CaseChange] = field(default_factory=list)
    still_passing: list[CaseChange] = field(default_factory=list)
    new: list[CaseChange] = field(default_factory=list)
    removed: list[CaseChange] = field(default_factory=list)

    def of(self, before: str | None, after: str | None) -> list[CaseChange]:
        if before is None:
            return self.new
        if after is None:
            return self.removed
        if after == _GREEN:
            return self.still_passing if before == _GREEN else self.newly_passing
        return self.newly_failing if before == _GREEN else self.still_failing


def newest_run(release: Release, *, ended: bool = False) -> TestRun | None:
    """The newest run of a release.

    Args:
        ended: of those that came to an end by themselves.
    """
    runs = TestRun.objects.filter(release=release)
    if ended:
        runs = runs.exclude(status__in=[*TestRun.OPEN, TestRun.Status.CANCELLED])
    return runs.order_by("-id").first()


def run_before(run: TestRun) -> TestRun | None:
    """The newest run, come to an end by itself, of the nearest release before this one that has any."""
    release = run.release
    earlier = TestRun.objects.filter(release__agent_id=release.agent_id, release__number__lt=release.number)
    ended = earlier.exclude(status__in=[*TestRun.OPEN, TestRun.Status.CANCELLED])
    return ended.select_related("release").order_by("-release__number", "-id").first()


def compare(run: TestRun, before: TestRun | None) -> Comparison:
    """Two runs, case by case. Cases that aren't done yet are left out."""
    if before is None:
        return Comparison(run, None)
    old, new = _done(before), _done(run)
    waiting = set(run.results.filter(status__in=TestResult.OPEN).values_list("case_id", flat=True))
    groups = _Groups()
    for case_id in [*new, *(case_id for case_id in old if case_id not in new and case_id not in waiting)]:
        before_status, after_status = _status(old, case_id), _status(new, case_id)
        name = (new.get(case_id) or old[case_id])[1]
        change = CaseChange(case_id, name, before_status, after_status)
        groups.of(before_status, after_status).append(change)
    return Comparison(
        run,
        before,
        newly_failing=tuple(groups.newly_failing),
        newly_passing=tuple(groups.newly_passing),
        still_failing=tuple(groups.still_failing),
        still_passing=tuple(groups.still_passing),
        new=tuple(groups.new),
        removed=tuple(groups.removed),
    )


def _status(results: Mapping[uuid.UUID, tuple[str, str]], case_id: uuid.UUID) -> str | None:
    found = results.get(case_id)
    return found[0] if found else None


def _done(run: TestRun) -> dict[uuid.UUID, tuple[str, str]]:
    """Status and name of each case that is done, in the run's order."""
    rows = run.results.exclude(status__in=TestResult.OPEN).order_by("position")
    return {
        case_id: (status, str(name))
        for case_id, status, name in rows.values_list("case_id", "status", "snapshot__name")
    }
