"""The demo agents pass their test cases on the built-in model."""

from __future__ import annotations

import pytest

from agents.domain.test_runs import execute, start_test_run
from agents.models import TestResult
from knowledge.models import Collection
from switchboard.demo.companies import DemoCompany, load_companies
from switchboard.demo.seed import _agent
from tenants.context import use_tenant
from tests import database


@pytest.mark.parametrize("company", load_companies(), ids=lambda company: str(company.slug))
def test_a_demo_agent_passes_its_tests(companies: None, company: DemoCompany) -> None:
    with use_tenant(database.tenant(company.slug)):
        agent = _agent(company, list(Collection.objects.all()))
        agent.refresh_from_db()
        assert agent.live_release is not None
        assert len(agent.live_release.test_case_ids) == 3

        run = start_test_run(release=agent.live_release)
        execute(run_id=run.pk)

        found = {
            str(result): [
                (turn["answer"], judged["expected"], judged["why"])
                for turn in result.turns
                for judged in turn["outcomes"]
                if judged["verdict"] != "passed"
            ]
            for result in run.results.exclude(status=TestResult.Status.PASSED)
        }
        assert found == {}
        run.refresh_from_db()
        assert run.status == "passed"
