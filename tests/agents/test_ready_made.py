"""Ready templates: each makes a team of agents in an empty tenant, live, whose tools and routes hold together."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import call_command

from agents.configuration.document import read_document
from agents.configuration.reading import read_text
from agents.domain.ready_made import apply_template
from agents.engine.routing import Candidate, route
from agents.engine.slots import fill
from agents.models import Agent
from agents.ready_made import templates
from agents.releases import ResolvedRelease, resolve
from agents.tools.registry import python_tool
from knowledge.models import Collection
from switchboard.kernel.problems import Conflict
from tenants.context import Scope, use_tenant
from tests.agents.configuration.documents import exported
from tests.factories import CollectionFactory

TEMPLATES = sorted(templates())
AGENTS = "/admin/agents/agent/"


def applied(slug: str) -> ResolvedRelease:
    agent = apply_template(template=templates()[slug])
    return resolve(agent.live_release_id)


def candidates(release: ResolvedRelease) -> list[Candidate]:
    return [Candidate(sub.slug, sub.name, sub.profile.description, sub.profile.examples) for sub in release.sub_agents]


def test_every_file_is_offered() -> None:
    folder = templates()["receptionist"].path.parent
    assert {path.stem for path in folder.glob("*.yaml")} == set(templates())


@pytest.mark.parametrize("slug", TEMPLATES)
def test_a_template_goes_live_in_an_empty_tenant(in_harbour: Any, slug: str) -> None:
    release = applied(slug)
    assert release.profile.kind == "supervisor"
    wanted = {f"{slug}-{own}" for own in ("booking", "faq", "pricing", "leads", "escalation")}
    assert {sub.slug for sub in release.sub_agents} == wanted
    for agent in Agent.objects.all():
        assert agent.live_release is not None
    subs = {sub.slug: resolve(sub.release_id) for sub in release.sub_agents}
    documents = Collection.objects.get().pk
    assert subs[f"{slug}-faq"].collection_ids == subs[f"{slug}-pricing"].collection_ids == (documents,)
    assert [tool.content.handler for tool in subs[f"{slug}-booking"].tools] == [
        "reservation.check",
        "reservation.create",
        "reservation.cancel",
    ]


@pytest.mark.parametrize("slug", TEMPLATES)
def test_its_tools_are_those_that_are_registered(in_harbour: Any, slug: str) -> None:
    handlers = set()
    for tool in (tool for sub in applied(slug).sub_agents for tool in resolve(sub.release_id).tools):
        registered = python_tool(tool.content.handler)
        assert registered is not None
        handlers.add(registered.name)
        own, theirs = tool.content.input_schema, registered.input_schema
        assert tool.content.writes is registered.writes
        assert set(own["properties"]) <= set(theirs["properties"])
        assert set(theirs["required"]) <= set(own["required"])
    assert handlers == {
        "lead.capture",
        "reservation.check",
        "reservation.create",
        "reservation.cancel",
        "handoff.request",
    }


@pytest.mark.parametrize("slug", TEMPLATES)
def test_twice_is_a_conflict_and_changes_nothing(in_harbour: Any, slug: str) -> None:
    applied(slug)
    before = exported()
    with pytest.raises(Conflict) as problem:
        apply_template(template=templates()[slug])
    assert problem.value.code == "template_applied"
    assert exported() == before


def test_it_may_answer_from_what_there_is(in_harbour: Any) -> None:
    menus = CollectionFactory(slug="menus")
    agent = apply_template(template=templates()["receptionist"], collections=[menus])
    subs = {sub.slug: resolve(sub.release_id) for sub in resolve(agent.live_release_id).sub_agents}
    assert subs["receptionist-faq"].collection_ids == subs["receptionist-pricing"].collection_ids == (menus.pk,)
    assert subs["receptionist-booking"].collection_ids == ()
    assert list(Collection.objects.all()) == [menus]


def test_both_fit_into_one_tenant_and_into_no_other(in_harbour: Any, agency: Any) -> None:
    for slug in TEMPLATES:
        applied(slug)
    assert Agent.objects.count() == 12
    with use_tenant(agency):
        assert not Agent.objects.exists()


@pytest.mark.parametrize("slug", TEMPLATES)
def test_the_command_applies_the_same_file(in_harbour: Any, slug: str) -> None:
    out = io.StringIO()
    call_command("config", "apply", "--tenant", "harbour", "--file", str(templates()[slug].path), stdout=out)
    assert Agent.objects.get(slug=slug).live_release is not None
    call_command("config", "apply", "--tenant", "harbour", "--file", str(templates()[slug].path), stdout=out)
    assert "Nothing to change." in out.getvalue()


@pytest.mark.parametrize(
    ("slug", "question", "agents"),
    [
        ("receptionist", "Is the spa open on Sunday, and book me a table for two at eight", ["faq", "booking"]),
        ("receptionist", "Could we have dinner with you on Friday?", ["booking"]),
        ("receptionist", "How much is a room with a balcony?", ["pricing"]),
        ("receptionist", "We would like to hold our company party at your place, can you make an offer?", ["leads"]),
        ("receptionist", "Please let me talk to somebody real", ["escalation"]),
        ("receptionist", "Ich möchte einen Tisch für vier reservieren", ["booking"]),
        ("real-estate", "Could I look at the apartment on Tuesday?", ["booking"]),
        ("real-estate", "I'm thinking of selling my flat", ["leads"]),
        ("real-estate", "How much is the rent for the flat?", ["pricing"]),
    ],
)
async def test_messages_find_their_agents_without_a_model(
    embedder: str, slug: str, question: str, agents: list[str]
) -> None:
    document = read_document(read_text(templates()[slug].read())).document
    team = [
        Candidate(name, entry.name or name, entry.content.description, entry.content.examples)
        for name, entry in document.agents.items()
        if entry.content is not None and entry.content.kind == "domain"
    ]
    with use_tenant(Scope("t_templates")):
        found = await route(question=question, history=(), candidates=team, chain=())
    assert [part.slug for part in found.parts] == [f"{slug}-{agent}" for agent in agents]


def test_a_table_at_eight_is_in_the_evening_and_a_viewing_at_eight_in_the_morning(in_harbour: Any) -> None:
    for slug, clock in (("receptionist", "20:00"), ("real-estate", "08:00")):
        team = {sub.slug: resolve(sub.release_id) for sub in applied(slug).sub_agents}
        create = next(tool for tool in team[f"{slug}-booking"].tools if tool.content.handler == "reservation.create")
        filled = fill(
            create.content.input_schema,
            "for two at eight",
            known={},
            asked=None,
            today=dt.date(2026, 11, 21),
            tz=dt.UTC,
        )
        assert filled.values == {"party_size": 2, "time": clock}
        assert filled.missing == ("date", "name")


def test_a_template_is_offered_and_made_in_the_admin(staff: Any) -> None:
    page = staff.get(f"{AGENTS}add/").content.decode()
    assert "Make “Receptionist”" in page
    menus = CollectionFactory(slug="menus", name="The menus")
    assert "The menus" in staff.get(f"{AGENTS}add/").content.decode()
    answer = staff.post(f"{AGENTS}from-template/", {"template": "receptionist", "read": ["menus"]})
    agent = Agent.objects.get(slug="receptionist")
    assert Agent.objects.get(slug="receptionist-faq").live_release.collection_ids == [menus.pk]
    assert answer["Location"] == f"{AGENTS}{agent.pk}/change/"
    assert agent.live_release is not None
    again = staff.post(f"{AGENTS}from-template/", {"template": "receptionist"}, follow=True)
    assert "There is an agent receptionist" in again.content.decode()
    assert staff.post(f"{AGENTS}from-template/", {"template": "../secret"}).status_code == 404
