"""Tests of an agent, from the first sentence to a run that fails, by somebody who doesn't program."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.test_screens import assert_kind_to_everybody
from tests.platform_process import Company, Platform

CASES = "/admin/agents/testcase/"


def live_release(platform: Platform, hotel: Company) -> str:
    found = platform.rows(hotel, "SELECT live_release_id FROM agents_agent WHERE id = %s", hotel.agent_id)
    return str(found[0]["live_release_id"])


def release_with(hotel: Company, *cases: str) -> str:
    body = {"prompt": "marina@latest", "collections": ["staying", "eating-spa-events"], "test_cases": list(cases)}
    return str(hotel.made(f"/api/v1/agents/{hotel.agent_id}/releases", body)["id"])


def write_a_case(page: Page, hotel: Company, name: str) -> str:
    """The id of a case that the hotel's agent fails."""
    page.goto(f"{hotel.url}{CASES}add/?agent={hotel.agent_id}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("The contact says").fill("When is the pool open on Sundays?")
    page.get_by_label("These words").fill("08:00\u201318:00")
    page.get_by_role("button", name="Add an expectation").click()
    page.get_by_label("The answer", exact=True).last.select_option(label="cites the document")
    page.get_by_label("Title or filename").fill("House Rules")
    page.get_by_label("Page", exact=True).fill("4")
    page.get_by_role("button", name="Add a turn").click()
    page.get_by_label("The contact says").last.fill("And what does a day guest pay?")
    page.get_by_label("The answer", exact=True).last.select_option(label="is judged to meet")
    page.get_by_label("What a good answer does, in words").fill("It names a price and says when it applies.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Releases made from now on carry it.")).to_be_visible()
    return page.url.split("/")[-3]


def test_cases_are_written_run_and_compared(windows: Windows, platform: Platform, hotel: Company) -> None:
    page = windows.open(hotel)
    of_the_demo = platform.rows(
        hotel, "SELECT id FROM agents_testcase WHERE deleted_at IS NULL AND name NOT LIKE 'Pool, and %%'"
    )
    name = f"Pool, and what it costs {uuid.uuid4().hex[:4]}"

    page.goto(f"{hotel.url}/admin/agents/testcase/release/{live_release(platform, hotel)}/")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Green", exact=True).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("3 of 3 done")).to_be_visible()

    case = write_a_case(page, hotel, name)
    expect(page.get_by_label("The contact says")).to_have_count(2)
    assert_kind_to_everybody(page, "test-case")
    page.set_viewport_size({"width": 1280, "height": 844})
    page.get_by_role("button", name="Edit as JSON").click()
    expect(page.get_by_label("Conversation").last).to_contain_text('"kind": "judge"')

    release = release_with(hotel, case, *(str(row["id"]) for row in of_the_demo))
    page.goto(f"{hotel.url}/admin/agents/testcase/release/{release}/")
    expect(page.get_by_text("Not run yet")).to_be_visible()
    page.get_by_role("button", name="Run the tests").click()
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The answer cites Salt & Stone Spa instead.")).to_be_visible()
    expect(page.get_by_text("names no judge model")).to_be_visible()
    expect(page.get_by_text("Compared with #1")).to_be_visible()
    assert_kind_to_everybody(page, "test-run")

    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(f"{hotel.url}{CASES}")
    assert_kind_to_everybody(page, "test-cases")


def test_a_pattern_that_cannot_be_run_is_told_at_its_place(windows: Windows, hotel: Company) -> None:
    page = windows.open(hotel)
    page.goto(f"{hotel.url}{CASES}add/?agent={hotel.agent_id}")
    page.get_by_label("Name").fill("Bad pattern")
    page.get_by_label("The contact says").fill("Hello")
    page.get_by_label("The answer", exact=True).select_option(label="matches the pattern")
    page.get_by_label("Pattern", exact=True).fill("a(?=b)")

    page.get_by_role("button", name="Save").click()

    windows.forgive("422")
    expect(page.get_by_text("Turn 1, expectation 1, pattern:")).to_be_visible()
    expect(page.get_by_label("Pattern", exact=True)).to_have_value("a(?=b)")
