"""Test cases as they are written: checked at the edge, changed as seen, deleted and restored."""

from __future__ import annotations

from typing import Any

import pytest

from agents.domain.test_cases import create_test_case, delete_test_case, restore_test_case, update_test_case
from agents.models import TestCase
from switchboard.kernel.problems import Problem
from tenants.models import Tenant
from tests.factories import AgentFactory, TestCaseFactory, UserFactory

SAYS = {"kind": "contains", "text": "7"}


def refused(**fields: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        TestCaseFactory.create(**fields)
    return caught.value


def test_a_case_is_kept_with_every_field_spelt_out(in_harbour: Tenant) -> None:
    case = TestCaseFactory.create(
        name=" Breakfast ", tags=["food", "food", " "], turns=[{"say": " When? ", "expect": [{**SAYS}]}]
    )

    assert (case.name, case.tags, case.revision) == ("Breakfast", ["food"], 1)
    assert case.turns == [{"say": "When?", "expect": [{"kind": "contains", "text": "7"}]}]
    case.refresh_from_db()
    assert case.enabled
    assert not case.judge_optional


@pytest.mark.parametrize(
    ("turns", "field"),
    [
        ("none", "turns"),
        ([], "turns"),
        ([{"say": "Hello"}], "turns"),
        ([{"say": "", "expect": [SAYS]}], "turns.0.say"),
        ([{"say": "Hello", "expect": [{"kind": "sings"}]}], "turns.0.expect.0"),
        ([{"say": "Hello", "expect": [{"kind": "contains"}]}], "turns.0.expect.0.text"),
        ([{"say": "Hello", "expect": [{**SAYS, "txet": "7"}]}], "turns.0.expect.0.txet"),
        ([{"say": "Hello", "expect": [{"kind": "matches", "pattern": "(("}]}], "turns.0.expect.0.pattern"),
        ([{"say": "Hello", "expect": [{"kind": "cites", "document": "a", "page": 0}]}], "turns.0.expect.0.page"),
        ([{"say": "Hello\x00", "expect": [SAYS]}], "turns"),
        ([{"say": "Hello", "expect": [SAYS]}] * 21, "turns"),
        ([{"say": "Hello", "expect": [{"kind": "calls_tool", "tool": "t", "arguments": float("nan")}]}], "turns"),
        ([["no", "turn"]], "turns.0"),
    ],
)
def test_what_is_no_case_is_refused_at_its_field(in_harbour: Tenant, turns: Any, field: str) -> None:
    problem = refused(turns=turns)

    assert (problem.status, problem.code) == (422, "test_case_invalid")
    assert [error["field"] for error in problem.errors] == [field]
    assert not TestCase.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": " "}, "blank_text"),
        ({"name": "n" * 121}, "invalid_name"),
        ({"tags": ["t" * 41]}, "invalid_tags"),
        ({"turns": [{"say": "x", "expect": [{"kind": "contains", "text": "y"}] * 3}] * 99_000}, "too_large"),
    ],
)
def test_other_fields_are_checked_too(in_harbour: Tenant, fields: dict[str, Any], code: str) -> None:
    assert refused(**fields).code == code


def test_a_name_is_an_agents_own_until_its_case_is_deleted(in_harbour: Tenant) -> None:
    first = TestCaseFactory.create(name="Breakfast")
    TestCaseFactory.create(name="Breakfast")
    assert refused(name="Breakfast", agent=first.agent).code == "test_case_exists"

    delete_test_case(case=first)
    TestCaseFactory.create(name="Breakfast", agent=first.agent)

    with pytest.raises(Problem) as caught:
        restore_test_case(case=first)
    assert caught.value.code == "test_case_exists"


def test_a_deleted_case_comes_back_as_it_was(in_harbour: Tenant) -> None:
    case = TestCaseFactory.create(tags=["food"])
    delete_test_case(case=case)
    with pytest.raises(Problem) as caught:
        update_test_case(case=case, name="Other")
    assert caught.value.code == "deleted"

    again = restore_test_case(case=case)

    assert (again.deleted_at, again.tags) == (None, ["food"])


def test_the_second_of_two_editors_is_told(in_harbour: Tenant) -> None:
    case = TestCaseFactory.create()
    ann = UserFactory.create(username="ann")
    update_test_case(case=case, name="Ann's", seen_revision=1, by=ann)

    with pytest.raises(Problem) as caught:
        update_test_case(case=case, name="Bob's", seen_revision=1)

    assert (caught.value.status, caught.value.code) == (412, "stale")
    assert "ann" in caught.value.detail
    assert TestCase.objects.get().name == "Ann's"


def test_saving_what_is_there_is_no_change(in_harbour: Tenant) -> None:
    case = TestCaseFactory.create()
    same = update_test_case(case=case, name=case.name, turns=case.turns, tags=[], enabled=True)
    assert same.revision == 1
    assert update_test_case(case=case, judge_optional=True).revision == 2


def test_a_deleted_agent_gets_no_cases(in_harbour: Tenant) -> None:
    from agents.domain.components import delete_component

    agent = AgentFactory.create(live=False)
    delete_component(component=agent)
    agent.refresh_from_db()

    with pytest.raises(Problem) as caught:
        create_test_case(agent=agent, name="x", turns=[{"say": "x", "expect": [SAYS]}])
    assert caught.value.code == "deleted"
