"""Runs of a release's tests: against models that behave or don't, with workers that die."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextvars import copy_context

import pytest

from agents.domain import test_runs
from agents.domain.test_cases import delete_test_case, update_test_case
from agents.domain.test_runs import Limits, cancel_test_run, execute, start_test_run
from agents.models import Release, TestCase, TestRun
from billing.models import UsageEvent
from switchboard.kernel.problems import Conflict
from tenants.domain import leases
from tests.agents.runs import QUICK, contains, eventually, judge, ran, turn
from tests.model_server.process import ModelServer


# --- how cases end ----------------------------------------------------------------------------------------------------
def test_a_green_run(scene: Callable[..., Release]) -> None:
    release = scene([turn("!say from 7 to 11", contains("7 to 11"))], [turn("!say no", contains("no"))])

    run, results = ran(release)

    assert (run.status, run.total, run.passed, run.progress) == ("passed", 2, 2, 100)
    assert run.started_at is not None
    assert run.finished_at is not None
    first = results[0]
    assert first.snapshot["name"] == "Case 0"
    assert first.turns[0]["answer"] == "from 7 to 11"
    assert first.turns[0]["outcomes"] == [
        {"kind": "contains", "expected": "says “7 to 11”", "verdict": "passed", "why": "The answer says so."}
    ]
    assert first.duration_ms > 0
    assert first.output_tokens > 0
    assert not leases.is_held(kind=test_runs.LEASE_KIND, object_id=run.pk)


def test_a_failing_expectation_fails_the_case_and_the_run(scene: Callable[..., Release]) -> None:
    run, results = ran(scene([turn("!say no", contains("no"), contains("yes"))], [turn("!say a", contains("a"))]))

    assert (run.status, run.passed, run.failed) == ("failed", 1, 1)
    assert [result.status for result in results] == ["failed", "passed"]
    assert [one["verdict"] for one in results[0].turns[0]["outcomes"]] == ["passed", "failed"]


def test_turns_of_a_case_know_what_was_said_and_cases_know_nothing_of_each_other(
    scene: Callable[..., Release], model_server: ModelServer
) -> None:
    run, _ = ran(
        scene(
            [
                turn("!say beacon", contains("beacon")),
                turn("Second !echo", contains("!say beacon"), contains("Second")),
            ],
            [turn("Alone !echo", {"kind": "not_contains", "text": "beacon"})],
        )
    )

    assert run.status == "passed", list(run.results.values_list("turns", flat=True))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("!garbage", "model_stream_broken"),
        ("!wrong-key", "model_refused"),
        ("!hang-before-headers", "case_timeout"),
        ("!hang-mid-stream", "case_timeout"),
        ("!half-stream", "model_stream_broken"),
    ],
)
def test_a_model_that_fails_is_an_error_and_not_green(scene: Callable[..., Release], said: str, code: str) -> None:
    # What was said before it broke may even be what was expected.
    absent = {"kind": "not_contains", "text": "never said"}
    run, results = ran(
        scene([turn(said, absent)], [turn("!say fine", contains("fine"))]), Limits(case_seconds=4.0, look_seconds=0.05)
    )

    assert (run.status, run.errors, run.passed, run.failed) == ("error", 1, 1, 0)
    assert (results[0].status, results[0].error_code) == ("error", code)
    assert results[0].error_detail
    assert results[1].status == "passed"


def test_a_failure_outweighs_an_error(scene: Callable[..., Release]) -> None:
    run, _ = ran(scene([turn("!wrong-key", contains("x"))], [turn("!say no", contains("yes"))]))
    assert run.status == "failed"


def test_each_model_call_is_metered_once(scene: Callable[..., Release]) -> None:
    release = scene(
        [turn("!say one", judge("!say yes: fine")), turn("!say two", contains("two"))],
        [turn("!half-stream", contains("never"))],
        judge="say",
    )

    _, results = ran(release)

    used = list(UsageEvent.objects.all())
    assert len(used) == 3 + 3  # what broke off was asked to go on, twice
    assert len({one.idempotency_key for one in used}) == 6
    assert {one.release_id for one in used} == {release.pk}
    assert sum(one.output_tokens for one in used) == sum(result.output_tokens for result in results)
    assert [one.is_estimated for one in used].count(True) == 3


# --- the judge --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rubric", "status", "why"),
    [
        ("!say yes: it is kind", "passed", "it is kind"),
        ("!say no: it is curt", "failed", "it is curt"),
        ("!say perhaps", "error", None),
        ("!wrong-key", "error", None),
    ],
)
def test_a_judge_decides(scene: Callable[..., Release], rubric: str, status: str, why: str | None) -> None:
    run, (result,) = ran(scene([turn("!say Good day.", judge(rubric))], judge="say"))

    assert (run.status, result.status) == (status, status)
    if why is None:
        assert result.error_code in {"judge_unclear", "model_refused"}
    else:
        assert result.turns[0]["outcomes"][0]["why"] == why


def test_without_a_judge_its_expectation_is_skipped_and_not_green(scene: Callable[..., Release]) -> None:
    run, (result,) = ran(scene([turn("!say a", contains("a"), judge("Kind."))]))

    assert (run.status, run.skipped, result.status) == ("failed", 1, "skipped")
    skipped = result.turns[0]["outcomes"][1]
    assert skipped["verdict"] == "skipped"
    assert "names no judge model" in skipped["why"]


def test_unless_the_case_says_that_the_judge_is_optional(scene: Callable[..., Release]) -> None:
    run, (result,) = ran(scene([turn("!say a", contains("a"), judge("Kind."))], judge_optional=True))
    assert (run.status, result.status) == ("passed", "passed")


# --- starting, changing, cancelling -----------------------------------------------------------------------------------
def test_a_run_under_way_is_the_answer_to_a_second_start(scene: Callable[..., Release]) -> None:
    release = scene([turn("!say a", contains("a"))])
    first = start_test_run(release=release)

    assert start_test_run(release=release) == first
    execute(run_id=first.pk, limits=QUICK)
    assert start_test_run(release=release) != first


def test_two_who_start_at_once_get_one_run(scene: Callable[..., Release]) -> None:
    release = scene([turn("!say a", contains("a"))])
    found: list[uuid.UUID] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        from django.db import connection

        barrier.wait()
        found.append(start_test_run(release=release).pk)
        connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(start,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert TestRun.objects.count() == 1


def test_a_release_without_cases_has_nothing_to_run(scene: Callable[..., Release]) -> None:
    with pytest.raises(Conflict) as caught:
        start_test_run(release=scene())
    assert caught.value.code == "no_test_cases"


def test_editing_a_case_changes_nothing_of_what_was_run(scene: Callable[..., Release]) -> None:
    release = scene([turn("!say a", contains("a"))])
    run = start_test_run(release=release)
    case = TestCase.objects.get()
    update_test_case(case=case, name="Changed", turns=[turn("!say b", contains("never"))])

    execute(run_id=run.pk, limits=QUICK)

    run.refresh_from_db()
    result = run.results.get()
    assert (run.status, result.snapshot["name"], result.snapshot["revision"]) == ("passed", "Case 0", 1)
    # The next run has it as it is now.
    assert ran(release)[0].status == "failed"


def test_a_deleted_case_is_run_no_more(scene: Callable[..., Release]) -> None:
    release = scene([turn("!say a", contains("a"))], [turn("!say b", contains("b"))])
    delete_test_case(case=TestCase.objects.get(name="Case 0"))
    assert ran(release)[0].total == 1


def in_the_background(run: TestRun, limits: Limits = QUICK) -> threading.Thread:
    thread = threading.Thread(target=copy_context().run, args=(lambda: execute(run_id=run.pk, limits=limits),))
    thread.start()
    return thread


def test_progress_is_told_while_it_runs(scene: Callable[..., Release]) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))], [turn("!stub-20x100", contains("never"))]))
    working = in_the_background(run)

    def seen() -> TestRun:
        return TestRun.objects.get(pk=run.pk)

    eventually(lambda: seen().passed == 1)
    halfway = seen()
    statuses = list(run.results.values_list("status", flat=True))
    working.join()

    assert (halfway.status, halfway.progress) == ("running", 50)
    assert statuses == ["passed", "running"]
    assert (seen().status, seen().progress) == ("failed", 100)


def test_no_more_than_so_many_are_held_at_once(scene: Callable[..., Release], model_server: ModelServer) -> None:
    release = scene(*[[turn("!stub-5x100", contains("never"))] for _ in range(6)])
    run = start_test_run(release=release)
    most = 0
    working = in_the_background(run, Limits(at_once=2, look_seconds=0.05))
    while working.is_alive():
        most = max(most, model_server.requests()["open"])
        time.sleep(0.03)

    assert most == 2
    run.refresh_from_db()
    assert run.done == 6


def test_a_cancelled_run_ends_at_once_and_leaves_the_model_alone(
    scene: Callable[..., Release], model_server: ModelServer
) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))], [turn("!stub-200x50", contains("never"))]))
    working = in_the_background(run, Limits(look_seconds=0.05))
    eventually(lambda: TestRun.objects.get(pk=run.pk).passed == 1)
    eventually(lambda: model_server.requests()["open"] == 1)
    time.sleep(0.2)

    cancel_test_run(run=run)
    working.join(5)

    assert not working.is_alive()
    run.refresh_from_db()
    assert (run.status, run.passed) == ("cancelled", 1)
    assert set(run.results.values_list("status", flat=True)) == {"passed", "cancelled"}
    eventually(lambda: model_server.requests()["abandoned"] == 1)
    # What was said until then is metered.
    assert UsageEvent.objects.filter(is_estimated=True).count() == 1
    with pytest.raises(Conflict):
        cancel_test_run(run=run)


def test_a_run_that_was_cancelled_while_it_waited_is_never_begun(
    scene: Callable[..., Release], model_server: ModelServer
) -> None:
    run = start_test_run(release=scene([turn("!say a", contains("a"))]))
    cancel_test_run(run=run)

    execute(run_id=run.pk, limits=QUICK)

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert model_server.count("say") == 0
