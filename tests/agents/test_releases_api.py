"""Releases over REST: made of exact parts, put live, tried as a canary, compared, rolled back."""

from __future__ import annotations

import uuid

import pytest

from agents.domain.releases import go_live
from agents.models import Release
from agents.serving import release_for
from tenants.context import use_tenant
from tenants.flags.evaluation import Context
from tests.at_once import at_once
from tests.factories import (
    AgentFactory,
    CollectionFactory,
    PersonalityFactory,
    PromptFactory,
    ReleaseFactory,
    RuntimeConfigFactory,
    ToolFactory,
)
from tests.isolation import assert_hidden, assert_problem
from tests.query_count import queries


@pytest.fixture
def agent(in_harbour):
    return AgentFactory(live=False, slug="desk")


@pytest.fixture
def prompt(in_harbour):
    content = {"template": "You answer the guests of {{ hotel }}.", "variables": [{"name": "hotel"}]}
    return PromptFactory(slug="house", content=content)


def releases_of(agent):
    return f"/api/v1/agents/{agent.pk}/releases"


def at(release):
    return f"/api/v1/releases/{release.pk}"


NOWHERE = uuid.UUID(int=7)
HOTEL = {"variables": {"hotel": "The Harbour"}}


# --- what one is made of ----------------------------------------------------------------------------------------------


def test_a_release_is_made_of_parts_named_by_slug_and_number(caller, agent, prompt):
    tool, runtime, collection = ToolFactory(slug="rooms"), RuntimeConfigFactory(slug="text"), CollectionFactory()
    fields = {
        "prompt": "house@1",
        "profile": "latest",
        "personality": None,
        "runtime_config": "text@latest",
        "tools": ["rooms@1"],
        "collections": [collection.slug],
        "message": "Opening day",
        **HOTEL,
    }
    made = caller.post(releases_of(agent), fields)
    assert made.status_code == 201, made.content
    release = made.json()
    assert made["Location"] == f"/api/v1/releases/{release['id']}"
    assert caller.get(made["Location"]).json() == release
    assert (release["number"], release["serves"], release["message"]) == (1, "preview", "Opening day")
    assert release["prompt"] == str(prompt.versions.get().pk)
    assert release["tool_version_ids"] == [str(tool.versions.get().pk)]
    assert release["runtime_config"] == str(runtime.versions.get().pk)
    assert release["collection_ids"] == [str(collection.pk)]
    assert release["personality"] is None
    assert release["snapshot"]["prompt"]["content"] == prompt.versions.get().content
    assert release["snapshot"]["variables"] == {"hotel": "The Harbour"}


def test_parts_may_be_named_by_id_and_a_later_version_changes_nothing(caller, agent, prompt):
    first = prompt.versions.get()
    release = caller.post(releases_of(agent), {"prompt": str(first.pk), **HOTEL}).json()
    house = f"/api/v1/prompts/{prompt.pk}"
    caller.patch(house, {"content": {"template": "Be brief."}})
    caller.post(f"{house}/publish", {})
    assert caller.get(f"/api/v1/releases/{release['id']}").json() == release
    assert caller.post(releases_of(agent), {"prompt": "house@latest"}).json()["snapshot"]["prompt"]["version"] == 2


def test_without_a_word_the_default_personality_is_taken(caller, agent, prompt):
    calm = PersonalityFactory(slug="calm")
    assert caller.post(releases_of(agent), {"prompt": "house@1", **HOTEL}).json()["personality"] is None
    caller.patch(f"/api/v1/personalities/{calm.pk}", {"is_default": True})
    taken = caller.post(releases_of(agent), {"prompt": "house@1", **HOTEL}).json()
    assert taken["snapshot"]["personality"]["slug"] == "calm"
    none = caller.post(releases_of(agent), {"prompt": "house@1", "personality": None, **HOTEL}).json()
    assert none["personality"] is None


