"""Test cases and runs over REST. What resources share is in tests/resource_contract.py."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from rest_framework.test import APIClient

from agents.models import Agent, Release, TestCase, TestRun
from tenants.context import use_tenant
from tenants.models import Tenant
from tenants.permissions import Permission
from tests.factories import AgentFactory, ReleaseFactory, TestCaseFactory, TestRunFactory
from tests.isolation import assert_hidden, assert_problem
from tests.query_count import queries
from tests.resource_contract import ResourceContract

CASES, RUNS = "/api/v1/test-cases", "/api/v1/test-runs"
TURNS = [{"say": "When is breakfast?", "expect": [{"kind": "contains", "text": "7 to 11"}]}]
Api = Callable[[Tenant], APIClient]


def run_of_a_release(**status: Any) -> TestRun:
    agent = AgentFactory.create(live=False)
    TestCaseFactory.create(agent=agent)
    run: TestRun = TestRunFactory.create(release=ReleaseFactory.create(agent=agent), **status)
    return run


class TestCases(ResourceContract):
    address = CASES
    factory = TestCaseFactory
    reads, writes = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    change = {"name": "Another name", "tags": ["food"], "turns": TURNS, "judge_optional": True, "enabled": False}

    @pytest.fixture(autouse=True)
    def _agent(self, harbour: Tenant) -> None:
        with use_tenant(harbour):
            agent = AgentFactory.create(live=False)
        self.body = {"agent": str(agent.pk), "name": "Breakfast", "turns": TURNS, "tags": ["food"]}  # type: ignore[misc]


class TestRuns(ResourceContract):
    address = RUNS
    factory = staticmethod(run_of_a_release)
    reads, writes = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    deletable = False


@pytest.fixture
def agent(in_harbour: Tenant) -> Agent:
    made: Agent = AgentFactory.create(live=False)
    return made


@pytest.fixture
def release(agent: Agent) -> Release:
    """A release that carries two cases."""
    TestCaseFactory.create_batch(2, agent=agent)
    made: Release = ReleaseFactory.create(agent=agent)
    return made


# --- cases ------------------------------------------------------------------------------------------------------------
def test_cases_are_listed_by_agent_and_tag(caller: APIClient, agent: Agent) -> None:
    mine = TestCaseFactory.create(agent=agent, tags=["food"])
    TestCaseFactory.create(agent=agent, tags=["spa"])
    TestCaseFactory.create(tags=["food"])

    found = caller.get(f"{CASES}?agent={agent.pk}&tag=food").json()["results"]

    assert [row["id"] for row in found] == [str(mine.pk)]
    assert_problem(caller.get(f"{CASES}?agent=nobody"), 422, "invalid", field="agent")


def test_a_deleted_case_is_restored(caller: APIClient, agent: Agent) -> None:
    case = TestCaseFactory.create(agent=agent)
    caller.delete(f"{CASES}/{case.pk}")
    assert [row["id"] for row in caller.get(f"{CASES}?deleted=true").json()["results"]] == [str(case.pk)]

    restored = caller.post(f"{CASES}/{case.pk}/restore")

    assert restored.status_code == 200
    assert caller.get(f"{CASES}/{case.pk}").json() == restored.json()


@pytest.mark.parametrize(
    ("turns", "field"),
    [
        ([], "turns"),
        ([{"say": "x", "expect": [{"kind": "matches", "pattern": "(?=a)"}]}], "turns.0.expect.0.pattern"),
        ([{"say": "x", "expect": [{"kind": "nothing"}]}], "turns.0.expect.0"),
        ({"say": "x"}, "turns"),
    ],
)
def test_a_case_that_cannot_be_is_refused(caller: APIClient, agent: Agent, turns: Any, field: str) -> None:
    body = {"agent": str(agent.pk), "name": "Bad", "turns": turns}
    assert_problem(caller.post(CASES, body), 422, "test_case_invalid", field=field)


def test_an_agent_that_is_not_there(caller: APIClient, harbour: Tenant, agency: Tenant) -> None:
    with use_tenant(agency):
        foreign = AgentFactory.create(live=False)
    for agent in (foreign.pk, uuid.uuid4()):
        body = {"agent": str(agent), "name": "x", "turns": TURNS}
        assert_problem(caller.post(CASES, body), 422, "unknown_agent", field="agent")


def test_a_release_says_which_cases_it_carries_and_takes_them_by_id(caller: APIClient, release: Release) -> None:
    one = str(release.test_case_ids[0])
    body = {"prompt": str(release.prompt_id), "test_cases": [one]}

    made = caller.post(f"/api/v1/agents/{release.agent_id}/releases", body)

    assert made.status_code == 201, made.content
    assert made.json()["test_case_ids"] == [one]
    wrong = {**body, "test_cases": [str(uuid.uuid4())]}
    refused = caller.post(f"/api/v1/agents/{release.agent_id}/releases", wrong)
    assert_problem(refused, 422, "release_invalid", field="test_case_ids")


# --- runs -------------------------------------------------------------------------------------------------------------
def test_a_run_is_started_and_followed(caller: APIClient, release: Release) -> None:
    started = caller.post(f"/api/v1/releases/{release.pk}/test-runs")

    assert started.status_code == 202
    run = started.json()
    assert started["Location"] == f"{RUNS}/{run['id']}"
    assert (run["status"], run["total"], run["progress"], run["started_by"]) == ("queued", 2, 0, None)
    assert caller.get(started["Location"]).json() == run
    # A second start is answered with the first, with the same key or another.
    assert caller.post(f"/api/v1/releases/{release.pk}/test-runs").json()["id"] == run["id"]
    assert TestRun.objects.count() == 1


def test_a_start_that_is_repeated_starts_one(caller: APIClient, release: Release) -> None:
    key = {"Idempotency-Key": "again"}
    first = caller.post(f"/api/v1/releases/{release.pk}/test-runs", headers=key)
    TestRun.objects.update(status="passed")

    again = caller.post(f"/api/v1/releases/{release.pk}/test-runs", headers=key)

    assert again.json() == first.json()
    assert TestRun.objects.count() == 1


def test_who_started_a_run_is_told(staff: Any, release: Release) -> None:
    run = staff.post(f"/api/v1/releases/{release.pk}/test-runs").json()
    assert run["started_by"] == str(TestRun.objects.get().started_by)


def test_a_release_without_cases_has_nothing_to_run(caller: APIClient, agent: Agent) -> None:
    bare = ReleaseFactory.create(agent=agent)
    assert_problem(caller.post(f"/api/v1/releases/{bare.pk}/test-runs"), 409, "no_test_cases")


def test_a_run_is_cancelled_once(caller: APIClient, release: Release) -> None:
    address = caller.post(f"/api/v1/releases/{release.pk}/test-runs")["Location"]

    assert caller.post(f"{address}/cancel").json()["status"] == "cancelled"
    assert_problem(caller.post(f"{address}/cancel"), 409, "test_run_ended")


def test_results_come_in_the_releases_order_with_the_case_as_it_was_run(caller: APIClient, release: Release) -> None:
    run = TestRunFactory.create(release=release)
    TestCase.objects.update(name=Concat("name", Value(" renamed")))
    address = f"{RUNS}/{run.pk}/results?limit=1"
    seen = []
    while address:
        page = caller.get(address).json()
        seen += page["results"]
        address = page["next"]

    assert [row["case"] for row in seen] == [str(pk) for pk in release.test_case_ids]
    assert not any("renamed" in row["snapshot"]["name"] for row in seen)
    assert caller.get(f"{RUNS}/{run.pk}/results?cursor=cD1ub25l").status_code == 404


def test_more_results_cost_no_more_queries(caller: APIClient, agent: Agent) -> None:
    counted = []
    for more in (1, 2):
        TestCaseFactory.create_batch(more, agent=agent)
        run = TestRunFactory.create(release=ReleaseFactory.create(agent=agent))
        counted.append((queries(caller, f"{RUNS}/{run.pk}/results"), queries(caller, f"{RUNS}/{run.pk}/compare")))
    assert counted[0][0] == counted[1][0]


def test_a_run_is_compared_with_the_release_before(caller: APIClient, release: Release) -> None:
    one, two = release.test_case_ids
    TestRunFactory.create(release=release, results={one: "passed", two: "failed"})
    second = ReleaseFactory.create(agent=release.agent)
    run = TestRunFactory.create(release=second, results={one: "failed", two: "passed"})

    found = caller.get(f"{RUNS}/{run.pk}/compare").json()

    assert [(change["case"], change["before"], change["after"]) for change in found["newly_failing"]] == [
        (str(one), "passed", "failed")
    ]
    assert [change["case"] for change in found["newly_passing"]] == [str(two)]
    assert found["before"]["release"] == str(release.pk)
    first = caller.get(f"{RUNS}/{found['before']['id']}/compare").json()
    assert (first["before"], first["newly_failing"]) == (None, [])


def test_runs_are_listed_by_release_and_status(caller: APIClient, release: Release) -> None:
    run = TestRunFactory.create(release=release, status="failed")
    run_of_a_release()
    for query in (f"release={release.pk}", "status=failed"):
        assert [row["id"] for row in caller.get(f"{RUNS}?{query}").json()["results"]] == [str(run.pk)]


def test_the_gate_refuses_over_rest(caller: APIClient, release: Release) -> None:
    Agent.objects.update(require_tests=True)
    assert_problem(caller.post(f"/api/v1/releases/{release.pk}/go-live", {}), 409, "tests_not_green")
    TestRunFactory.create(release=release)
    assert caller.post(f"/api/v1/releases/{release.pk}/go-live", {}).status_code == 200


def test_another_companys_tests_are_not_there(api: Api, harbour: Tenant, agency: Tenant) -> None:
    with use_tenant(agency):
        run = run_of_a_release(status="queued")
    stranger = api(harbour)
    for method, address in [
        ("get", RUNS + "/{}/results"),
        ("get", RUNS + "/{}/compare"),
        ("post", RUNS + "/{}/cancel"),
    ]:
        assert_hidden(stranger, method, lambda pk, address=address: address.format(pk), run.pk)  # type: ignore[misc]
    assert_hidden(stranger, "post", lambda pk: f"/api/v1/releases/{pk}/test-runs", run.release_id)
    with use_tenant(agency):
        run.refresh_from_db()
    assert run.status == "queued"
