"""Agents, releases and endpoints over REST."""

import uuid

import pytest

from agents.models import Agent, ModelEndpoint, Release
from tenants.context import use_tenant
from tests.factories import AgentFactory, CollectionFactory, EndpointFactory, ReleaseFactory
from tests.isolation import assert_hidden, assert_not_listed, assert_problem

AGENTS, RELEASES, ENDPOINTS = "/api/v1/agents", "/api/v1/releases", "/api/v1/endpoints"


@pytest.fixture
def agent(in_harbour):
    return AgentFactory()


def releases_of(agent):
    return f"{AGENTS}/{agent.id}/releases"


# --- agents -----------------------------------------------------------------------------------------------------------


def test_an_agent_is_made_and_changed(caller, in_harbour):
    made = caller.post(
        AGENTS, {"name": "Concierge", "slug": "concierge", "suggested_questions": ["When is breakfast?"]}
    )
    assert made.status_code == 201
    assert made.json()["live_release"] is None
    address = made["Location"]
    assert caller.get(address)["ETag"] == made["ETag"]
    changed = caller.patch(address, {"welcome": "Ahoy."}, headers={"If-Match": made["ETag"]})
    assert changed.json() == {**made.json(), "welcome": "Ahoy."}
    assert_problem(caller.patch(address, {"welcome": "Hi."}, headers={"If-Match": made["ETag"]}), 412, "stale")
    assert caller.get(AGENTS).json()["results"] == [changed.json()]


def test_putting_a_release_live_is_a_change_too(caller, agent):
    address = f"{AGENTS}/{agent.id}"
    seen = caller.get(address)["ETag"]
    caller.post(releases_of(agent), {"prompt": "Be brief.", "go_live": True})
    assert_problem(caller.patch(address, {"name": "x"}, headers={"If-Match": seen}), 412, "stale")


def test_a_slug_is_taken_once(caller, agent):
    assert_problem(caller.post(AGENTS, {"name": "Again", "slug": agent.slug}), 409, "agent_exists")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", None),
        ("name", ["a"]),
        ("slug", "not a slug"),
        ("slug", "é"),
        ("welcome", "x" * 4001),
        ("suggested_questions", ["x"] * 9),
        ("suggested_questions", ["x" * 201]),
        ("suggested_questions", "x"),
        ("suggested_questions", [None]),
        ("suggested_questions", {"a": 1}),
    ],
)
def test_a_field_that_cannot_be_is_named(caller, agent, field, value):
    body = {"name": "Concierge", "slug": "concierge-2", field: value}
    for response in (caller.post(AGENTS, body), caller.patch(f"{AGENTS}/{agent.id}", {field: value})):
        problem = assert_problem(response, 422, "invalid")
        assert problem["errors"][0]["field"].startswith(field)


# --- releases ---------------------------------------------------------------------------------------------------------


def test_releases_are_numbered_and_put_live(caller, agent, in_harbour):
    collection = CollectionFactory()
    first = agent.live_release
    made = caller.post(releases_of(agent), {"prompt": "Be brief.", "collection_ids": [str(collection.id)] * 2})
    assert made.status_code == 201
    release = made.json()
    assert (release["number"], release["model"], release["endpoint"]) == (first.number + 1, "local", None)
    assert release["collection_ids"] == [str(collection.id)]
    assert caller.get(made["Location"]).json() == release
    assert caller.get(f"{AGENTS}/{agent.id}").json()["live_release"] == str(first.id)
    live = caller.post(f"{RELEASES}/{release['id']}/go-live")
    assert live.status_code == 200
    assert live.json()["live_release"] == release["id"]
    assert [row["number"] for row in caller.get(releases_of(agent)).json()["results"]] == [2, 1]


def test_a_rollback_is_an_older_release_put_live(caller, agent):
    older = str(agent.live_release_id)
    newer = caller.post(releases_of(agent), {"prompt": "Be brief.", "go_live": True}).json()["id"]
    assert caller.get(f"{AGENTS}/{agent.id}").json()["live_release"] == newer
    assert caller.post(f"{RELEASES}/{older}/go-live").json()["live_release"] == older


