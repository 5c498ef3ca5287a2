"""Test cases and a release's tests in the admin."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agents.domain.test_cases import delete_test_case, update_test_case
from agents.models import Release, TestCase, TestRun
from tenants.context import use_tenant
from tenants.models import Tenant
from tenants.permissions import Role
from tests.factories import AgentFactory, ReleaseFactory, TestCaseFactory, TestRunFactory
from tests.query_count import queries

LIST = "/admin/agents/testcase/"
TURNS = [{"say": "When is breakfast?", "expect": [{"kind": "contains", "text": "7 to 11"}]}]


def at(case: TestCase, page: str = "change") -> str:
    return f"{LIST}{case.pk}/{page}/"


def page_of(release: Release) -> str:
    return reverse("admin:agents_release_tests", args=[release.pk])


def form(**changes: Any) -> dict[str, Any]:
    return {"name": "Breakfast", "turns": json.dumps(TURNS), "tags": "food\nmorning", "enabled": "on", **changes}


@pytest.fixture
def release(in_harbour: Tenant) -> Release:
    """A release that carries two cases."""
    agent = AgentFactory.create(live=False)
    TestCaseFactory.create_batch(2, agent=agent)
    made: Release = ReleaseFactory.create(agent=agent)
    return made


# --- cases ------------------------------------------------------------------------------------------------------------
def test_a_case_is_made(staff: Client) -> None:
    agent = AgentFactory.create(live=False)

    answer = staff.post(f"{LIST}add/", form(agent=agent.pk), follow=True)

    case = TestCase.objects.get()
    assert answer.redirect_chain[0][0] == at(case)
    assert (case.agent, case.turns, case.tags, case.enabled, case.judge_optional) == (
        agent,
        TURNS,
        ["food", "morning"],
        True,
        False,
    )
    assert case.updated_by is not None


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ("{", "This is no JSON"),
        ("[" * 100_000, "This is no JSON"),
        ("[]", "Say what you expect"),
        (
            json.dumps([{"say": "x", "expect": [{"kind": "matches", "pattern": "(("}]}]),
            "Turn 1, expectation 1, pattern: This is no pattern",
        ),
    ],
)
def test_what_is_no_case_is_told_and_nothing_is_lost(staff: Client, turns: str, said: str) -> None:
    case = TestCaseFactory.create()

    answer = staff.post(at(case), form(name="Mine", turns=turns))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "Mine" in answer.content.decode()
    case.refresh_from_db()
    assert case.revision == 1


def test_of_two_editors_the_second_sees_both(staff: Client) -> None:
    case = TestCaseFactory.create()
    update_test_case(case=case, name="Theirs")

    answer = staff.post(at(case), form(name="Mine", seen=1))

    page = answer.content.decode()
    assert answer.status_code == 412
    assert "Theirs" in page
    assert "Mine" in page
    staff.post(at(case), form(name="Mine", seen=2))
    case.refresh_from_db()
    assert case.name == "Mine"


def test_a_name_that_is_taken_is_told(staff: Client) -> None:
    case = TestCaseFactory.create(name="Breakfast")
    other = TestCaseFactory.create(agent=case.agent)
    assert "already" in staff.post(at(other), form()).content.decode()


def test_a_case_is_deleted_and_restored(staff: Client) -> None:
    case = TestCaseFactory.create()
    staff.post(at(case, "delete"), {"post": "yes"})
    staff.get(LIST)  # which tells that it was deleted
    assert case.name not in staff.get(LIST).content.decode()
    assert case.name in staff.get(f"{LIST}?state=deleted").content.decode()

    staff.post(at(case, "restore"))

    assert case.name in staff.get(LIST).content.decode()


def test_several_are_switched_off(staff: Client) -> None:
    cases = TestCaseFactory.create_batch(2)
    staff.post(LIST, {"action": "switch_off", "_selected_action": [case.pk for case in cases]})
    assert not TestCase.objects.filter(enabled=True).exists()


def test_more_cases_cost_no_more_queries(staff: Client) -> None:
    TestCaseFactory.create()
    one = queries(staff, LIST)
    TestCaseFactory.create_batch(2)
    assert queries(staff, LIST) == one


# --- runs -------------------------------------------------------------------------------------------------------------
def test_a_run_is_started_and_watched(staff: Client, release: Release) -> None:
    assert "Not run yet" in staff.get(page_of(release)).content.decode()

    page = staff.post(f"{page_of(release)}run/", follow=True).content.decode()

    run = TestRun.objects.get()
    assert str(run.started_by) in page
    progress = f"{LIST}runs/{run.pk}/progress/"
    assert f'data-run="{progress}"' in page
    told = staff.get(progress).json()
    assert (told["settled"], told["done"], told["total"]) == (False, 0, 2)
    assert [result["label"] for result in told["results"]] == ["Waiting", "Waiting"]


def test_a_run_is_cancelled(staff: Client, release: Release) -> None:
    staff.post(f"{page_of(release)}run/")
    run = TestRun.objects.get()

    staff.post(f"{LIST}runs/{run.pk}/cancel/")

    run.refresh_from_db()
    assert run.status == "cancelled"
    again = staff.post(f"{LIST}runs/{run.pk}/cancel/", follow=True)
    assert "has ended already" in again.content.decode()


def test_results_say_what_was_expected_and_what_changed(staff: Client, release: Release) -> None:
    one, two = release.test_case_ids
    TestRunFactory.create(release=release, results={one: "passed", two: "failed"})
    second = ReleaseFactory.create(agent=release.agent)
    run = TestRunFactory.create(release=second, status="failed", results={one: "failed", two: "passed"})
    outcome = {"kind": "contains", "expected": "says “7”", "verdict": "failed", "why": "It doesn't <b>."}
    held = {"say": "When?", "answer": "At 8.", "citations": [], "tool_calls": [], "routes": [], "outcomes": [outcome]}
    run.results.filter(case_id=one).update(turns=[held])

    page = staff.get(page_of(second)).content.decode()

    for words in (
        "Says “7”",
        "It doesn&#x27;t &lt;b&gt;.",
        "At 8.",
        "Newly failing",
        "Newly passing",
        "Compared with #1",
    ):
        assert words in page, words
    assert staff.get(f"{page_of(second)}?run=nonsense").status_code == 404


def test_a_release_without_cases(staff: Client, release: Release) -> None:
    for case in TestCase.objects.all():
        delete_test_case(case=case)
    assert "Nothing to run" in staff.get(page_of(release)).content.decode()
    refused = staff.post(f"{page_of(release)}run/", follow=True)
    assert "carries no test cases" in refused.content.decode()


def test_more_results_cost_no_more_queries(staff: Client, release: Release) -> None:
    TestRunFactory.create(release=release)
    few = queries(staff, page_of(release))
    TestCaseFactory.create_batch(3, agent=release.agent)
    more = ReleaseFactory.create(agent=release.agent, test_case_ids=None)
    TestRunFactory.create(release=more)
    # The release before is looked at as well: its results, and the run itself.
    assert queries(staff, page_of(more)) <= few + 3


def test_a_viewer_reads_and_changes_nothing(
    client_for: Callable[..., Client], staff_of: Callable[..., Any], harbour: Tenant, release: Release
) -> None:
    viewer = client_for(harbour, staff_of(harbour, role=Role.VIEWER))
    case = TestCase.objects.all()[0]
    assert "Run the tests" not in viewer.get(page_of(release)).content.decode()
    assert viewer.get(at(case)).status_code == 200
    for address in (f"{page_of(release)}run/", at(case), at(case, "restore"), at(case, "delete"), f"{LIST}add/"):
        assert viewer.post(address, form()).status_code == 403, address
    assert not TestRun.objects.exists()


def test_another_companys_are_not_there(staff: Client, agency: Tenant) -> None:
    with use_tenant(agency):
        agent = AgentFactory.create(live=False)
        case = TestCaseFactory.create(agent=agent)
        release = ReleaseFactory.create(agent=agent)
        run = TestRunFactory.create(release=release, status="queued")
    assert staff.get(page_of(release)).status_code == 404
    assert staff.post(f"{page_of(release)}run/").status_code == 404
    assert staff.get(f"{LIST}runs/{run.pk}/progress/").status_code == 404
    assert staff.post(f"{LIST}runs/{run.pk}/cancel/").status_code == 404
    assert staff.post(at(case, "restore")).status_code == 404
    assert case.name not in staff.get(LIST).content.decode()
