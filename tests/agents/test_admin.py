"""Agents, their releases, model endpoints and the Playground's page in the staff's admin."""

import json
import uuid

import pytest
from django.test import Client

from agents.domain.releases import make_release
from agents.models import Agent, ModelEndpoint, Release
from tenants.context import use_tenant
from tests.factories import AgentFactory, CollectionFactory, EndpointFactory, ReleaseFactory
from tests.query_count import queries

AGENTS = "/admin/agents/agent/"
ENDPOINTS = "/admin/agents/modelendpoint/"


def release_values(**changes):
    return {
        "prompt": "Be kind.",
        "endpoint": "",
        "model": "",
        "temperature": "0.3",
        "max_tokens": "500",
        "message": "",
        **changes,
    }


def test_strangers_are_sent_to_the_sign_in_page(in_harbour):
    agent = AgentFactory()
    for address in (AGENTS, ENDPOINTS, f"{AGENTS}{agent.pk}/playground/", f"{AGENTS}{agent.pk}/release/"):
        answer = Client(HTTP_HOST="harbour.localhost").get(address)
        assert answer["Location"].startswith("/admin/login/")


def test_lists_ask_as_often_for_three_rows_as_for_one(staff):
    AgentFactory(live__endpoint=EndpointFactory(), live__model="m")
    before = [queries(staff, address) for address in (AGENTS, ENDPOINTS)]
    for _ in range(2):
        AgentFactory(live__endpoint=EndpointFactory(), live__model="m")
    assert [queries(staff, address) for address in (AGENTS, ENDPOINTS)] == before


def test_an_agent_is_made_and_led_to_its_first_release(staff):
    values = {"name": "Marina", "slug": "marina", "welcome": "Hello", "suggested_questions": "When?\n\n Where? \n"}
    answer = staff.post(f"{AGENTS}add/", values)
    agent = Agent.objects.get(slug="marina")
    assert agent.suggested_questions == ["When?", "Where?"]
    assert answer["Location"] == f"{AGENTS}{agent.pk}/release/"


def test_an_agent_is_changed(staff):
    agent = AgentFactory(name="Marina")
    staff.post(
        f"{AGENTS}{agent.pk}/change/", {"name": "Marin", "slug": agent.slug, "welcome": "", "suggested_questions": ""}
    )
    agent.refresh_from_db()
    assert agent.name == "Marin"
    assert agent.live_release is not None


@pytest.mark.parametrize("questions", ["\n".join("abcdefghi"), "x" * 201])
def test_too_many_or_too_long_questions_are_refused_in_the_form(staff, questions):
    values = {"name": "M", "slug": "m", "welcome": "", "suggested_questions": questions}
    page = staff.post(f"{AGENTS}add/", values)
    assert page.context["errors"]
    assert not Agent.objects.exists()


def test_a_release_starts_from_the_live_one_and_goes_live(staff, in_harbour):
    one, other = CollectionFactory(), CollectionFactory()
    agent = AgentFactory(live__prompt="The old prompt.", live__collection_ids=[one.pk])
    page = staff.get(f"{AGENTS}{agent.pk}/release/")
    assert b"The old prompt." in page.content
    staff.post(f"{AGENTS}{agent.pk}/release/", release_values(collections=[other.pk], message="Better"))
    agent.refresh_from_db()
    live = agent.live_release
    assert (live.number, live.prompt, live.collection_ids, live.message) == (2, "Be kind.", [other.pk], "Better")
    assert (live.model, live.temperature, live.max_tokens) == ("local", 0.3, 500)
    assert live.created_by.username.startswith("staff")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prompt": "  "}, "prompt"),
        ({"model": "gpt-x"}, "endpoint"),
        ({"temperature": "3"}, "temperature"),
        ({"max_tokens": "0"}, "max_tokens"),
        ({"collections": [str(uuid.uuid4())]}, "collections"),
    ],
)
def test_a_release_that_doesnt_fit_says_where(staff, changes, field):
    agent = AgentFactory()
    page = staff.post(f"{AGENTS}{agent.pk}/release/", release_values(**changes))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert Release.objects.count() == 1


def test_an_endpoint_needs_the_name_of_its_model(staff):
    agent, endpoint = AgentFactory(), EndpointFactory()
    page = staff.post(f"{AGENTS}{agent.pk}/release/", release_values(endpoint=str(endpoint.pk)))
    assert "model" in page.context["form"].errors
    staff.post(f"{AGENTS}{agent.pk}/release/", release_values(endpoint=str(endpoint.pk), model="small-1"))
    agent.refresh_from_db()
    assert (agent.live_release.model, agent.live_release.endpoint_id) == ("small-1", endpoint.pk)


def test_a_past_release_is_put_live_again(staff):
    agent = AgentFactory()
    first = agent.live_release
    staff.post(f"{AGENTS}{agent.pk}/release/", release_values())
    page = staff.get(f"{AGENTS}{agent.pk}/change/").content.decode()
    assert "#2 live" in page
    staff.post(f"{AGENTS}{agent.pk}/releases/{first.pk}/live/")
    agent.refresh_from_db()
    assert agent.live_release_id == first.pk


