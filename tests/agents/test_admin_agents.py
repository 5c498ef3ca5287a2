"""Agents and releases in the admin: made, composed, compared, tried, put live, rolled back."""

import json
import uuid

import pytest
from django.utils.html import strip_tags

from agents.domain.components import publish, save_draft
from agents.domain.releases import start_canary
from agents.models import Agent, Release
from tenants.context import use_tenant
from tests.factories import (
    AgentFactory,
    CollectionFactory,
    ConversationFactory,
    EndpointFactory,
    FlagFactory,
    PersonalityFactory,
    PromptFactory,
    ReleaseFactory,
    ToolFactory,
    TurnFactory,
)
from tests.query_count import queries

AGENTS = "/admin/agents/agent/"
DEEDS = ("go-live", "canary", "roll-back")


def at(agent, page="change"):
    return f"{AGENTS}{agent.pk}/{page}/"


def of(release, deed=""):
    return f"{AGENTS}{release.agent_id}/releases/{release.pk}/{deed + '/' if deed else ''}"


def states(client, agent):
    """The badges of an agent's releases, by number."""
    shown = client.get(at(agent)).context["releases"]
    return {one["row"].number: [word for word, _ in one["states"]] for one in shown}


# --- a new agent -----------------------------------------------------------------------------------------------------


def test_five_answers_make_an_agent_that_is_live_and_lead_to_its_playground(staff):
    collection = CollectionFactory()
    values = {"name": "Marina Übersee", "prompt": "Be kind.", "collections": [collection.pk], "welcome": "Ahoy"}
    answer = staff.post(f"{AGENTS}add/", values)
    agent = Agent.objects.get()
    assert answer["Location"] == at(agent, "playground")
    assert (agent.slug, agent.live_release.collection_ids) == ("marina-ubersee", [collection.pk])
    playground = staff.get(at(agent, "playground")).content.decode()
    assert "Ahoy" in playground


def test_a_model_of_an_endpoint_is_named(staff):
    EndpointFactory(name="Ollama")
    values = {"name": "Marina", "prompt": "Be kind.", "model": "Ollama", "model_name": ""}
    page = staff.post(f"{AGENTS}add/", values)
    assert page.status_code == 422
    assert not Agent.objects.exists()
    staff.post(f"{AGENTS}add/", {**values, "model_name": "small-1"})
    assert Agent.objects.get().live_release.snapshot["runtime_config"]["content"]["llm"]["model"] == "small-1"


def test_a_name_that_is_taken_is_told_in_the_form(staff):
    AgentFactory(slug="marina")
    page = staff.post(f"{AGENTS}add/", {"name": "Marina", "prompt": "Be kind."})
    assert page.status_code == 422
    assert "already" in page.content.decode()


# --- its page --------------------------------------------------------------------------------------------------------


def test_the_page_tells_what_serves(staff):
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    preview = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=30)
    assert states(staff, agent) == {1: ["live"], 2: ["canary 30 %"], 3: ["preview"]}
    text = staff.get(at(agent)).content.decode()
    assert "30 percent of contacts on the canary" in text
    assert of(preview) in text


def test_an_agent_is_paused_and_resumed(staff):
    agent = AgentFactory()
    staff.post(at(agent, "configure"), {"status": "paused"})
    assert states(staff, agent) == {1: ["paused"]}
    staff.post(at(agent, "configure"), {"status": "active"})
    staff.post(at(agent, "configure"), {"require_tests": "yes"})
    agent.refresh_from_db()
    assert (agent.status, agent.require_tests) == ("active", True)
    staff.post(at(agent, "configure"), {"status": "nonsense"})
    agent.refresh_from_db()
    assert agent.status == "active"


def test_the_pages_ask_as_often_for_many_releases_as_for_one(staff):
    agent = AgentFactory()
    ReleaseFactory(agent=agent)
    places = [at(agent), of(agent.live_release), at(agent, "releases/new")]
    before = [queries(staff, place) for place in places]
    for _ in range(3):
        ReleaseFactory(agent=agent)
    assert [queries(staff, place) for place in places] == before


