"""Lists of registries, their versions, publishing, bulk actions and the search for everything."""

import pytest
import yaml

from agents.domain.components import delete_component, publish, save_draft
from agents.models import Prompt
from tenants.context import use_tenant
from tests.agents.test_admin_editors import FACTORIES, HOSTILE, address
from tests.factories import (
    AgentFactory,
    CollectionFactory,
    ConversationFactory,
    DocumentFactory,
    PersonalityFactory,
    PromptFactory,
    ToolFactory,
)
from tests.query_count import queries

PROMPTS = "/admin/agents/prompt/"


def shown(client, query=""):
    """Names on the list of prompts."""
    return [row.name for row in client.get(f"{PROMPTS}{query}").context["cl"].result_list]


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(FACTORIES))
def test_a_list_asks_as_often_for_three_entries_as_for_one(staff, kind):
    FACTORIES[kind](tags=["a"])
    AgentFactory()
    before = queries(staff, f"/admin/agents/{kind}/")
    for _ in range(2):
        FACTORIES[kind](tags=["b"])
        AgentFactory()
    assert queries(staff, f"/admin/agents/{kind}/") == before


def test_the_list_says_what_is_unpublished_and_who_uses_what(staff):
    agent = AgentFactory()
    used = agent.live_release.prompt.component
    idle = PromptFactory(name="Idle")
    save_draft(component=idle, content={"template": "Another."})
    rows = {row.name: row for row in staff.get(PROMPTS).context["cl"].result_list}
    assert (rows[used.name].used_by, rows["Idle"].used_by) == (1, 0)
    text = staff.get(PROMPTS).content.decode()
    assert "1 agent" in text
    assert "Unpublished changes" in text


def test_a_tool_counts_the_agents_it_is_pinned_by(staff):
    from dataclasses import replace

    from agents.domain.composition import Parts
    from agents.domain.releases import go_live, make_release

    tool, agent = ToolFactory(), AgentFactory()
    parts = replace(Parts.of(agent.live_release), tools=(tool.versions.get().pk,))
    go_live(release=make_release(agent=agent, parts=parts))
    (row,) = staff.get("/admin/agents/tool/").context["cl"].result_list
    assert row.used_by == 1


def test_the_list_is_searched_and_filtered(staff):
    PromptFactory(name="Breakfast", tags=["food"])
    changed = PromptFactory(name="Checkout", slug="leaving")
    save_draft(component=changed, content={"template": "Other."})
    PromptFactory(name="Draft", published=False)
    gone = PromptFactory(name="Gone")
    delete_component(component=gone)
    assert shown(staff) == ["Breakfast", "Checkout", "Draft"]
    assert shown(staff, "?q=leav") == ["Checkout"]
    assert shown(staff, "?q=food") == ["Breakfast"]
    assert shown(staff, "?tag=food") == ["Breakfast"]
    assert shown(staff, "?state=changed") == ["Checkout", "Draft"]
    assert shown(staff, "?state=new") == ["Draft"]
    assert shown(staff, "?state=deleted") == ["Gone"]


# --- versions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def prompt():
    """A prompt with two versions and a draft."""
    row = PromptFactory(content={"template": "Breakfast is served from seven until eleven in the winter garden."})
    save_draft(component=row, content={"template": "Breakfast is served from eight until eleven in the winter garden."})
    publish(component=row, message="Later <b>")
    save_draft(component=row, content={"template": "No breakfast."})
    row.refresh_from_db()
    return row


def sides(page):
    """The two texts that a page compares."""
    (change,) = page.context["changes"]
    return change.old, change.new


def test_two_versions_are_compared_word_by_word(staff, prompt):
    text = staff.get(f"{address(prompt, 'versions')}?from=1&to=2").content.decode()
    assert "<del>seven</del>" in text
    assert "<ins>eight</ins>" in text
    assert "Later &lt;b&gt;" in text


def test_the_draft_is_compared_with_the_latest_version_unless_somebody_chooses(staff, prompt):
    page = staff.get(address(prompt, "versions"))
    assert (page.context["old"], page.context["new"]) == ("2", "draft")
    assert sides(page)[1] == "No breakfast."


@pytest.mark.parametrize("query", ["from=1&to=9", "from=x&to=2", "from=1&to=99999999999999999999", "from=-1&to=2"])
def test_a_version_that_isnt_there_is_not_found(staff, prompt, query):
    assert staff.get(f"{address(prompt, 'versions')}?{query}").status_code == 404


def test_a_version_is_published_with_its_message_after_a_look_at_the_difference(staff, prompt):
    assert sides(staff.get(address(prompt, "publish")))[1] == "No breakfast."
    form = {"draft_revision": prompt.draft_revision, "message": "None any more"}
    staff.post(address(prompt, "publish"), form)
    version = prompt.versions.get(number=3)
    assert (version.message, version.created_by.username[:5]) == ("None any more", "staff")


def test_a_draft_that_its_publisher_hasnt_seen_is_not_published(staff, prompt):
    form = {"draft_revision": prompt.draft_revision, "message": "Mine"}
    save_draft(component=prompt, content={"template": "Somebody else's."})
    page = staff.post(address(prompt, "publish"), form)
    assert page.status_code == 412
    assert sides(page)[1] == "Somebody else's."
    assert 'value="Mine"' in page.content.decode()
    assert prompt.versions.count() == 2


def test_a_draft_with_faults_isnt_offered_to_be_published(staff, prompt):
    save_draft(component=prompt, content={"template": "{{ x }}"})
    assert "can't be published yet" in staff.get(address(prompt, "publish")).content.decode()
    prompt.refresh_from_db()
    assert staff.post(address(prompt, "publish"), {"draft_revision": prompt.draft_revision}).status_code == 422


