"""What tests of runs have in common: cases, and how a run is awaited."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from agents.domain.test_runs import Limits, execute, start_test_run
from agents.models import Release, TestResult, TestRun

QUICK = Limits(case_seconds=5.0, look_seconds=0.05)


def contains(text: str) -> dict[str, str]:
    return {"kind": "contains", "text": text}


def judge(rubric: str) -> dict[str, str]:
    return {"kind": "judge", "rubric": rubric}


def turn(say: str, *expect: dict[str, Any]) -> dict[str, Any]:
    return {"say": say, "expect": list(expect)}


def ran(release: Release, limits: Limits = QUICK) -> tuple[TestRun, list[TestResult]]:
    """A run, from its start to its end."""
    run = start_test_run(release=release)
    execute(run_id=run.pk, limits=limits)
    run.refresh_from_db()
    return run, list(run.results.all())


def eventually(happened: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
