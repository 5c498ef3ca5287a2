"""The page to talk with an agent by microphone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tenants.context import use_tenant
from tenants.staff.models import Role
from tests.factories import AgentFactory, ReleaseFactory


def address(agent: Any, query: str = "") -> str:
    return f"/admin/voice_worker/voicesession/talk/{agent.pk}/{query}"


def told(page: Any) -> Any:
    """What the page tells its script."""
    found = re.search(r'<script id="talk" type="application/json">(.*?)</script>', page.content.decode())
    assert found
    return json.loads(found[1])


def test_the_page_knows_whom_one_talks_with(staff: Any) -> None:
    agent = AgentFactory(live__welcome="Good day & welcome.")
    page = staff.get(address(agent))
    assert page.status_code == 200
    assert told(page)["welcome"] == "Good day & welcome."
    assert (told(page)["agent"], told(page)["release"]) == (str(agent.pk), None)
    assert "ears: built-in" in page.content.decode()
    assert address(agent) in staff.get(f"/admin/agents/agent/{agent.pk}/playground/").content.decode()


def test_it_may_use_the_microphone_which_other_pages_may_not(staff: Any) -> None:
    agent = AgentFactory()
    talk, other = staff.get(address(agent)), staff.get(f"/admin/agents/agent/{agent.pk}/playground/")
    assert "microphone=(self)" in talk["Permissions-Policy"]
    assert "camera=()" in talk["Permissions-Policy"]
    assert "microphone=()" in other["Permissions-Policy"]


def test_a_preview_is_tried_by_voice_too(staff: Any) -> None:
    agent = AgentFactory()
    preview = ReleaseFactory(agent=agent, welcome="The new one.")
    page = staff.get(address(agent, f"?release={preview.pk}"))
    assert (told(page)["release"], told(page)["welcome"]) == (str(preview.pk), "The new one.")
    assert "not live" in page.content.decode()
    other = ReleaseFactory()
    for query in ("?release=x", f"?release={other.pk}"):
        assert told(staff.get(address(agent, query)))["release"] is None


def test_without_a_release_there_is_nobody_to_talk_with(staff: Any) -> None:
    text = staff.get(address(AgentFactory(live=False))).content.decode()
    assert "has no release yet" in text
    assert "data-begin" not in text


@pytest.mark.parametrize("role", list(Role))
def test_who_may_talk_has_the_page(in_harbour: Any, client_for: Any, staff_of: Any, role: Role) -> None:
    person = client_for(in_harbour, staff_of(in_harbour, role=role))
    may = role in {Role.OWNER, Role.BUILDER, Role.SUPPORTER}
    assert person.get(address(AgentFactory())).status_code == (200 if may else 403)


def test_another_company_s_agent_is_not_there(staff: Any, agency: Any) -> None:
    with use_tenant(agency):
        foreign = AgentFactory()
    assert staff.get(address(foreign)).status_code == 404