def test_a_supervisor_takes_what_its_agents_serve_now(caller, in_harbour, prompt):
    head = AgentFactory(live=False, content={"kind": "supervisor"})
    desk, bar = AgentFactory(slug="desk"), AgentFactory(slug="bar")
    body = {"prompt": "house@1", "sub_releases": ["desk@live", "bar@1"], **HOTEL}
    release = caller.post(releases_of(head), body).json()
    assert release["sub_release_ids"] == [str(desk.live_release_id), str(bar.live_release_id)]
    refused = caller.post(releases_of(AgentFactory(live=False)), body)
    assert_problem(refused, 422, "release_invalid", field="sub_releases")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", "house@2"),
        ("prompt", "house@0"),
        ("prompt", "house@99999999999999"),
        ("prompt", "nowhere@1"),
        ("prompt", "unpublished@latest"),
        ("prompt", "deleted@1"),
        ("prompt", "house"),
        ("prompt", "house@"),
        ("prompt", "@1"),
        ("prompt", "house@live"),
        ("prompt", "house@²"),
        ("prompt", str(NOWHERE)),
        ("profile", "7"),
        ("profile", "other@1"),
        ("personality", "nobody@1"),
        ("runtime_config", "house@1"),
        ("tools", ["house@1"]),
        ("tools", ["rooms@1", "rooms@2"]),
        ("sub_releases", ["other@live"]),
        ("sub_releases", ["other@1"]),
        ("sub_releases", [str(NOWHERE)]),
        ("collections", ["nowhere"]),
        ("collections", [str(NOWHERE)]),
        ("variables", {}),
        ("variables", {"hotel": "The Harbour", "colour": "red"}),
    ],
)
def test_a_part_that_isnt_there_is_named(caller, agent, prompt, field, value):
    PromptFactory(slug="unpublished", published=False)
    gone = PromptFactory(slug="deleted")
    caller.delete(f"/api/v1/prompts/{gone.pk}")
    rooms = ToolFactory(slug="rooms")
    caller.patch(f"/api/v1/tools/{rooms.pk}", {"content": {**rooms.draft, "description": "Other."}})
    caller.post(f"/api/v1/tools/{rooms.pk}/publish", {})
    AgentFactory(slug="other", live=False)
    answer = caller.post(releases_of(agent), {"prompt": "house@1", **HOTEL, field: value})
    assert_problem(answer, 422, "release_invalid", field=field)
    assert not Release.objects.exists()


def test_another_companys_parts_cant_be_named(api, harbour, agency):
    with use_tenant(agency):
        theirs = {
            "prompt": PromptFactory(slug="theirs").versions.get().pk,
            "personality": PersonalityFactory().versions.get().pk,
            "runtime_config": RuntimeConfigFactory().versions.get().pk,
            "tools": [ToolFactory().versions.get().pk],
            "sub_releases": [AgentFactory(slug="theirs").live_release_id],
            "collections": [CollectionFactory(slug="theirs").pk],
        }
    with use_tenant(harbour):
        head = AgentFactory(live=False, content={"kind": "supervisor"})
        PromptFactory(slug="ours")
    caller = api(harbour)
    for field, value in theirs.items():
        named = [str(one) for one in value] if isinstance(value, list) else str(value)
        answer = caller.post(releases_of(head), {"prompt": "ours@1", field: named})
        assert_problem(answer, 422, "release_invalid", field=field)
    for field, value in {"prompt": "theirs@1", "sub_releases": ["theirs@live"], "collections": ["theirs"]}.items():
        answer = caller.post(releases_of(head), {"prompt": "ours@1", field: value})
        assert_problem(answer, 422, "release_invalid", field=field)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": None},
        {"prompt": ["house@1"]},
        {"prompt": "x" * 81},
        {"prompt": "house@1", "tools": "rooms@1"},
        {"prompt": "house@1", "variables": {"hotel": {"a": 1}}},
        {"prompt": "house@1", "variables": ["hotel"]},
        {"prompt": "house@1", "message": "x" * 301},
        {"prompt": "house\x00@1"},
    ],
)
def test_a_body_that_cant_be_is_refused(caller, agent, prompt, body):
    assert_problem(caller.post(releases_of(agent), body), 422, "invalid")


