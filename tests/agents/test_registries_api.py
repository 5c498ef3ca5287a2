"""The five registries over REST: drafted by two at once, listed, deleted and restored, each tenant's its own."""

from __future__ import annotations

import functools
import json

import pytest
from rest_framework.test import APIClient

from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.permissions import Permission
from tests.agents.registries import CONTENTS, FACTORIES, NAMED, address_of, every_registry
from tests.factories import (
    AgentFactory,
    PersonalityFactory,
    PromptFactory,
    ReleaseFactory,
    RuntimeConfigFactory,
    ToolFactory,
)
from tests.isolation import assert_hidden, assert_not_listed, assert_problem
from tests.resource_contract import ResourceContract


class RegistryContract(ResourceContract):
    """As every resource's; the list leaves the drafts out."""

    reads, writes = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    follows = frozenset({"draft_revision", "drafted_at", "drafted_by", "has_unpublished_changes"})

    def test_a_row_is_shown_as_it_is_listed(self, api, harbour):
        row, caller = self.made(harbour), api(harbour)
        shown = caller.get(self.at(row.pk)).json()
        assert shown.pop("content") == row.draft
        assert shown in caller.get(self.address).json()["results"]


class TestPrompts(RegistryContract):
    address = "/api/v1/prompts"
    factory = PromptFactory
    body = {**NAMED, "tags": ["desk"], "content": CONTENTS["prompts"]}
    change = {"name": "The house", "content": {"template": "Be brief."}}


class TestTools(RegistryContract):
    address = "/api/v1/tools"
    factory = ToolFactory
    body = {**NAMED, "content": CONTENTS["tools"]}
    change = {
        "tags": ["desk"],
        "content": {"kind": "python", "description": "Keeps a lead.", "handler": "lead.capture"},
    }


class TestPersonalities(RegistryContract):
    address = "/api/v1/personalities"
    factory = PersonalityFactory
    body = {**NAMED, "content": CONTENTS["personalities"], "is_default": True}
    change = {"is_default": True}


class TestRuntimeConfigs(RegistryContract):
    address = "/api/v1/runtime-configs"
    factory = RuntimeConfigFactory
    body = {**NAMED, "content": CONTENTS["runtime-configs"]}
    change = {"content": {"welcome_message": "Ahoy."}}


class TestAgents(RegistryContract):
    address = "/api/v1/agents"
    factory = functools.partial(AgentFactory, live=False)  # one that serves is a publisher's to delete
    body = {**NAMED, "content": CONTENTS["agents"], "status": "paused"}
    change = {"status": "paused", "require_tests": True, "content": {"kind": "supervisor"}}


@pytest.fixture
def made(caller, registry):
    """The answer to making an entry with a draft."""
    answer = caller.post(address_of(registry), {**NAMED, "content": CONTENTS[registry], "tags": ["desk"]})
    assert answer.status_code == 201, answer.content
    return answer


@every_registry
def test_of_two_editors_the_second_is_told_who_was_first_by_every_road(caller, client_for, harbour, registry, made):
    at, seen = made["Location"], {"If-Match": made["ETag"]}
    hers = {**CONTENTS[registry]} | ({"template": "Hers."} if registry == "prompts" else {})
    hers |= {"instructions": "Hers."} if registry == "personalities" else {}
    hers |= {"description": "Hers."} if registry in {"tools", "agents"} else {}
    hers |= {"welcome_message": "Hers."} if registry == "runtime-configs" else {}
    first = caller.patch(at, {"content": hers}, headers=seen)
    assert first.status_code == 200
    assert_problem(caller.patch(at, {"content": {}, "name": "His"}, headers=seen), 412, "stale")
    assert_problem(caller.post(f"{at}/publish", {}, headers=seen), 412, "stale")
    assert_problem(caller.delete(at, headers=seen), 412, "stale")
    assert caller.get(at).json() == first.json()
    assert first.json()["content"] == hers
    assert caller.patch(at, {"name": "His"}, headers={"If-Match": first["ETag"]}).status_code == 200


def test_who_was_faster_is_named(caller, client_for, staff_of, harbour):
    prompt = caller.post("/api/v1/prompts", {**NAMED, "content": CONTENTS["prompts"]})
    sam = client_for(harbour, staff_of(harbour, username="sam"))
    at, seen = prompt["Location"], {"If-Match": prompt["ETag"]}
    done = sam.patch(at, {"content": {"template": "Hers."}}, content_type="application/json", headers=seen)
    assert (done.status_code, done.json()["drafted_by"]) == (200, "sam")
    problem = assert_problem(caller.patch(at, {"content": {}}, headers=seen), 412, "stale")
    assert "by sam" in problem["detail"]


@every_registry
def test_an_unfinished_draft_is_kept_and_told_what_it_lacks(caller, registry):
    unfinished = {"runtime-configs": {"llm": {"model": "gpt-9"}}, "agents": {"kind": "captain"}}.get(registry, {})
    at = caller.post(address_of(registry), {**NAMED, "content": unfinished})["Location"]
    told = caller.post(f"{at}/validate").json()
    assert not told["valid"]
    assert all(fault["field"] and fault["message"] for fault in told["faults"])
    refused = assert_problem(caller.post(f"{at}/publish", {}), 422, "draft_invalid")
    assert refused["errors"] == told["faults"]
    assert caller.get(f"{at}/versions").json()["results"] == []