def test_an_agent_takes_no_release_of_another(staff):
    agent, other = AgentFactory(), AgentFactory()
    address = f"{AGENTS}{agent.pk}/releases/{other.live_release_id}/live/"
    assert staff.post(address).status_code == 404
    assert staff.get(f"{AGENTS}{agent.pk}/releases/{agent.live_release_id}/live/").status_code == 405


def test_the_change_page_asks_as_often_for_many_releases_as_for_one(staff):
    agent = AgentFactory()
    one = queries(staff, f"{AGENTS}{agent.pk}/change/")
    for _ in range(3):
        make_release(agent=agent, prompt="Again.")
    assert queries(staff, f"{AGENTS}{agent.pk}/change/") == one


def test_the_playground_knows_its_agent(staff):
    agent = AgentFactory(welcome="Ahoy </script><b>", suggested_questions=["When is breakfast?"])
    page = staff.get(f"{AGENTS}{agent.pk}/playground/")
    text = page.content.decode()
    told = json.loads(text.split('id="playground" type="application/json">')[1].split("</script>")[0])
    assert told["agent"] == str(agent.pk)
    assert told["welcome"] == "Ahoy </script><b>"
    assert told["questions"] == ["When is breakfast?"]
    assert "csrfmiddlewaretoken" in text


def test_the_playground_of_an_agent_without_a_release_leads_to_one(staff):
    agent = AgentFactory(live=False)
    page = staff.get(f"{AGENTS}{agent.pk}/playground/").content.decode()
    assert f"{AGENTS}{agent.pk}/release/" in page
    assert "data-composer" not in page


def test_another_tenants_agent_is_not_found(staff, agency):
    with use_tenant(agency):
        agent = AgentFactory()
        release = ReleaseFactory(agent=agent)
    for rest in ("playground/", "release/"):
        assert staff.get(f"{AGENTS}{agent.pk}/{rest}").status_code == 404
    assert staff.post(f"{AGENTS}{agent.pk}/releases/{release.pk}/live/").status_code == 404


def test_an_endpoints_key_is_kept_and_never_shown(staff):
    values = {"name": "Ollama", "base_url": "https://models.example.com/v1/", "new_api_key": "sk-very-secret"}
    staff.post(f"{ENDPOINTS}add/", values)
    row = ModelEndpoint.objects.get()
    assert (row.base_url, row.api_key) == ("https://models.example.com/v1", "sk-very-secret")
    for address in (ENDPOINTS, f"{ENDPOINTS}{row.pk}/change/"):
        page = staff.get(address).content.decode()
        assert "sk-very-secret" not in page
        assert ">set<" in page


def test_an_empty_key_field_keeps_the_key(staff):
    row = EndpointFactory(api_key="sk-1")
    values = {"name": "New name", "base_url": row.base_url, "new_api_key": ""}
    address = f"{ENDPOINTS}{row.pk}/change/"
    staff.post(address, values)
    row = ModelEndpoint.objects.get()
    assert (row.name, row.api_key) == ("New name", "sk-1")
    staff.post(address, {**values, "new_api_key": "sk-2"})
    assert ModelEndpoint.objects.get().api_key == "sk-2"
    staff.post(address, {**values, "remove_api_key": "on"})
    assert ModelEndpoint.objects.get().api_key == ""
    assert ">not set<" in staff.get(ENDPOINTS).content.decode()


@pytest.mark.parametrize("url", ["ftp://x/v1", "models.example.com", "https://user:pass@x/v1", "https://"])
def test_an_address_that_cant_be_is_refused_in_the_form(staff, url):
    page = staff.post(f"{ENDPOINTS}add/", {"name": "X", "base_url": url, "new_api_key": ""})
    assert "base_url" in page.context["adminform"].form.errors
    assert not ModelEndpoint.objects.exists()


def test_a_stored_key_is_not_led_to_another_server(staff):
    row = EndpointFactory(api_key="sk-1", base_url="https://models.example.com/v1")
    values = {"name": row.name, "base_url": "https://thief.example/v1", "new_api_key": ""}

    page = staff.post(f"{ENDPOINTS}{row.pk}/change/", values, follow=True)

    assert "was given for another server" in page.content.decode()
    assert ModelEndpoint.objects.get().base_url == "https://models.example.com/v1"


def test_an_endpoint_in_use_stays(staff):
    endpoint = EndpointFactory()
    AgentFactory(live__endpoint=endpoint, live__model="m")
    page = staff.post(f"{ENDPOINTS}{endpoint.pk}/delete/", {"post": "yes"}, follow=True)
    assert "A release answers through" in page.content.decode()
    assert ModelEndpoint.objects.exists()


def test_releases_and_agents_cant_be_deleted(staff):
    agent = AgentFactory()
    assert staff.post(f"{AGENTS}{agent.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Agent.objects.exists()