def test_a_release_knows_who_made_it(client_for, harbour, staff_of, agent):
    person = staff_of(harbour)
    made = client_for(harbour, person).post(releases_of(agent), {"prompt": "Be kind."}, content_type="application/json")
    assert made.json()["created_by"] == str(person.pk)


def test_a_release_cannot_be_changed_or_removed(caller, agent):
    address = f"{RELEASES}/{agent.live_release_id}"
    assert_problem(caller.patch(address, {"prompt": "x"}), 405, "method_not_allowed")
    assert_problem(caller.delete(address), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid", "prompt"),
        ({"prompt": " "}, "invalid", "prompt"),
        ({"prompt": "a\x00b"}, "invalid", "prompt"),
        ({"prompt": "x" * 100_001}, "invalid", "prompt"),
        ({"prompt": "x", "temperature": 2.1}, "invalid", "temperature"),
        ({"prompt": "x", "temperature": "warm"}, "invalid", "temperature"),
        ({"prompt": "x", "max_tokens": 0}, "invalid", "max_tokens"),
        ({"prompt": "x", "max_tokens": 10**30}, "invalid", "max_tokens"),
        ({"prompt": "x", "model": "gpt-5"}, "release_invalid", "endpoint"),
        ({"prompt": "x", "model": "gpt-5", "endpoint": str(uuid.uuid4())}, "release_invalid", "endpoint"),
        ({"prompt": "x", "endpoint": "that one"}, "invalid", "endpoint"),
        ({"prompt": "x", "collection_ids": [str(uuid.uuid4())]}, "release_invalid", "collection_ids"),
        ({"prompt": "x", "collection_ids": 7}, "invalid", "collection_ids"),
    ],
)
def test_a_release_that_cannot_be_is_refused(caller, agent, body, code, field):
    assert_problem(caller.post(releases_of(agent), body), 422, code, field=field)
    assert Release.objects.filter(agent=agent).count() == 1


def test_a_release_sent_again_is_made_once(caller, agent):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = (caller.post(releases_of(agent), {"prompt": "x"}, headers=key) for _ in range(2))
    assert first.json() == again.json()
    other = AgentFactory()
    assert_problem(caller.post(releases_of(other), {"prompt": "x"}, headers=key), 422, "idempotency_key_reused")


# --- endpoints --------------------------------------------------------------------------------------------------------


def test_an_endpoints_key_is_taken_and_never_shown(caller, in_harbour):
    body = {"name": "Models", "base_url": "https://models.example.com/v1/", "api_key": "sk-secret-1"}
    made = caller.post(ENDPOINTS, body)
    assert made.status_code == 201
    assert made.json()["base_url"] == "https://models.example.com/v1"
    assert made.json()["has_api_key"] is True
    address = made["Location"]
    renamed = caller.patch(address, {"name": "Renamed"})
    assert ModelEndpoint.objects.get().api_key == "sk-secret-1"
    caller.patch(address, {"api_key": "sk-secret-2"})
    assert ModelEndpoint.objects.get().api_key == "sk-secret-2"
    for response in (made, renamed, caller.get(address), caller.get(ENDPOINTS)):
        assert "sk-secret" not in response.content.decode()
    assert caller.delete(address).status_code == 204


@pytest.mark.parametrize(
    "url", ["https://thief.example/v1", "http://models.example.com/v1", "https://models.example.com:8443"]
)
def test_a_stored_key_is_not_led_to_another_server(caller, in_harbour, url):
    made = caller.post(ENDPOINTS, {"name": "M", "base_url": "https://models.example.com/v1", "api_key": "sk-secret-1"})
    address = made["Location"]

    assert_problem(caller.patch(address, {"base_url": url}), 422, "api_key_needed", field="api_key")
    assert ModelEndpoint.objects.get().base_url == "https://models.example.com/v1"

    assert caller.patch(address, {"base_url": "https://models.example.com/v2"}).status_code == 200
    assert caller.patch(address, {"base_url": url, "api_key": "sk-2"}).status_code == 200
    assert caller.patch(address, {"base_url": "https://third.example", "api_key": ""}).status_code == 200
    assert caller.patch(address, {"base_url": "https://fourth.example"}).status_code == 200


