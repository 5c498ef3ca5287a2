"""Lists of the registries over REST: filtered, ordered, page by page, and no slower for ten thousand."""

from __future__ import annotations

import pytest

from agents.models import Prompt
from tests.factories import (
    PromptFactory,
)
from tests.isolation import assert_problem
from tests.query_count import queries


@pytest.fixture
def three(in_harbour):
    PromptFactory(name="Breakfast desk", slug="breakfast", tags=["desk", "early"])
    PromptFactory(name="Night desk", slug="night", tags=["desk"], published=False)
    PromptFactory(name="Bar", slug="bar")


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("", ["bar", "night", "breakfast"]),
        ("q=DESK", ["night", "breakfast"]),
        ("q=akfas", ["breakfast"]),
        ("q=%25", []),
        ("q=_", []),
        ("tag=desk", ["night", "breakfast"]),
        ("tag=des", []),
        ("tag=desk&q=night", ["night"]),
        ("published=true", ["bar", "breakfast"]),
        ("published=false", ["night"]),
        ("ordering=name", ["bar", "breakfast", "night"]),
        ("ordering=-name", ["night", "breakfast", "bar"]),
        ("ordering=slug", ["bar", "breakfast", "night"]),
        ("ordering=created_at", ["breakfast", "night", "bar"]),
        ("deleted=true", []),
    ],
)
def test_a_list_is_filtered_and_ordered(caller, three, query, slugs):
    page = caller.get(f"/api/v1/prompts?limit=1&{query}").json()
    found = page["results"]
    while page["next"]:
        page = caller.get(page["next"]).json()
        found += page["results"]
    assert [row["slug"] for row in found] == slugs


@pytest.mark.parametrize(
    "query", ["ordering=draft", "ordering=name,id", "published=perhaps", "deleted=7", "q=%00", "tag=" + "x" * 41]
)
def test_a_filter_that_cant_be_is_refused(caller, three, query):
    assert_problem(caller.get(f"/api/v1/prompts?{query}"), 422, "invalid")


@pytest.mark.parametrize(
    "ordering", ["created_at", "-created_at", "name", "-name", "slug", "drafted_at", "-drafted_at"]
)
@pytest.mark.parametrize("cursor", ["x", "%00", "cD1ub3QtYS11dWlk", "cD0wMDAlMDA=", "bz0tMQ==", "cD0lMDA="])
def test_a_made_up_cursor_is_refused_or_ignored(caller, three, ordering, cursor):
    assert caller.get(f"/api/v1/prompts?ordering={ordering}&cursor={cursor}").status_code in {200, 404}


def test_ten_thousand_entries_cost_a_page_no_more_queries(caller, in_harbour):
    one = PromptFactory()
    first = queries(caller, "/api/v1/prompts?limit=200")
    rows = [Prompt(name=f"Prompt {n}", slug=f"prompt-{n}", draft=one.draft) for n in range(10_000)]
    Prompt.objects.bulk_create(rows, batch_size=2000)
    for query in ("limit=200", "limit=200&q=prompt", "limit=200&ordering=name", "limit=200&published=false"):
        assert queries(caller, f"/api/v1/prompts?{query}") == first
