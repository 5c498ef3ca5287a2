"""Versions over REST: published once, compared, returned to; prompts rendered, a default personality chosen."""

from __future__ import annotations

import uuid

import pytest

from agents.models import Personality
from tenants.context import use_tenant
from tests.agents.registries import CONTENTS, NAMED, address_of, every_registry
from tests.at_once import at_once
from tests.factories import (
    PersonalityFactory,
)
from tests.isolation import assert_problem


@pytest.fixture
def made(caller, registry):
    """The answer to making an entry with a draft."""
    answer = caller.post(address_of(registry), {**NAMED, "content": CONTENTS[registry], "tags": ["desk"]})
    assert answer.status_code == 201, answer.content
    return answer


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
    listed = caller.get(f"{at}/versions").json()["results"]
    assert listed == [{key: value for key, value in published.json().items() if key != "content"}]
    assert caller.get(at).json()["has_unpublished_changes"] is False


def test_versions_page_newest_first_and_can_be_returned_to(caller):
    at = caller.post("/api/v1/prompts", {**NAMED, "content": {"template": "One."}})["Location"]
    for text in ("One.", "Two.", "Three."):
        caller.patch(at, {"content": {"template": text}})
        assert caller.post(f"{at}/publish", {"message": text}).status_code == 201
    page = caller.get(f"{at}/versions?limit=2").json()
    numbers = [row["number"] for row in page["results"]]
    assert numbers + [row["number"] for row in caller.get(page["next"]).json()["results"]] == [3, 2, 1]
    seen = caller.get(at)["ETag"]
    back = caller.post(f"{at}/versions/1/restore", headers={"If-Match": seen})
    assert back.status_code == 200
    assert back.json()["content"]["template"] == "One."
    assert_problem(caller.post(f"{at}/versions/2/restore", headers={"If-Match": seen}), 412, "stale")
    assert caller.post(f"{at}/publish", {"message": "Back to the first"}).json()["number"] == 4
    for nothing in (0, 5, 2**31, 10**30):
        assert_problem(caller.get(f"{at}/versions/{nothing}"), 404, "not_found")
        assert_problem(caller.post(f"{at}/versions/{nothing}/restore"), 404, "not_found")


def test_a_request_to_publish_that_is_repeated_publishes_once(caller):
    at = caller.post("/api/v1/prompts", {**NAMED, "content": {"template": "One."}})["Location"]
    key = {"Idempotency-Key": "publish-one"}
    first = caller.post(f"{at}/publish", {"message": "One"}, headers=key)
    caller.patch(at, {"content": {"template": "Two."}})
    again = caller.post(f"{at}/publish", {"message": "One"}, headers=key)
    assert (again.status_code, again.json(), again["Location"]) == (201, first.json(), first["Location"])
    assert caller.get(at).json()["latest_version"] == 1


def test_publishing_at_once_gives_one_version(live_tenants, api, harbour):
    caller = api(harbour)
    at = caller.post("/api/v1/prompts", {**NAMED, "content": {"template": "One."}})["Location"]
    answers = at_once(lambda _: caller.post(f"{at}/publish", {"message": "One"}), range(6))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(caller.get(f"{at}/versions").json()["results"]) == 1


def test_of_all_who_save_the_same_draft_at_once_one_does(live_tenants, api, harbour):
    caller = api(harbour)
    made = caller.post("/api/v1/prompts", {**NAMED, "content": {"template": "One."}})
    at, seen = made["Location"], {"If-Match": made["ETag"]}

    def save(number):
        return caller.patch(at, {"content": {"template": f"Number {number}."}}, headers=seen)

    answers = at_once(save, range(6))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert caller.get(at).json() == won


def test_what_changed_is_told_word_by_word(caller):
    long = "You answer the guests of the harbour hotel in full and friendly sentences."
    at = caller.post("/api/v1/prompts", {**NAMED, "content": {"template": long}})["Location"]
    caller.post(f"{at}/publish", {})
    caller.patch(at, {"content": {"template": long.replace("full and friendly", "short")}})
    (change,) = caller.get(f"{at}/diff").json()["changes"]
    assert (change["path"], change["kind"]) == ("template", "changed")
    removed = "".join(segment["text"] for segment in change["segments"] if segment["side"] == "removed")
    assert "friendly" in removed
    old = "".join(segment["text"] for segment in change["segments"] if segment["side"] != "added")
    new = "".join(segment["text"] for segment in change["segments"] if segment["side"] != "removed")
    assert (old, new) == (long, long.replace("full and friendly", "short"))
    assert caller.get(f"{at}/diff?from=draft&to=1").json()["changes"][0]["new"] == long
    assert caller.get(f"{at}/diff?from=1&to=latest").json() == {"changes": []}
    for query in ("from=2", "to=999999999"):
        assert_problem(caller.get(f"{at}/diff?{query}"), 404, "not_found")
    for query in ("from=first", "to=-1", "to=1.5", "from=%00", "to=9999999999"):
        assert_problem(caller.get(f"{at}/diff?{query}"), 422, "invalid")