# --- a new release ---------------------------------------------------------------------------------------------------


def selected(page):
    return {select["name"]: select["chosen"] for select in page.context["selects"]}


def test_a_release_is_begun_from_the_live_one_with_the_latest_versions(staff):
    collection = CollectionFactory()
    agent = AgentFactory(live__collection_ids=[collection.pk])
    prompt = agent.live_release.prompt.component
    save_draft(component=prompt, content={"template": "Newer."})
    newer = publish(component=prompt).version
    page = staff.get(at(agent, "releases/new"))
    assert selected(page)["prompt"] == str(newer.pk)
    assert [(one["row"], one["is_chosen"]) for one in page.context["collections"]] == [(collection, True)]


def test_a_release_is_put_together_from_parts(staff):
    agent = AgentFactory(live=False)
    prompt = PromptFactory(content={"template": "Open {{ hours }}.", "variables": [{"name": "hours"}]}).versions.get()
    personality, tool = PersonalityFactory().versions.get(), ToolFactory().versions.get()
    collection = CollectionFactory()
    form = {
        "prompt": prompt.pk,
        "personality": personality.pk,
        "runtime_config": "",
        "tools": [tool.pk],
        "collections": [collection.pk],
        "variable.hours": "7 to 11",
        "message": "The first",
    }
    answer = staff.post(at(agent, "releases/new"), form)
    release = Release.objects.get()
    assert answer["Location"] == of(release)
    assert (release.prompt_id, release.personality_id, release.tool_version_ids) == (
        prompt.pk,
        personality.pk,
        [tool.pk],
    )
    assert (release.variables, release.message) == ({"hours": "7 to 11"}, "The first")
    agent.refresh_from_db()
    assert agent.live_release_id is None


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": ""},
        {"prompt": "nonsense"},
        {"prompt": str(uuid.uuid4())},
        {"tools": [str(uuid.uuid4())]},
        {"collections": [str(uuid.uuid4())]},
        {"variable.nobody": "x"},
        {"message": "x" * 301},
    ],
)
def test_a_release_that_doesnt_fit_is_refused_and_nothing_typed_is_lost(staff, change):
    agent = AgentFactory()
    form = {"prompt": agent.live_release.prompt_id, "personality": "", "message": "Why not", **change}
    page = staff.post(at(agent, "releases/new"), form)
    assert page.status_code in {400, 422}
    assert page.context["faults"]
    assert page.context["message"] == form["message"]
    assert Release.objects.count() == 1


def test_an_unfilled_variable_is_told(staff):
    agent = AgentFactory()
    prompt = PromptFactory(content={"template": "{{ hours }}", "variables": [{"name": "hours"}]}).versions.get()
    page = staff.post(at(agent, "releases/new"), {"prompt": prompt.pk, "personality": ""})
    assert "needs a value for hours" in page.content.decode()
    assert selected(page)["prompt"] == str(prompt.pk)


def test_parts_are_found_by_name_where_a_select_cant_hold_them_all(staff):
    agent = AgentFactory()
    content = {"template": "{{ hours }}", "variables": [{"name": "hours"}]}
    found = PromptFactory(name="Night desk", content=content)
    PromptFactory(name="Night draft", published=False)
    answer = staff.get(f"{at(agent, 'releases/new/parts/prompt')}?q=night").json()
    assert [(part["id"], part["label"]) for part in answer["parts"]] == [
        (str(found.versions.get().pk), "Night desk · v1")
    ]
    assert answer["parts"][0]["variables"][0]["name"] == "hours"
    assert staff.get(at(agent, "releases/new/parts/tool")).status_code == 404


def test_a_supervisor_is_offered_the_live_releases_of_others(staff):
    other = AgentFactory(name="Spa")
    agent = AgentFactory(live=False, content={"kind": "supervisor", "description": "Routes."})
    page = staff.get(at(agent, "releases/new"))
    assert [one["release"] for one in page.context["sub_agents"]] == [other.live_release]
    prompt = PromptFactory().versions.get()
    staff.post(
        at(agent, "releases/new"), {"prompt": prompt.pk, "personality": "", "sub_releases": [other.live_release_id]}
    )
    assert agent.releases.get().sub_release_ids == [other.live_release_id]