def test_a_past_version_is_brought_back_as_the_draft(staff, prompt):
    place = address(prompt, "versions/1/return")
    assert "from seven" in staff.get(place).content.decode()
    staff.post(place, {"draft_revision": prompt.draft_revision})
    prompt.refresh_from_db()
    assert "from seven" in prompt.draft["template"]
    assert prompt.versions.count() == 2
    assert staff.post(place, {"draft_revision": 1}, follow=True).status_code == 200
    assert staff.get(address(prompt, "versions/9/return")).status_code == 404


# --- deleting, restoring, several at once ----------------------------------------------------------------------------


def act(client, action, rows, **more):
    return client.post(PROMPTS, {"action": action, "_selected_action": [row.pk for row in rows], **more}, follow=True)


def test_an_entry_is_deleted_and_restored(staff):
    row = PromptFactory(name="Breakfast")
    staff.post(address(row, "delete"), {"post": "yes"})
    assert shown(staff) == []
    assert "This prompt is deleted" in staff.get(address(row)).content.decode()
    staff.post(address(row, "restore"))
    assert shown(staff) == ["Breakfast"]


def test_what_serves_isnt_deleted(staff):
    used = AgentFactory().live_release.prompt.component
    page = staff.post(address(used, "delete"), {"post": "yes"}, follow=True)
    assert "which is serving" in page.content.decode()
    act(staff, "delete_selected", [used, PromptFactory(name="Idle")], post="yes")
    assert shown(staff) == [used.name]


def test_several_drafts_are_published_after_a_confirmation(staff):
    rows = [PromptFactory(name=name, published=False) for name in ("A", "B")]
    broken = PromptFactory(name="Broken", published=False, content={"template": "{{ x }}"})
    asked = act(staff, "publish_selected", [*rows, broken])
    assert "Publish 3 prompts?" in asked.content.decode()
    assert not any(row.versions.exists() for row in rows)
    page = act(staff, "publish_selected", [*rows, broken], confirmed="1", message="First").content.decode()
    assert "2 entries were published" in page
    assert "Broken" in page
    assert "used but not declared" in page
    assert [row.versions.get().message for row in rows] == ["First", "First"]


def test_a_tag_is_given_to_several_and_taken_away(staff):
    rows = [PromptFactory(name="A", tags=["old"]), PromptFactory(name="B")]
    act(staff, "tag_selected", rows, confirmed="1", tag="food", way="add")
    assert [row.tags for row in Prompt.objects.order_by("name")] == [["old", "food"], ["food"]]
    act(staff, "tag_selected", rows, confirmed="1", tag="food", way="remove")
    assert [row.tags for row in Prompt.objects.order_by("name")] == [["old"], []]


def test_what_is_published_of_several_is_exported_as_yaml(staff):
    rows = [PromptFactory(name="A", slug="a"), PromptFactory(name="B", published=False)]
    answer = act(staff, "export_selected", rows)
    assert answer["Content-Type"].startswith("application/yaml")
    assert list(yaml.safe_load(answer.content)["prompts"]) == ["a"]
    nothing = act(staff, "export_selected", rows[1:])
    assert "nothing to export" in nothing.content.decode()


def test_a_viewer_is_offered_no_bulk_action(in_harbour, client_for, staff_of):
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    row = PromptFactory(published=False)
    act(viewer, "publish_selected", [row], confirmed="1")
    act(viewer, "delete_selected", [row], post="yes")
    row.refresh_from_db()
    assert (row.latest_version, row.deleted_at) == (0, None)


# --- the search for everything ---------------------------------------------------------------------------------------


def found(client, term):
    answer = client.get("/admin/search/", {"s": term, "extended": 1})
    return [result.title for result in answer.context["results"]] if answer.content else []


def test_everything_is_found_by_a_part_of_its_name(staff):
    PromptFactory(name="Sauna prompt")
    PersonalityFactory(name="Sauna voice")
    AgentFactory(name="Sauna agent")
    CollectionFactory(name="Sauna rules")
    DocumentFactory(title="Sauna leaflet")
    ConversationFactory(title="Is the sauna open?")
    gone = PromptFactory(name="Sauna, deleted")
    delete_component(component=gone)
    titles = set(found(staff, "sauna"))
    assert titles == {
        "Sauna prompt", "Sauna voice", "Sauna agent", "Sauna rules", "Sauna leaflet", "Is the sauna open?",
    }  # fmt: skip
    assert "Prompts" in found(staff, "promp")


def test_the_search_asks_as_often_whatever_it_finds(staff):
    before = queries(staff, "/admin/search/?s=sauna&extended=1")
    for number in range(3):
        PromptFactory(name=f"Sauna {number}")
        DocumentFactory(title=f"Sauna {number}")
    assert queries(staff, "/admin/search/?s=sauna&extended=1") == before


def test_the_search_shows_nothing_of_others_and_nothing_one_may_not_see(
    staff, in_harbour, agency, client_for, staff_of
):
    with use_tenant(agency):
        PromptFactory(name="Foreign sauna")
    PromptFactory(name=f"Sauna {HOSTILE}"[:100])
    assert "Foreign sauna" not in found(staff, "sauna")
    assert "<script>alert" not in staff.get("/admin/search/?s=sauna&extended=1").content.decode()
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    assert "Secrets" in found(staff, "secret")
    assert "Secrets" not in found(viewer, "secret")
    assert found(staff, "x") == []
    assert found(staff, "\x00a%_") == []