def test_a_version_and_a_draft_that_says_the_same_in_fewer_words_dont_differ(caller):
    at = caller.post("/api/v1/runtime-configs", {**NAMED, "content": {}})["Location"]
    caller.post(f"{at}/publish", {})
    assert caller.get(f"{at}/diff").json() == {"changes": []}


# --- prompts ---
@pytest.fixture
def prompt(caller):
    content = {
        "template": "{{ hotel }}, {{ tone }}, {{ tenant_name }}, {{ today }}, {{agent_name}}.",
        "variables": [{"name": "hotel"}, {"name": "tone", "required": False, "default": "calm"}],
    }
    return caller.post("/api/v1/prompts", {**NAMED, "content": content})["Location"]


def test_a_prompt_is_rendered_and_nothing_is_kept(caller, harbour, prompt):
    before = caller.get(prompt).content
    values = {"hotel": "The {{ tone }} Harbour", "today": "2026-01-02", "agent_name": "Ada"}
    text = caller.post(f"{prompt}/render", {"values": values}).json()["text"]
    assert text == f"The {{{{ tone }}}} Harbour, calm, {harbour.name}, 2026-01-02, Ada."
    assert caller.get(prompt).content == before


@pytest.mark.parametrize(
    ("values", "told"), [({}, "hotel"), ({"hotel": " "}, "hotel"), ({"hotel": "H", "colour": "red"}, "colour")]
)
def test_unknown_and_missing_variables_are_refused(caller, prompt, values, told):
    problem = assert_problem(
        caller.post(f"{prompt}/render", {"values": values}), 422, "variables_refused", field="values"
    )
    assert told in problem["detail"]


def test_a_published_version_is_rendered_too(caller, prompt):
    assert_problem(caller.post(f"{prompt}/render", {"values": {}, "version": "latest"}), 404, "not_found")
    caller.post(f"{prompt}/publish", {})
    caller.patch(prompt, {"content": {"template": "New."}})
    body = {"values": {"hotel": "H", "today": "T", "agent_name": "A", "tenant_name": "N"}, "version": "1"}
    assert caller.post(f"{prompt}/render", body).json() == {"text": "H, calm, N, T, A."}
    assert caller.post(f"{prompt}/render", {}).json() == {"text": "New."}


def test_a_short_template_cant_fill_the_memory(caller):
    content = {"template": "{{ a }}" * 10_000, "variables": [{"name": "a"}]}
    at = caller.post("/api/v1/prompts", {**NAMED, "content": content})["Location"]
    refused = caller.post(f"{at}/render", {"values": {"a": "x" * 100_000}})
    assert_problem(refused, 422, "variables_refused")


# --- personalities ---
def test_the_default_personality_is_one(caller, in_harbour):
    first, second = PersonalityFactory(), PersonalityFactory()
    at = "/api/v1/personalities"
    for chosen, other in ((first, second), (second, first)):
        assert caller.patch(f"{at}/{chosen.pk}", {"is_default": True}).json()["is_default"] is True
        assert caller.get(f"{at}/{other.pk}").json()["is_default"] is False
    assert caller.patch(f"{at}/{second.pk}", {"is_default": False}).json()["is_default"] is False


def test_however_many_are_chosen_at_once_one_is_the_default(live_tenants, api, harbour):
    with use_tenant(harbour):
        rows = [PersonalityFactory() for _ in range(6)]
    caller = api(harbour)

    def choose(row):
        return caller.patch(f"/api/v1/personalities/{row.pk}", {"is_default": True}).status_code

    assert at_once(choose, rows) == [200] * 6
    with use_tenant(harbour):
        assert Personality.objects.filter(is_default=True).count() == 1


def test_an_id_that_is_none_is_not_found(caller):
    for registry in CONTENTS:
        assert_problem(caller.get(f"{address_of(registry)}/{uuid.uuid4()}"), 404, "not_found")
        assert caller.get(f"{address_of(registry)}/seven").status_code == 404
