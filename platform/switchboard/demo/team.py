"""A demo company's team from a ready template, beside the agent of its own."""

from __future__ import annotations

from collections.abc import Sequence

from agents.domain.ready_made import apply_template
from agents.models import Agent
from agents.ready_made import templates
from knowledge.models import Collection
from switchboard.demo.companies import DemoCompany


def make_team(*, company: DemoCompany, collections: Sequence[Collection]) -> Agent | None:
    """The agent that the team's people talk to, made now if it isn't there; None for a company without a team.

    Args:
        collections: what the team answers from.
    """
    if not company.team:
        return None
    known = Agent.objects.filter(slug=company.team).first()
    return known or apply_template(template=templates()[company.team], collections=collections)
