"""Configuration over REST: in YAML and in JSON, by who may, with a plan as the answer."""

import json
import uuid

import pytest
from rest_framework.test import APIClient

from agents.configuration.reading import MOST_BYTES
from agents.models import Agent, Prompt, PromptVersion, Release
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.permissions import Permission
from tests.agents.configuration.documents import HOTEL, apply, everything, exported
from tests.callers import host_of
from tests.factories import EndpointFactory
from tests.isolation import assert_problem
from tests.query_count import queries_of

CONFIG, DIFF, APPLY = "/api/v1/config", "/api/v1/config/diff", "/api/v1/config/apply"
YAML = "application/yaml"


def program(tenant, *scopes):
    with use_public():
        key = create_api_key(tenant=tenant, name="tests", scopes=[scope.value for scope in scopes])[1]
    return APIClient(HTTP_HOST=host_of(tenant), HTTP_AUTHORIZATION=f"Bearer {key}")


def put(client, address, text=HOTEL, content_type=YAML, **headers):
    return client.generic("POST", address, text, content_type=content_type, **headers)


def test_a_document_is_compared_applied_and_read_again(caller, harbour):
    compared = put(caller, DIFF)
    assert compared.status_code == 200, compared.content
    assert (compared.json()["changed"], compared.json()["applied"]) == (True, False)
    with use_tenant(harbour):
        assert not Agent.objects.exists()
    applied = put(caller, f"{APPLY}?message=The+first")
    assert applied.status_code == 200, applied.content
    assert applied.json() == {**compared.json(), "applied": True}
    with use_tenant(harbour):
        assert {release.message for release in Release.objects.all()} == {"The first"}
        text = exported()
    read = caller.get(CONFIG)
    assert read["Content-Type"] == "application/yaml; charset=utf-8"
    assert read.content.decode() == text
    again = put(caller, APPLY, text)
    assert again.json() == {"changed": False, "applied": True, "steps": [], "text": ""}


def test_json_says_the_same(caller, harbour):
    put(caller, APPLY)
    read = caller.get(CONFIG, headers={"Accept": "application/json"})
    assert read["Content-Type"] == "application/json"
    data = read.json()
    assert data["switchboard"] == 1
    assert put(caller, DIFF, read.content, "application/json").json()["steps"] == []
    data["agents"]["marina"]["name"] = "Marina the second"
    steps = put(caller, DIFF, json.dumps(data), "application/json").json()["steps"]
    assert steps[0]["entry"] == "agents/marina"
    assert steps[0]["changes"] == [
        {"path": "name", "kind": "changed", "old": "Marina", "new": "Marina the second", "words": []}
    ]


def test_only_what_is_asked_for(caller, harbour):
    put(caller, APPLY)
    text = caller.get(f"{CONFIG}?only=agents/marina,tools").content.decode()
    with use_tenant(harbour):
        assert text == exported("agents/marina", "tools")
    assert_problem(caller.get(f"{CONFIG}?only=agents/nobody"), 422, "unknown_entry")
    assert_problem(caller.get(CONFIG, headers={"Accept": "text/csv"}), 406, "not_acceptable")


def test_a_dry_run_leaves_nothing(caller, harbour):
    with use_tenant(harbour):
        before = everything(harbour.schema_name)
    tried = put(caller, f"{APPLY}?dry_run=true")
    assert (tried.json()["changed"], tried.json()["applied"]) == (True, False)
    with use_tenant(harbour):
        assert everything(harbour.schema_name) == before