def test_a_request_that_is_repeated_makes_one(caller, agent, prompt):
    body, key = {"prompt": "house@1", **HOTEL}, {"Idempotency-Key": "one"}
    first, again = (caller.post(releases_of(agent), body, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Release.objects.count() == 1


def test_an_unpublished_agent_is_told_what_to_do(caller, in_harbour, prompt):
    draft = AgentFactory(published=False, live=False)
    refused = assert_problem(
        caller.post(releases_of(draft), {"prompt": "house@1", **HOTEL}), 422, "release_invalid", field="profile"
    )
    assert "Publish" in refused["detail"]


# --- who is served ----------------------------------------------------------------------------------------------------


@pytest.fixture
def two(agent):
    """A live release, and another."""
    first, second = ReleaseFactory(agent=agent, prompt="First."), ReleaseFactory(agent=agent, prompt="Second.")
    go_live(release=first)
    return first, second


def serving(caller, agent):
    return {row["number"]: row["serves"] for row in caller.get(releases_of(agent)).json()["results"]}


def test_a_release_goes_live_and_the_one_before_may_be_withdrawn(caller, agent, two):
    first, second = two
    gone_live = caller.post(f"{at(second)}/go-live", {"message": "Better"})
    assert gone_live.status_code == 200
    assert gone_live.json()["serves"] == "live"
    assert gone_live["ETag"] == caller.get(at(second))["ETag"]
    assert serving(caller, agent) == {1: "preview", 2: "live"}
    caller.post(f"{at(first)}/go-live", {"withdraw_previous": True})
    assert serving(caller, agent) == {1: "live", 2: "withdrawn"}
    assert caller.get(f"/api/v1/agents/{agent.pk}").json()["live_release"] == str(first.pk)


def test_a_canary_serves_a_part_until_it_ends(caller, agent, two):
    first, second = two
    started = caller.put(f"{at(second)}/canary", {"percent": 50, "message": "Half"})
    assert started.status_code == 200
    told = started.json()
    assert (told["serves"], told["canary_percent"], told["canary_flag"]) == ("canary", 50, "")
    agent.refresh_from_db()
    served = [release_for(agent, unit=f"contact-{n}", context=Context()) for n in range(400)]
    assert 140 < served.count(second.pk) < 260
    assert served.count(first.pk) + served.count(second.pk) == 400
    assert caller.put(f"{at(second)}/canary", {"percent": 0, "flag": "beta"}).json()["canary_flag"] == "beta"
    assert_problem(caller.delete(f"{at(first)}/canary"), 409, "not_canary")
    assert caller.delete(f"{at(second)}/canary").status_code == 204
    assert serving(caller, agent) == {1: "live", 2: "withdrawn"}
    assert_problem(caller.delete(f"{at(second)}/canary"), 409, "not_canary")
    caller.put(f"{at(second)}/canary", {"percent": 1})
    assert caller.delete(f"{at(second)}/canary?withdraw=false").status_code == 204
    assert serving(caller, agent) == {1: "live", 2: "preview"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "canary_invalid"),
        ({"percent": 0}, "canary_invalid"),
        ({"percent": -1}, "invalid"),
        ({"percent": 101}, "invalid"),
        ({"percent": 0.5}, "invalid"),
        ({"percent": "half"}, "invalid"),
        ({"percent": 10**30}, "invalid"),
        ({"flag": "x" * 101}, "invalid"),
    ],
)
def test_a_canary_that_cant_be_is_refused(caller, agent, two, body, code):
    assert_problem(caller.put(f"{at(two[1])}/canary", body), 422, code)
    assert serving(caller, agent) == {1: "live", 2: "preview"}


def test_a_canary_needs_another_release_that_is_live(caller, agent, two):
    assert_problem(caller.put(f"{at(two[0])}/canary", {"percent": 5}), 409, "already_live")
    alone = ReleaseFactory()
    assert_problem(caller.put(f"{at(alone)}/canary", {"percent": 5}), 409, "agent_not_live")


def test_a_rollback_is_a_new_release_the_same_to_the_letter(caller, agent, two):
    first, second = two
    caller.post(f"{at(second)}/go-live", {})
    body, key = {"message": "Guests complained"}, {"Idempotency-Key": "back"}
    rolled = caller.post(f"{at(first)}/rollback", body, headers=key)
    assert rolled.status_code == 201
    release = rolled.json()
    assert rolled["Location"] == f"/api/v1/releases/{release['id']}"
    assert (release["number"], release["serves"], release["copy_of"]) == (3, "live", str(first.pk))
    assert (release["snapshot"], release["checksum"]) == (first.snapshot, first.checksum)
    assert serving(caller, agent) == {1: "preview", 2: "withdrawn", 3: "live"}
    assert caller.post(f"{at(first)}/rollback", body, headers=key).json() == release
    assert Release.objects.count() == 3