# --- a release -------------------------------------------------------------------------------------------------------


def test_a_release_names_its_parts_and_what_differs_from_the_live_one(staff):
    agent = AgentFactory(live__prompt="Breakfast is served from seven until eleven in the garden.")
    release = ReleaseFactory(agent=agent, prompt="Breakfast is served from eight until eleven in the garden.")
    text = staff.get(of(release)).content.decode()
    assert "<del>seven</del>" in text
    assert "<ins>eight</ins>" in text
    assert f"/admin/agents/prompt/{release.prompt.component_id}/versions/?to=1" in text
    assert f"{at(agent, 'playground')}?release={release.pk}" in text


def test_a_preview_goes_live_with_a_message(staff):
    agent = AgentFactory()
    release = ReleaseFactory(agent=agent)
    before = agent.live_release_id
    assert "Go live" in staff.get(of(release, "go-live")).content.decode()
    staff.post(of(release, "go-live"), {"message": "Better", "moves": "on"})
    agent.refresh_from_db()
    assert agent.live_release_id == release.pk
    assert agent.withdrawn_release_ids == [before]
    assert states(staff, agent) == {1: ["withdrawn"], 2: ["live"]}


def test_running_conversations_stay_unless_they_are_moved(staff):
    agent = AgentFactory()
    staff.post(of(ReleaseFactory(agent=agent), "go-live"), {"message": ""})
    agent.refresh_from_db()
    assert agent.withdrawn_release_ids == []
    assert states(staff, agent)[1] == ["was live"]


def test_one_sees_both_releases_serve(staff):
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=50)
    for release, status in ((agent.live_release_id, "done"), (canary.pk, "done"), (canary.pk, "failed")):
        TurnFactory(conversation=ConversationFactory(agent=agent), release_id=release, status=status)
    text = strip_tags(staff.get(at(agent)).content.decode())
    assert "1 answer in 1 conversation within a day" in text
    assert "2 answers in 2 conversations, 1 failed within a day" in text


def test_a_canary_is_started_changed_and_ended(staff):
    agent = AgentFactory()
    release = ReleaseFactory(agent=agent)
    FlagFactory(key="new_voice")
    staff.post(of(release, "canary"), {"percent": "50", "flag": "", "message": "Try"})
    staff.post(of(release, "canary"), {"percent": "60", "flag": "new_voice"})
    agent.refresh_from_db()
    assert (agent.canary_release_id, agent.canary_percent, agent.canary_flag) == (release.pk, 60, "new_voice")
    assert "Change the canary" in staff.get(of(release)).content.decode()
    staff.post(at(agent, "end-canary"), {"moves": "on"})
    agent.refresh_from_db()
    assert agent.canary_release_id is None
    assert staff.post(at(agent, "end-canary"), follow=True).status_code == 200


@pytest.mark.parametrize("percent", ["", "0", "101", "-1", "ten", "9" * 30])
def test_a_canary_of_nobody_or_of_nonsense_is_refused(staff, percent):
    agent = AgentFactory()
    page = staff.post(of(ReleaseFactory(agent=agent), "canary"), {"percent": percent, "message": "Why"})
    assert page.status_code == 422
    assert 'value="Why"' in page.content.decode()
    agent.refresh_from_db()
    assert agent.canary_release_id is None


def test_a_past_release_is_rolled_back_to(staff):
    agent = AgentFactory()
    first = agent.live_release
    staff.post(of(ReleaseFactory(agent=agent), "go-live"))
    assert "Roll back to this" in staff.get(of(first)).content.decode()
    staff.post(of(first, "roll-back"), {"message": "It lied", "moves": "on"})
    agent.refresh_from_db()
    live = agent.live_release
    assert (live.number, live.copy_of_id, live.message) == (3, first.pk, "It lied")
    assert states(staff, agent)[3] == ["live", "rollback to #1"]