def test_a_request_that_is_repeated_is_done_once(caller, harbour):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    tried = put(caller, f"{APPLY}?dry_run=true", headers=key)
    assert tried.status_code == 200
    assert_problem(put(caller, APPLY, headers=key), 422, "idempotency_key_reused")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = put(caller, APPLY, headers=key), put(caller, APPLY, headers=key)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("text", "content_type", "status", "code"),
    [
        ("", YAML, 422, "configuration_invalid"),
        ("a: *b", YAML, 422, "configuration_invalid"),
        ("switchboard: 2", YAML, 422, "configuration_invalid"),
        ("[]", "application/json", 422, "configuration_invalid"),
        (b"\xff\x00", YAML, 422, "configuration_invalid"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("#" * (MOST_BYTES + 1), YAML, 413, "too_large"),
    ],
)
@pytest.mark.parametrize("address", [DIFF, APPLY])
def test_what_is_no_document_is_refused(caller, address, text, content_type, status, code):
    assert_problem(put(caller, address, text, content_type), status, code)


def test_a_fault_is_named_with_its_place_and_line(caller):
    text = "switchboard: 1\nprompts:\n  a:\n    content:\n      template: ''\n      colour: red\n"
    problem = assert_problem(put(caller, APPLY, text), 422, "configuration_invalid")
    assert problem["errors"] == [
        {
            "field": "prompts.a.content.template",
            "message": "String should have at least 1 character.",
            "line": "5",
        },
        {"field": "prompts.a.content.colour", "message": "There is no field colour here.", "line": "6"},
    ]


def test_each_section_asks_for_its_own_permission(harbour):
    with use_tenant(harbour):
        EndpointFactory(name="openai")
        apply(HOTEL)
    reader = program(harbour, Permission.AGENTS_READ)
    text = reader.get(CONFIG).content.decode()
    assert "marina" in text
    assert "openai" not in text
    assert "new.menu" not in text
    for section in ("endpoints", "flags", "collections"):
        assert_problem(reader.get(f"{CONFIG}?only={section}"), 403, "forbidden")
        assert_problem(put(reader, DIFF, f"switchboard: 1\n{section}: {{}}\n"), 403, "forbidden")
    assert_problem(put(reader, APPLY, "switchboard: 1\n"), 403, "forbidden")
    hasty = program(harbour, Permission.AGENTS_READ, Permission.AGENTS_PUBLISH)
    assert_problem(put(hasty, f"{APPLY}?only=agents"), 403, "forbidden")
    publisher = program(harbour, Permission.AGENTS_READ, Permission.AGENTS_WRITE, Permission.AGENTS_PUBLISH)
    assert_problem(put(publisher, APPLY), 403, "forbidden")
    assert put(publisher, f"{APPLY}?only=agents").status_code == 200


def test_no_key_is_ever_in_it(caller, in_harbour):
    EndpointFactory(name="openai", api_key="sk-very-secret")
    assert "openai" in caller.get(CONFIG).content.decode()
    for accept in (YAML, "application/json"):
        assert "sk-very" not in caller.get(CONFIG, headers={"Accept": accept}).content.decode()


def test_another_tenants_configuration_is_neither_seen_nor_touched(api, harbour, agency):
    with use_tenant(agency):
        apply(HOTEL)
        before = everything(agency.schema_name)
        text = exported()
    caller = api(harbour)
    assert "marina" not in caller.get(CONFIG).content.decode()
    nothing = "switchboard: 1\nprompts: {}\nagents: {}\n"
    assert put(caller, f"{APPLY}?prune=true", nothing).json()["steps"] == []
    needs = "switchboard: 1\nagents:\n  a:\n    release: {prompt: greeting}\n"
    assert_problem(put(caller, APPLY, needs), 422, "configuration_invalid", field="agents.a.release.prompt")
    with use_tenant(agency):
        assert everything(agency.schema_name) == before
        assert exported() == text


def test_many_entries_cost_no_more_queries(caller, in_harbour):
    def costs():
        text = caller.get(CONFIG).content.decode()
        return queries_of(lambda: caller.get(CONFIG)), queries_of(lambda: put(caller, DIFF, text))

    apply(HOTEL)
    few = costs()
    for number in range(3):
        apply(HOTEL.replace("marina", f"marina-{number}").replace("greeting", f"greeting-{number}"))
    assert Prompt.objects.count() == 4
    assert PromptVersion.objects.count() == 4
    assert costs() == few