@pytest.mark.parametrize(
    "url", ["ftp://example.com", "nonsense", "https://", "https://user:pw@example.com/v1", "http://[::1"]
)
def test_an_address_that_cannot_be_is_refused(caller, in_harbour, url):
    response = caller.post(ENDPOINTS, {"name": "Models", "base_url": url})
    assert_problem(response, 422, "invalid_url", field="base_url")


def test_an_endpoint_in_use_stays(caller, agent):
    endpoint = EndpointFactory()
    made = caller.post(releases_of(agent), {"prompt": "x", "model": "gpt-5", "endpoint": str(endpoint.id)})
    assert made.json()["endpoint"] == str(endpoint.id)
    assert_problem(caller.delete(f"{ENDPOINTS}/{endpoint.id}"), 409, "endpoint_in_use")


def test_a_name_is_taken_once(caller, in_harbour):
    EndpointFactory(name="Models")
    response = caller.post(ENDPOINTS, {"name": "Models", "base_url": "https://example.com/v1"})
    assert_problem(response, 409, "endpoint_exists")


# --- others -----------------------------------------------------------------------------------------------------------


def test_another_companys_rows_are_not_there(api, harbour, agency):
    with use_tenant(agency):
        agent, endpoint, collection = AgentFactory(), EndpointFactory(), CollectionFactory()
        release = agent.live_release
    stranger = api(harbour)
    assert_not_listed(stranger, AGENTS, agent.id, release.id)
    assert_not_listed(stranger, ENDPOINTS, endpoint.id)
    assert_hidden(stranger, "get", lambda pk: f"{AGENTS}/{pk}", agent.id)
    assert_hidden(stranger, "patch", lambda pk: f"{AGENTS}/{pk}", agent.id, {"name": "Mine"})
    assert_hidden(stranger, "get", lambda pk: f"{AGENTS}/{pk}/releases", agent.id)
    assert_hidden(stranger, "post", lambda pk: f"{AGENTS}/{pk}/releases", agent.id, {"prompt": "x"})
    assert_hidden(stranger, "get", lambda pk: f"{RELEASES}/{pk}", release.id)
    assert_hidden(stranger, "post", lambda pk: f"{RELEASES}/{pk}/go-live", release.id)
    assert_hidden(stranger, "get", lambda pk: f"{ENDPOINTS}/{pk}", endpoint.id)
    assert_hidden(stranger, "patch", lambda pk: f"{ENDPOINTS}/{pk}", endpoint.id, {"name": "Mine"})
    assert_hidden(stranger, "delete", lambda pk: f"{ENDPOINTS}/{pk}", endpoint.id)
    with use_tenant(harbour):
        mine = AgentFactory()
    for part in ({"endpoint": str(endpoint.id), "model": "gpt-5"}, {"collection_ids": [str(collection.id)]}):
        refused = stranger.post(releases_of(mine), {"prompt": "x", **part})
        assert_problem(refused, 422, "release_invalid", field=next(iter(part)))
    with use_tenant(agency):
        assert Agent.objects.get().name == agent.name
        assert Release.objects.count() == 1


def test_more_rows_cost_no_more_queries(caller, agent, django_assert_num_queries):
    EndpointFactory()
    caller.get(AGENTS)
    paths = {AGENTS: 1, ENDPOINTS: 1, releases_of(agent): 2}
    for path, queries in paths.items():
        with django_assert_num_queries(queries):
            caller.get(path)
    AgentFactory.create_batch(3)
    EndpointFactory.create_batch(3)
    for _ in range(3):
        ReleaseFactory(agent=agent)
    for path, queries in paths.items():
        with django_assert_num_queries(queries):
            assert len(caller.get(path).json()["results"]) == 4