def test_of_two_who_move_the_pointer_the_second_is_told(caller, agent, two):
    _, second = two
    seen = {"If-Match": caller.get(at(second))["ETag"]}
    assert caller.put(f"{at(second)}/canary", {"percent": 10}, headers=seen).status_code == 200
    assert_problem(caller.post(f"{at(second)}/go-live", {}, headers=seen), 412, "stale")
    assert_problem(caller.post(f"{at(second)}/rollback", {}, headers=seen), 412, "stale")
    assert_problem(caller.delete(f"{at(second)}/canary", headers=seen), 412, "stale")
    assert serving(caller, agent) == {1: "live", 2: "canary"}


def test_releases_made_at_once_are_numbered_one_after_another(live_tenants, api, harbour):
    with use_tenant(harbour):
        agent, _ = AgentFactory(live=False), PromptFactory(slug="house")
    caller = api(harbour)
    answers = at_once(lambda _: caller.post(releases_of(agent), {"prompt": "house@1"}), range(5))
    assert sorted(answer.json()["number"] for answer in answers) == [1, 2, 3, 4, 5]
    answers = at_once(lambda one: caller.post(f"/api/v1/releases/{one.json()['id']}/go-live", {}), answers)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert list(serving(caller, agent).values()).count("live") == 1


# --- comparing and listing --------------------------------------------------------------------------------------------


def test_a_release_is_compared_with_the_live_one(caller, agent, two):
    first, second = two
    compared = caller.get(f"{at(second)}/diff").json()
    assert compared["against"] == str(first.pk)
    changes = {change["path"]: change for change in compared["changes"]}
    assert (changes["prompt.content.template"]["old"], changes["prompt.content.template"]["new"]) == (
        "First.",
        "Second.",
    )
    assert not [path for path in changes if path.endswith("checksum")]
    back = caller.get(f"{at(first)}/diff?against={second.pk}").json()
    assert {change["path"] for change in back["changes"]} == set(changes)
    caller.post(f"{at(second)}/go-live", {})
    assert caller.get(f"{at(second)}/diff").json() == compared  # the live one: with the one before it
    alone = caller.get(f"{at(ReleaseFactory())}/diff").json()
    assert alone["against"] is None
    assert all(change["kind"] == "added" for change in alone["changes"])
    assert_problem(caller.get(f"{at(first)}/diff?against={uuid.uuid4()}"), 404, "not_found")
    assert_problem(caller.get(f"{at(first)}/diff?against=live"), 422, "invalid")


def test_a_long_list_costs_no_more_queries(caller, agent):
    ReleaseFactory(agent=agent)
    one = queries(caller, releases_of(agent))
    for _ in range(3):
        ReleaseFactory(agent=agent)
    assert queries(caller, releases_of(agent)) == one
    page = caller.get(f"{releases_of(agent)}?limit=3").json()
    assert [row["number"] for row in page["results"]] == [4, 3, 2]
    assert [row["number"] for row in caller.get(page["next"]).json()["results"]] == [1]


def test_another_companys_release_is_not_there_at_any_address(api, harbour, agency):
    with use_tenant(agency):
        release = ReleaseFactory()
    stranger = api(harbour)
    for method, end, body in [
        ("get", "", None),
        ("get", "/diff", None),
        ("post", "/go-live", {}),
        ("post", "/rollback", {}),
        ("put", "/canary", {"percent": 5}),
        ("delete", "/canary", None),
    ]:
        assert_hidden(stranger, method, lambda pk, end=end: f"/api/v1/releases/{pk}{end}", release.pk, body)
    assert_hidden(stranger, "post", lambda pk: f"/api/v1/agents/{pk}/releases", release.agent_id, {"prompt": "house@1"})
    with use_tenant(harbour):
        mine = ReleaseFactory()
    assert_problem(stranger.get(f"{at(mine)}/diff?against={release.pk}"), 404, "not_found")
