"""Changing what an agent does, from the first draft to the way back, as a builder does it in a browser."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.staff import ask, finished_answer
from tests.platform_process import Company

CONTACTS = 24


@pytest.fixture
def name() -> str:
    """What this test calls the things it makes."""
    return f"Reception {uuid.uuid4().hex[:6]}"


def new(page: Page, hotel: Company, kind: str, name: str) -> None:
    page.goto(f"{hotel.url}/admin/agents/{kind}/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("button", name="Save draft")).to_be_visible()


def publish(page: Page, message: str) -> None:
    """Save what is in the editor and publish it."""
    page.get_by_role("button", name="Save and publish").click()
    page.get_by_label("What changed, and why?").fill(message)
    page.get_by_role("button", name=re.compile("Publish version")).click()
    expect(page.get_by_text("is published")).to_be_visible()


def compose(page: Page, hotel: Company, agent: str, message: str) -> str:
    """The address of a new release, once its parts are chosen on the page that is open."""
    page.get_by_label("Why this release?").fill(message)
    page.get_by_role("button", name="Make the release").click()
    expect(page.get_by_role("heading", name=message)).to_be_visible()
    return page.url


def served(hotel: Company, agent: str) -> set[str]:
    """The releases that new conversations of several contacts begin on."""
    bodies = ({"agent": agent, "contact": f"contact-{number}"} for number in range(CONTACTS))
    return {str(hotel.made("/api/v1/conversations", body)["release"]) for body in bodies}


def test_an_agent_is_composed_changed_tried_on_half_and_rolled_back(
    windows: Windows, hotel: Company, name: str
) -> None:
    page = windows.open(hotel)
    new(page, hotel, "prompt", name)
    page.get_by_label("Instructions").fill("You are the reception. Breakfast is {{ breakfast }}.")
    page.get_by_role("button", name="Declare breakfast").click()
    page.get_by_label("Description").fill("When breakfast is served")
    page.locator("#example-breakfast").fill("from 7 to 11")
    expect(page.locator("[data-rendered]")).to_have_text("You are the reception. Breakfast is from 7 to 11.")
    publish(page, "The first words")
    prompt = page.url.replace("versions", "change")
    new(page, hotel, "personality", name)
    page.get_by_label("How it speaks").fill("You are warm and brief.")
    publish(page, "Its voice")

    page.goto(f"{hotel.url}/admin/agents/agent/from-parts/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()
    agent = page.url.split("/")[-3]
    overview = page.url
    page.get_by_role("link", name="Write its profile").click()
    page.get_by_label("What it is for").fill("Answers guests at the desk.")
    publish(page, "What it is for")

    page.goto(f"{overview.removesuffix('change/')}releases/new/")
    page.get_by_label("Prompt").select_option(label=f"{name} · v1")
    page.get_by_label("breakfast").fill("from 7 to 11")
    page.get_by_label("Personality").select_option(label=f"{name} · v1")
    page.get_by_label("Staying with us").check()
    compose(page, hotel, agent, "The first release")
    page.get_by_role("link", name="Go live").click()
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("is live.")).to_be_visible()
    first = served(hotel, agent)
    assert len(first) == 1

    page.goto(prompt)
    page.get_by_label("Instructions").fill("You are the reception, in one sentence. Breakfast is {{ breakfast }}.")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved")).to_be_visible()
    page.get_by_role("link", name="Versions").first.click()
    expect(page.locator("ins")).to_have_text(", in one sentence")
    page.get_by_role("link", name="Draft", exact=True).click()
    publish(page, "Shorter")

    page.goto(overview)
    page.get_by_role("link", name="New release").click()
    expect(page.get_by_label("breakfast")).to_have_value("from 7 to 11")
    second = compose(page, hotel, agent, "Shorter answers")
    expect(page.locator("ins", has_text="in one sentence")).to_be_visible()
    page.get_by_role("link", name="Try it").click()
    ask(page, "When is check-out?")
    expect(finished_answer(page)).to_contain_text("Release #2")

    page.goto(second)
    page.get_by_role("link", name="Canary", exact=True).click()
    page.get_by_label("Share of contacts", exact=True).fill("50")
    page.get_by_role("button", name="Start the canary").click()
    expect(page.get_by_text("canary 50 %")).to_be_visible()
    assert len(served(hotel, agent)) == 2

    page.goto(second)
    page.get_by_role("link", name="Go live").click()
    page.get_by_role("button", name="Go live").click()
    page.get_by_role("link", name="The first release").click()
    page.get_by_role("link", name="Roll back to this").click()
    page.get_by_label("Why?").fill("Guests missed the details")
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("rollback to #1")).to_be_visible()
    expect(page.get_by_text("Guests missed the details")).to_be_visible()
    assert len(served(hotel, agent)) == 1
    assert not served(hotel, agent) & first


def test_two_people_edit_one_prompt_and_nothing_is_lost(windows: Windows, hotel: Company, name: str) -> None:
    mine, theirs = windows.open(hotel), windows.open(hotel)
    new(mine, hotel, "prompt", name)
    theirs.goto(mine.url)
    theirs.get_by_label("Instructions").fill("Breakfast is from seven, says she.")
    theirs.get_by_role("button", name="Save draft").click()
    expect(theirs.get_by_text("The draft is saved")).to_be_visible()

    mine.get_by_label("Instructions").fill("Breakfast is from eight, says he.")
    mine.get_by_role("button", name="Save draft").click()

    expect(mine.locator("del").first).to_contain_text("seven")
    expect(mine.locator("ins").first).to_contain_text("eight")
    windows.forgive("status of 412")
    mine.get_by_role("button", name="Merge in the editor").click()
    expect(mine.get_by_label("Instructions")).to_have_value("Breakfast is from eight, says he.")
    mine.get_by_label("Instructions").fill("Breakfast is from seven, says she; from eight, says he.")
    mine.get_by_role("button", name="Save draft").click()
    expect(mine.get_by_text("The draft is saved")).to_be_visible()


def test_a_tools_arguments_are_a_table_and_its_mistakes_stand_at_their_fields(
    windows: Windows, hotel: Company, name: str
) -> None:
    page = windows.open(hotel)
    new(page, hotel, "tool", name)
    page.get_by_label("When to use it").fill("Books a table.")
    expect(page.get_by_text("Give the URL that carries it out.")).to_be_visible()
    page.get_by_label("Address or name").fill("https://tables.example.com/book")
    expect(page.get_by_text("Give the URL that carries it out.")).to_be_hidden()
    page.get_by_role("button", name="Add an argument").click()
    page.keyboard.type("guests")
    page.get_by_role("button", name="Add an argument").click()
    page.keyboard.type("when")
    page.get_by_label("Type").first.select_option(label="whole number")
    page.get_by_label("Required").first.check()
    page.get_by_role("button", name="Edit as JSON").click()
    expect(page.get_by_label("Arguments")).to_have_value(re.compile(r'"guests": \{\s+"type": "integer"'))
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved")).to_be_visible()
    page.reload()
    kept = {page.get_by_label("Name", exact=True).nth(row).input_value(): row - 1 for row in (1, 2)}
    assert set(kept) == {"guests", "when"}
    expect(page.get_by_label("Required").nth(kept["guests"])).to_be_checked()


def test_five_answers_make_an_agent_and_it_is_found_again(windows: Windows, hotel: Company, name: str) -> None:
    page = windows.open(hotel)
    page.goto(f"{hotel.url}/admin/agents/agent/add/")
    page.get_by_label("What is it called?").fill(name)
    page.get_by_label("What should it do?").fill("You answer guests.")
    page.get_by_role("group", name="What may it answer from?").get_by_label("Staying with us").check()
    page.get_by_role("button", name="Make it and try it").click()
    ask(page, "When is check-out?")
    expect(finished_answer(page)).to_contain_text("Release #1")

    page.goto(f"{hotel.url}/admin/")
    page.keyboard.press("Control+k")
    page.get_by_placeholder("Type to search").press_sequentially(name)
    page.get_by_role("link", name=re.compile(f"{name}.*Agent")).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
