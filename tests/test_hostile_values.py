"""Values that no field expects, where they once made an error of the server's: each is refused, or taken, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from agents.choices import latest_versions
from agents.models import Prompt, RuntimeConfig
from tenants.context import use_public
from tenants.domain.api_keys import create_api_key
from tests.factories import AgentFactory, PromptFactory, RuntimeConfigFactory, ToolFactory, UserFactory

NUL, SUPERSCRIPT = "%00", "²"


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"properties": value}
    return value


@pytest.fixture
def operators_program(database: None) -> APIClient:
    with use_public():
        key = create_api_key(tenant=None, name="tests")[1]
    return APIClient(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")


class TestOverRest:
    def test_a_draft_that_no_diff_could_walk_through_is_refused(self, caller):
        body = {"name": "Deep", "slug": "deep", "content": {"kind": "python", "input_schema": nested(300)}}
        answer = caller.post("/api/v1/tools", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "draft_invalid")

    def test_a_schema_may_be_nested_as_deep_as_schemas_are(self, caller):
        schema = {"type": "object", "properties": {"a": nested(40)}}
        content = {"kind": "python", "description": "Deep.", "handler": "lead.capture", "input_schema": schema}
        made = caller.post("/api/v1/tools", {"name": "Deep", "slug": "deep", "content": content})
        assert made.status_code == 201
        assert caller.get(f"{made['Location']}/diff?from=draft&to=draft").json() == {"changes": []}

    @pytest.mark.parametrize("value", ['"\\ud800"', '"\\u0000"', '"' + "x" * 501 + '"'])
    def test_metadata_that_cannot_be_stored_is_refused(self, operators_program, harbour, value):
        answer = operators_program.patch(
            f"/api/v1/tenants/{harbour.pk}",
            data=f'{{"metadata": {{"note": {value}}}}}',
            content_type="application/json",
        )
        assert answer.status_code == 422

    def test_what_only_the_database_refuses_is_no_fault_of_the_servers(self, caller, in_harbour):
        agent = AgentFactory()
        body = {"agent": str(agent.pk), "contact": "\x00"}
        assert caller.post("/api/v1/conversations", body).status_code == 422

    def test_a_key_for_all_time_can_be_rotated(self, caller):
        made = caller.post("/api/v1/api-keys", {"name": "Long", "expires_at": "9999-12-31T23:59:59Z"}).json()
        assert caller.post(f"/api/v1/api-keys/{made['id']}/rotate", {}).status_code == 201


class TestInTheAdmin:
    @pytest.mark.parametrize(
        "address",
        [
            f"/admin/agents/prompt/?name__contains={NUL}",
            "/admin/agents/prompt/?name__regex=(((",
            f"/admin/autocomplete/?app_label=agents&model_name=prompt&field_name=drafted_by&term={NUL}",
        ],
    )
    def test_an_address_that_cannot_be_looked_up_is_a_bad_request(self, staff, address):
        PromptFactory()
        assert staff.get(address).status_code == 400

    @pytest.mark.parametrize("page", ["seven", "99"])
    def test_a_page_of_the_operators_search_that_is_not_there_is_a_bad_request(self, database, page):
        operator = Client(HTTP_HOST="localhost")
        with use_public():
            operator.force_login(UserFactory.create())
        assert operator.get(f"/admin/search/?s=tenant&page={page}").status_code == 400

    @pytest.mark.parametrize("revision", [SUPERSCRIPT, "9" * 5000, "-1", ""])
    def test_a_revision_that_never_was_is_another_than_the_drafts(self, staff, revision):
        prompt = PromptFactory()
        page = f"/admin/agents/prompt/{prompt.pk}/publish/"
        assert staff.post(page, {"draft_revision": revision, "message": ""}).status_code == 412

    def test_a_share_is_a_number(self, staff):
        agent = AgentFactory()
        page = f"/admin/agents/agent/{agent.pk}/releases/{agent.live_release_id}/canary/"
        assert staff.post(page, {"percent": SUPERSCRIPT}).status_code == 422

    def test_what_somebody_typed_in_is_shown_again_however_deep_it_is_nested(self, staff):
        tool = ToolFactory()
        page = f"/admin/agents/tool/{tool.pk}/change/"
        for form in (
            {"content_json": json.dumps({"kind": "python", "input_schema": nested(400)}), "action": "merge"},
            {"content.kind": "python", "content.input_schema": json.dumps(nested(400)), "draft_revision": "1"},
        ):
            assert staff.post(page, form).status_code < 500
            assert staff.post(f"/admin/agents/tool/{tool.pk}/check/", form).status_code == 200


@pytest.mark.usefixtures("in_harbour")
def test_choosing_a_part_does_not_read_what_is_in_all_of_them():
    PromptFactory()
    RuntimeConfigFactory()
    for kind, unread in ((Prompt, set()), (RuntimeConfig, {"content"})):
        (version,) = latest_versions(kind)
        assert version.get_deferred_fields() == unread
        assert version.component.get_deferred_fields() == {"draft"}