def test_an_agent_that_requires_green_tests_says_so_on_the_page(staff):
    agent = AgentFactory()
    staff.post(at(agent, "configure"), {"require_tests": "yes"})
    page = staff.post(of(ReleaseFactory(agent=agent), "go-live"), {"message": "Now"})
    assert page.status_code == 409
    assert "green tests" in page.content.decode()


# --- who may ---------------------------------------------------------------------------------------------------------


def test_whoever_may_not_publish_gets_no_button_and_changes_nothing(in_harbour, client_for, staff_of):
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    agent = AgentFactory()
    release = ReleaseFactory(agent=agent)
    page = viewer.get(of(release)).content.decode()
    for words in ("Go live", "Canary", "Begin another"):
        assert words not in page
    overview = viewer.get(at(agent)).content.decode()
    for words in ("New release", "Pause", "Delete this agent"):
        assert words not in overview
    for deed in DEEDS:
        assert viewer.post(of(release, deed), {"percent": "50"}).status_code == 403
    for page in ("configure", "end-canary", "releases/new", "profile", "publish"):
        assert viewer.post(at(agent, page)).status_code == 403
    agent.refresh_from_db()
    assert agent.live_release_id != release.pk


def test_a_builder_of_one_agent_puts_that_one_live_and_no_other(in_harbour, client_for, staff_of):
    from tenants.staff.models import ObjectGrant

    member = staff_of(in_harbour, role="viewer")
    mine, other = ReleaseFactory(agent=AgentFactory()), ReleaseFactory(agent=AgentFactory())
    ObjectGrant.objects.create(member=member, object_type="agents.agent", object_id=mine.agent_id, role="builder")
    client = client_for(in_harbour, member)
    assert "Go live" in client.get(of(mine)).content.decode()
    assert client.post(of(mine, "go-live")).status_code == 302
    assert client.post(of(other, "go-live")).status_code == 403


def test_another_tenants_agent_and_another_agents_release_are_not_found(staff, agency):
    with use_tenant(agency):
        foreign = ReleaseFactory(agent=AgentFactory())
    mine, other = AgentFactory(), AgentFactory()
    crossed = f"{AGENTS}{mine.pk}/releases/{other.live_release_id}/"
    for place in (of(foreign), crossed):
        assert staff.get(place).status_code == 404
        for deed in DEEDS:
            assert staff.post(f"{place}{deed}/").status_code == 404
    for page in ("releases/new", "playground", "profile", "end-canary"):
        assert staff.get(at(foreign.agent, page)).status_code == 404


# --- the Playground --------------------------------------------------------------------------------------------------


def told(client, place):
    text = client.get(place).content.decode()
    return json.loads(text.split('id="playground" type="application/json">')[1].split("</script>")[0])


def test_the_playground_knows_its_agent_and_a_chosen_release(staff):
    agent = AgentFactory(live__welcome="Ahoy </script><b>", content={"suggested_questions": ["When is breakfast?"]})
    release = ReleaseFactory(agent=agent, welcome="A preview says hello.")
    plain = told(staff, at(agent, "playground"))
    assert (plain["agent"], plain["release"], plain["welcome"]) == (str(agent.pk), None, "Ahoy </script><b>")
    assert plain["questions"] == ["When is breakfast?"]
    chosen = told(staff, f"{at(agent, 'playground')}?release={release.pk}")
    assert (chosen["release"], chosen["welcome"]) == (str(release.pk), "A preview says hello.")
    assert chosen["releases"] == {str(agent.live_release_id): 1, str(release.pk): 2}
    for nonsense in ("x", uuid.uuid4(), AgentFactory().live_release_id):
        assert told(staff, f"{at(agent, 'playground')}?release={nonsense}")["release"] is None


def test_an_agent_without_a_release_has_a_preview_to_try(staff):
    agent = AgentFactory(live=False)
    page = staff.get(at(agent, "playground")).content.decode()
    assert "data-composer" not in page
    release = ReleaseFactory(agent=agent)
    assert "data-composer" in staff.get(f"{at(agent, 'playground')}?release={release.pk}").content.decode()


# --- the home page ---------------------------------------------------------------------------------------------------
