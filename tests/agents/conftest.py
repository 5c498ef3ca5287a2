from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

# Django's apps are imported inside the fixtures: this file is read before the servers that the settings name are up.
if TYPE_CHECKING:
    from agents.models import Release
    from tenants.models import Tenant
    from tests.model_server.process import ModelServer


@pytest.fixture
def scene(live_tenants: None, in_harbour: Tenant, model_server: ModelServer, settings: Any) -> Callable[..., Release]:
    """`scene([turn(…), …], …, judge="say")`: a release on the stub model with a case for each list of turns."""
    from agents.content.runtime import ModelChoice
    from agents.engine import models
    from tests.factories import AgentFactory, EndpointFactory, ReleaseFactory, TestCaseFactory

    settings.EGRESS_ALLOW = [model_server.host_and_port]
    models.egress_policy.cache_clear()

    def make(*cases: list[dict[str, Any]], judge: str | None = None, **case: Any) -> Release:
        endpoint = EndpointFactory.create(base_url=model_server.url)
        agent = AgentFactory.create(live=False)
        for number, turns in enumerate(cases):
            TestCaseFactory.create(agent=agent, name=f"Case {number}", turns=turns, **case)
        judged_by = judge and ModelChoice(endpoint=endpoint.name, model=judge).model_dump(mode="json")
        release: Release = ReleaseFactory.create(agent=agent, endpoint=endpoint, model="say", judge=judged_by)
        return release

    return make