@every_registry
@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"slug": "ok"}, "invalid", "name"),
        ({"name": "No slug"}, "invalid", "slug"),
        ({"name": "Slug", "slug": "No Slug"}, "invalid", "slug"),
        ({"name": "x" * 121, "slug": "ok"}, "invalid", "name"),
        ({"name": "NUL\x00", "slug": "ok"}, "invalid", "name"),
        ({"name": "Half \ud800", "slug": "ok"}, "invalid", "name"),
        ({"name": "   ", "slug": "ok"}, "invalid", "name"),
        ({"name": "Tags", "slug": "ok", "tags": ["x" * 41]}, "invalid", "tags.0"),
        ({"name": "Tags", "slug": "ok", "tags": [str(n) for n in range(21)]}, "invalid", "tags"),
        ({"name": "Draft", "slug": "ok", "content": []}, "draft_invalid", "content"),
        ({"name": "Draft", "slug": "ok", "content": "text"}, "draft_invalid", "content"),
        ({"name": "Draft", "slug": "ok", "content": None}, "invalid", "content"),
        ({"name": "Draft", "slug": "ok", "content": {"templet": "x"}}, "draft_invalid", "content.templet"),
        ({"name": "Draft", "slug": "ok", "content": {"description": "\x00"}}, "draft_invalid", None),
    ],
)
def test_what_cant_be_is_refused_where_it_stands(caller, registry, fields, code, field):
    answer = caller.post(address_of(registry), json.dumps(fields), content_type="application/json")
    assert_problem(answer, 422, code, field=field)
    assert caller.get(address_of(registry)).json()["results"] == []


def test_numbers_that_json_cant_hold_and_drafts_without_end_are_refused(caller):
    for content, status in [("1e999", 422), ('{"template": 1e999}', 422), ('{"template": ' + "[" * 5000, 400)]:
        body = f'{{"name": "N", "slug": "n", "content": {content}}}'
        assert caller.post("/api/v1/prompts", body, content_type="application/json").status_code == status
    long = {**NAMED, "content": {"template": "x" * 270_000}}
    assert_problem(caller.post("/api/v1/prompts", long), 422, "draft_invalid")


# --- deleting ---
@every_registry
def test_what_is_deleted_leaves_the_list_and_can_be_restored(caller, registry, made):
    at, rows = made["Location"], address_of(registry)
    assert caller.delete(at).status_code == 204
    for address in (at, f"{at}/versions", f"{at}/diff"):
        assert_problem(caller.get(address), 404, "not_found")
    assert_problem(caller.patch(at, {"name": "Other"}), 404, "not_found")
    assert_problem(caller.post(f"{at}/publish", {}), 404, "not_found")
    assert_problem(caller.post(rows, NAMED), 409, "component_exists")
    assert caller.get(rows).json()["results"] == []
    (row,) = caller.get(f"{rows}?deleted=true").json()["results"]
    assert row["deleted_at"]
    assert caller.post(f"{at}/restore").json() == made.json()
    assert caller.get(at).json() == made.json()
    assert caller.get(f"{rows}?deleted=true").json()["results"] == []


@pytest.mark.parametrize("registry", ["prompts", "runtime-configs"])
def test_what_a_serving_release_is_made_of_stays(caller, in_harbour, registry):
    AgentFactory()
    (row,) = FACTORIES[registry]._meta.model.objects.all()
    assert_problem(caller.delete(f"{address_of(registry)}/{row.pk}"), 409, "component_in_use")
    preview = ReleaseFactory()
    assert caller.delete(f"/api/v1/prompts/{preview.prompt.component_id}").status_code == 204


# --- whose ---
@every_registry
def test_another_companys_entry_is_not_there_at_any_address(api, harbour, agency, registry):
    with use_tenant(agency):
        row = FACTORIES[registry](slug="theirs")
    stranger, base = api(harbour), address_of(registry)
    assert_not_listed(stranger, f"{base}?q=theirs", row.pk)
    for method, end, body in [
        ("post", "restore", {}),
        ("post", "validate", {}),
        ("post", "publish", {"message": "Mine"}),
        ("get", "versions", None),
        ("get", "versions/1", None),
        ("post", "versions/1/restore", {}),
        ("get", "diff", None),
        *([("post", "render", {})] if registry == "prompts" else []),
        *([("get", "releases", None)] if registry == "agents" else []),
    ]:
        assert_hidden(stranger, method, lambda pk, end=end: f"{base}/{pk}/{end}", row.pk, body)


@pytest.mark.parametrize("change", [{"status": "paused"}, {"require_tests": True}])
def test_a_key_that_may_only_write_does_not_decide_what_serves(harbour, change):
    """What takes an agent from those it serves, or opens the gate before it, is a publisher's, as in the admin."""
    with use_tenant(harbour):
        agent = AgentFactory()
    writer = program(harbour, "agents:read", "agents:write")
    address = f"/api/v1/agents/{agent.pk}"
    assert_problem(writer.patch(address, change), 403, "forbidden")
    assert_problem(writer.delete(address), 403, "forbidden")
    assert writer.patch(address, {"name": "Desk", "status": "active", "require_tests": False}).status_code == 200
    publisher = program(harbour, "agents:read", "agents:write", "agents:publish")
    assert publisher.patch(address, change).status_code == 200
    assert publisher.delete(address).status_code == 204
    assert_problem(writer.post(f"{address}/restore"), 403, "forbidden")
    assert publisher.post(f"{address}/restore").status_code == 200


def program(tenant, *scopes):
    with use_public():
        key = create_api_key(tenant=tenant, name="tests", scopes=scopes)[1]
    return APIClient(HTTP_HOST=f"{tenant.slug}.localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
