"""The API's document: one, valid, and saying what may go wrong; and the page that shows it."""

import re

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from switchboard.kernel.problems import OPENAI_PATHS
from switchboard.openapi import PROBLEM, document, operations

VALIDATOR = Draft202012Validator
ALL = list(operations(document()))


def test_the_document_is_valid():
    validate_schema(document())


@pytest.mark.parametrize(("path", "method", "operation"), ALL, ids=[f"{method} {path}" for path, method, _ in ALL])
def test_every_operation_says_what_it_does_and_what_may_go_wrong(path, method, operation):
    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert operation["tags"]
    assert path.startswith(("/api/v1/", OPENAI_PATHS))
    assert not path.endswith("/")
    shape = "application/json" if path.startswith(OPENAI_PATHS) else PROBLEM
    failed = [answer for status, answer in operation["responses"].items() if status >= "400"]
    problems = [answer for answer in failed if shape in answer.get("content", {})]
    assert len(problems) >= 3
    assert "401" in operation["responses"]
    if "{" in path:
        assert "404" in operation["responses"]
    if method == "patch":
        assert "412" in operation["responses"]
    if method == "post" and "201" in operation["responses"]:
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}


def test_both_planes_are_in_it():
    paths = document()["paths"]
    assert "/api/v1/documents" in paths
    assert "/api/v1/conversations/{conversation_id}/messages" in paths
    assert "/v1/chat/completions" in paths


def test_how_a_meetings_agent_stands_is_one_list_wherever_it_is_told():
    schemas = document()["components"]["schemas"]
    told = {name: schemas[name]["properties"]["agent"]["$ref"] for name in ("MeetingState", "MeetingDetail")}
    assert set(told.values()) == {"#/components/schemas/AgentState"}
    states = {"expected", "coming", "busy", "present", "unavailable", "gone"}
    assert set(schemas["AgentState"]["enum"]) == states


def test_every_tag_is_described():
    described = {tag["name"] for tag in document()["tags"]}
    assert {tag for _, _, operation in ALL for tag in operation["tags"]} == described


def test_contents_are_typed_and_their_examples_can_be_published():
    from agents.api.contents import REGISTRIES
    from agents.api.examples import EXAMPLES
    from agents.content.base import read

    schemas = document()["components"]["schemas"]
    for registry in REGISTRIES:
        kind = registry.content_type
        assert read(kind, EXAMPLES[kind])[1] == []
        assert set(schemas[kind.__name__]["properties"]) == set(kind.model_fields)
        shown = schemas[registry.__name__]["properties"]["content"]
        assert shown["allOf"] == [{"$ref": f"#/components/schemas/{kind.__name__.removesuffix('Content')}Draft"}]
        assert "required" not in schemas[shown["allOf"][0]["$ref"].rpartition("/")[2]]


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for _, _, operation in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("host", ["localhost", "harbour.localhost"])
def test_document_and_page_are_on_every_host(harbour, host):
    browser = Client(HTTP_HOST=host)
    assert browser.get("/api/openapi.json").json()["info"]["title"] == "Switchboard"
    page = browser.get("/api/docs")
    assert page.status_code == 200
    found = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert found
    for address in found:
        assert address.startswith("/"), f"{address} is somebody else's"
        assert browser.get(address).status_code == 200


@pytest.mark.parametrize(("path", "method", "operation"), ALL, ids=[f"{method} {path}" for path, method, _ in ALL])
def test_every_body_has_an_example_that_fits(path, method, operation):
    bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
    for place, body in bodies.items():
        media = body.get("content", {}).get("application/json")
        if media is None or (place >= "400" and place != "request"):
            continue
        assert "example" in media, f"{method} {path} has no example of {place}"
        schema = {**media["schema"], "components": document()["components"]}
        faults = [f"{fault.json_path}: {fault.message}" for fault in VALIDATOR(schema).iter_errors(media["example"])]
        assert not faults, f"{method} {path}, {place}: {faults}"
