"""The publish gate: an agent that requires tests goes live with green ones only."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from agents.comparison import compare, run_before
from agents.domain.agents import configure_agent
from agents.domain.composition import Parts
from agents.domain.releases import go_live, make_release, roll_back, start_canary
from agents.domain.test_cases import delete_test_case, update_test_case
from agents.models import Agent, Release, TestCase, TestRun
from switchboard.kernel.problems import Conflict, Invalid
from tenants.models import Tenant
from tests.factories import AgentFactory, PromptFactory, ReleaseFactory, TestCaseFactory, TestRunFactory


@pytest.fixture
def agent(in_harbour: Tenant) -> Agent:
    """An agent with a live release that requires tests, and two cases."""
    agent: Agent = AgentFactory.create()
    configure_agent(agent=agent, require_tests=True)
    TestCaseFactory.create(agent=agent, name="Breakfast")
    TestCaseFactory.create(agent=agent, name="Pool")
    agent.refresh_from_db()
    return agent


@pytest.fixture
def release(agent: Agent) -> Release:
    made: Release = ReleaseFactory.create(agent=agent)
    return made


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as caught:
        act()
    assert caught.value.code == "tests_not_green"
    return caught.value.detail


def live(agent: Agent) -> uuid.UUID | None:
    agent.refresh_from_db()
    return agent.live_release_id


# --- which cases a release carries ------------------------------------------------------------------------------------
def test_a_release_carries_the_cases_that_are_enabled_then(agent: Agent) -> None:
    pool = TestCase.objects.get(name="Pool")
    update_test_case(case=pool, enabled=False)
    deleted = TestCaseFactory.create(agent=agent)
    delete_test_case(case=deleted)
    TestCaseFactory.create()  # another agent's

    release = ReleaseFactory.create(agent=agent)
    TestCaseFactory.create(agent=agent, name="Later")

    assert release.test_case_ids == [TestCase.objects.get(name="Breakfast").pk]


def test_cases_can_be_chosen(agent: Agent) -> None:
    pool = TestCase.objects.get(name="Pool")
    assert ReleaseFactory.create(agent=agent, test_case_ids=[pool.pk, pool.pk]).test_case_ids == [pool.pk]
    assert ReleaseFactory.create(agent=agent, test_case_ids=[]).test_case_ids == []


def test_cases_of_others_cannot_be_chosen(agent: Agent) -> None:
    foreign = TestCaseFactory.create()
    for wanted in (foreign.pk, uuid.uuid4()):
        with pytest.raises(Invalid) as caught:
            ReleaseFactory.create(agent=agent, test_case_ids=[wanted])
        assert caught.value.errors[0]["field"] == "test_case_ids"


def test_the_database_itself_refuses_cases_that_are_not_there(release: Release) -> None:
    release.pk, release.number, release.test_case_ids = uuid.uuid4(), 99, [uuid.uuid4()]
    with pytest.raises(IntegrityError, match="agents_testcase"), transaction.atomic():
        release.save(force_insert=True)


# --- the gate ---------------------------------------------------------------------------------------------------------
def test_untested_is_not_green(agent: Agent, release: Release) -> None:
    assert "haven't been run" in refusal(lambda: go_live(release=release))
    assert "haven't been run" in refusal(lambda: start_canary(release=release, percent=10))
    assert live(agent) != release.pk
    assert agent.canary_release_id is None


def test_green_goes_live(agent: Agent, release: Release) -> None:
    TestRunFactory.create(release=release)

    start_canary(release=release, percent=10)
    go_live(release=release)

    assert live(agent) == release.pk


def test_without_the_requirement_nothing_is_asked(agent: Agent, release: Release) -> None:
    configure_agent(agent=agent, require_tests=False)
    go_live(release=release)
    assert live(agent) == release.pk


@pytest.mark.parametrize(
    ("status", "result", "why"),
    [
        ("failed", "failed", "2 of 2 failed"),
        ("failed", "skipped", "needed a judge"),
        ("error", "error", "couldn't be judged"),
        ("cancelled", "passed", "cancelled"),
    ],
)
def test_anything_but_green_is_refused(agent: Agent, release: Release, status: str, result: str, why: str) -> None:
    results = dict.fromkeys(release.test_case_ids, result)
    TestRunFactory.create(release=release, status=status, results=results)

    assert why in refusal(lambda: go_live(release=release))


def test_the_newest_run_counts(agent: Agent, release: Release) -> None:
    TestRunFactory.create(release=release)
    TestRunFactory.create(release=release, status="failed")
    refusal(lambda: go_live(release=release))

    TestRunFactory.create(release=release)
    # One that is still under way says nothing yet.
    TestRunFactory.create(release=release, status=TestRun.Status.RUNNING)
    go_live(release=release)

    assert live(agent) == release.pk


def test_a_run_of_the_same_content_counts(agent: Agent, release: Release) -> None:
    TestRunFactory.create(release=release)
    same = make_release(agent=agent, parts=Parts.of(release))
    other = make_release(agent=agent, parts=Parts(prompt=PromptFactory.create().versions.get().pk))

    go_live(release=same)

    assert live(agent) == same.pk
    refusal(lambda: go_live(release=other))


def test_a_run_that_left_a_case_out_does_not_count(agent: Agent, release: Release) -> None:
    TestRunFactory.create(release=release)
    TestCaseFactory.create(agent=agent, name="Parking")
    more = make_release(agent=agent, parts=Parts.of(release))

    assert "“Parking”" in refusal(lambda: go_live(release=more))


def test_cases_deleted_since_are_not_asked_for(agent: Agent, release: Release) -> None:
    pool = TestCase.objects.get(name="Pool")
    kept = [pk for pk in release.test_case_ids if pk != pool.pk]
    TestRunFactory.create(release=release, results=dict.fromkeys(kept, "passed"))
    refusal(lambda: go_live(release=release))

    delete_test_case(case=pool)
    go_live(release=release)

    assert live(agent) == release.pk


def test_no_cases_are_not_green(agent: Agent) -> None:
    bare = ReleaseFactory.create(agent=agent, test_case_ids=[])
    TestRunFactory.create(release=bare)
    assert "carries no test cases" in refusal(lambda: go_live(release=bare))


def test_what_was_live_can_be_returned_to_whatever_its_tests_say(agent: Agent, release: Release) -> None:
    before = agent.live_release
    assert before is not None
    TestRunFactory.create(release=release)
    go_live(release=release)
    TestRunFactory.create(release=before, status="failed", results={})

    back = roll_back(to=before)
    assert live(agent) == back.pk
    # What a rollback made has been live as well.
    go_live_again = roll_back(to=release)
    assert live(agent) == go_live_again.pk
    assert live(agent) != roll_back(to=back).pk
    assert live(agent) is not None


def test_what_never_was_live_is_no_rollback_without_green_tests(agent: Agent, release: Release) -> None:
    refusal(lambda: roll_back(to=release))
    TestRunFactory.create(release=release)
    assert live(agent) != roll_back(to=release).pk


# --- beside the release before ----------------------------------------------------------------------------------------
def test_results_are_compared_with_the_release_before(agent: Agent) -> None:
    cases = {name: TestCaseFactory.create(agent=agent, name=name) for name in ("A", "B", "C", "D", "E")}
    first = ReleaseFactory.create(agent=agent)
    untested = ReleaseFactory.create(agent=agent)
    second = ReleaseFactory.create(agent=agent)
    ids = {name: case.pk for name, case in cases.items()}
    TestRunFactory.create(release=first, results=dict.fromkeys(ids.values(), "failed"))
    before = TestRunFactory.create(
        release=first,
        results={ids["A"]: "passed", ids["B"]: "failed", ids["C"]: "error", ids["D"]: "passed"},
    )
    TestRunFactory.create(release=first, status="cancelled")
    run = TestRunFactory.create(
        release=second, results={ids["A"]: "failed", ids["B"]: "passed", ids["C"]: "skipped", ids["E"]: "passed"}
    )

    found = compare(run, run_before(run))

    assert found.before == before
    names = {
        group: [change.name for change in getattr(found, group)]
        for group in ("newly_failing", "newly_passing", "still_failing", "still_passing", "new", "removed")
    }
    assert names == {
        "newly_failing": ["A"],
        "newly_passing": ["B"],
        "still_failing": ["C"],
        "still_passing": [],
        "new": ["E"],
        "removed": ["D"],
    }
    assert run_before(TestRunFactory.create(release=untested)) == before
    assert run_before(before) is None
    assert compare(before, None).newly_failing == ()
