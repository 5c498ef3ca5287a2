"""The five registries over REST: drafted, published, compared, deleted and restored, each tenant's its own."""

from __future__ import annotations

import pytest

from tests.isolation import assert_problem

CONTENTS = {
    "prompts": {"template": "You answer the guests of {{ hotel }}.", "variables": [{"name": "hotel"}]},
    "tools": {"kind": "knowledge", "description": "Looks things up in the house rules."},
    "personalities": {"instructions": "You are calm and brief."},
    "runtime-configs": {"welcome_message": "Welcome to the harbour."},
    "agents": {"description": "Answers guests."},
}
every_registry = pytest.mark.parametrize("registry", CONTENTS)


def address_of(registry: str) -> str:
    return f"/api/v1/{registry}"


@pytest.fixture
def made(caller, registry):
    """A new entry with a draft: its address, what was answered, and its ETag."""
    fields = {"name": "House", "slug": "house", "content": CONTENTS[registry], "tags": ["desk"]}
    answer = caller.post(address_of(registry), fields)
    assert answer.status_code == 201, answer.content
    return answer


@every_registry
def test_an_entry_is_made_shown_and_changed(caller, registry, made):
    at = made["Location"]
    assert at == f"{address_of(registry)}/{made.json()['id']}"
    shown = caller.get(at)
    assert shown.json() == made.json()
    assert shown["ETag"] == made["ETag"]
    assert (shown.json()["content"], shown.json()["tags"]) == (CONTENTS[registry], ["desk"])
    changed = caller.patch(at, {"name": "The house"}, headers={"If-Match": made["ETag"]}).json()
    assert changed == {**made.json(), "name": "The house"}


@every_registry
def test_of_two_editors_the_second_is_told_and_nothing_is_lost(caller, registry, made):
    at, seen = made["Location"], made["ETag"]
    (field,) = list(CONTENTS[registry])[-1:] if registry != "prompts" else ["template"]
    hers = {**CONTENTS[registry], field: "Hers, which is longer."}
    first = caller.patch(at, {"content": hers}, headers={"If-Match": seen})
    assert first.status_code == 200
    assert_problem(caller.patch(at, {"content": {}, "name": "His"}, headers={"If-Match": seen}), 412, "stale")
    assert_problem(caller.post(f"{at}/publish", {}, headers={"If-Match": seen}), 412, "stale")
    assert_problem(caller.delete(at, headers={"If-Match": seen}), 412, "stale")
    now = caller.get(at).json()
    assert (now["content"], now["name"]) == (hers, "House")
    assert caller.patch(at, {"name": "His"}, headers={"If-Match": first["ETag"]}).status_code == 200


@every_registry
def test_a_draft_becomes_a_version_once(caller, registry, made):
    at = made["Location"]
    assert caller.post(f"{at}/validate").json() == {"valid": True, "faults": []}
    published = caller.post(f"{at}/publish", {"message": "The first"})
    assert published.status_code == 201
    assert (published.json()["number"], published.json()["message"]) == (1, "The first")
    again = caller.post(f"{at}/publish", {"message": "Again"})
    assert (again.status_code, again.json()) == (200, published.json())
    assert caller.get(published["Location"]).json() == published.json()
    assert [row["number"] for row in caller.get(f"{at}/versions").json()["results"]] == [1]
    assert caller.get(at).json()["has_unpublished_changes"] is False


@every_registry
def test_what_is_deleted_leaves_the_list_and_can_be_restored(caller, registry, made):
    at, rows = made["Location"], address_of(registry)
    assert caller.delete(at).status_code == 204
    assert_problem(caller.get(at), 404, "not_found")
    assert_problem(caller.post(rows, {"name": "House", "slug": "house"}), 409, "component_exists")
    assert caller.get(rows).json()["results"] == []
    (row,) = caller.get(f"{rows}?deleted=true").json()["results"]
    assert row["deleted_at"]
    assert caller.post(f"{at}/restore").json() == made.json()
    assert caller.get(at).json() == made.json()
    assert caller.get(f"{rows}?deleted=true").json()["results"] == []
