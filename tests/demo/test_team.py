"""A demo company's team from a ready template."""

from __future__ import annotations

from typing import Any

from agents.models import Agent
from agents.releases import resolve
from switchboard.demo.companies import load_companies
from switchboard.demo.team import make_team
from tests.factories import CollectionFactory


def test_a_company_with_a_team_gets_it_once_and_it_reads_the_companys_documents(in_harbour: Any) -> None:
    hotel = load_companies()[0].model_copy(update={"team": "receptionist"})
    menus = CollectionFactory(slug="eating")
    team = make_team(company=hotel, collections=[menus])
    assert team is not None
    assert make_team(company=hotel, collections=[menus]) == team
    assert Agent.objects.count() == 6
    subs = {sub.slug: resolve(sub.release_id) for sub in resolve(team.live_release_id).sub_agents}
    assert subs["receptionist-faq"].collection_ids == (menus.pk,)


def test_a_company_without_one_gets_none(in_harbour: Any) -> None:
    assert make_team(company=load_companies()[0].model_copy(update={"team": ""}), collections=[]) is None
    assert not Agent.objects.exists()
