"""The admin's home page: what serves, what waits, what was done."""

from agents.domain.releases import start_canary
from tests.agents.test_admin_editors import HOSTILE
from tests.factories import (
    AgentFactory,
    PromptFactory,
    ReleaseFactory,
)
from tests.query_count import queries


def test_home_says_what_serves_what_waits_and_what_was_done(staff):
    agent = AgentFactory(name="Marina")
    canary = ReleaseFactory(agent=agent)
    waiting = ReleaseFactory(agent=AgentFactory(name="Spa"), message="A calmer voice")
    draft = PromptFactory(name="Half a prompt", published=False)
    start_canary(release=canary, percent=30)
    text = staff.get("/admin/").content.decode()
    assert "as a canary for 30 %" in text
    assert f"Spa #{waiting.number}: A calmer voice" in text
    assert f"/admin/agents/prompt/{draft.pk}/change/" in text
    assert "release.canary_started" in text


def test_home_asks_as_often_for_many_as_for_one(staff):
    ReleaseFactory(agent=AgentFactory())
    PromptFactory(published=False)
    before = queries(staff, "/admin/")
    for _ in range(3):
        ReleaseFactory(agent=AgentFactory())
        PromptFactory(published=False)
    assert queries(staff, "/admin/") == before


def test_home_shows_hostile_names_as_text_and_a_viewer_no_trail(staff, in_harbour, client_for, staff_of):
    AgentFactory(name=HOSTILE)
    PromptFactory(name=HOSTILE, published=False)
    assert "<script>alert" not in staff.get("/admin/").content.decode()
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    assert "Recent changes" not in viewer.get("/admin/").content.decode()
