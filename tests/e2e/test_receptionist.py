"""The hotel's receptionist in a real browser: two wishes in one message, a booking, and how each answer came about."""

from __future__ import annotations

import datetime as dt
import random
from string import ascii_lowercase

from playwright.sync_api import expect

from tests.e2e.conftest import Windows
from tests.e2e.staff import ask, finished_answer, open_playground
from tests.e2e.test_screens import assert_kind_to_everybody
from tests.platform_process import Company, Platform

WISHES = "Is the spa open on Sunday, and book me a table for two at eight"


def test_a_guest_asks_and_books_in_one_message(windows: Windows, hotel: Company, platform: Platform) -> None:
    name = f"Ada {''.join(random.choices(ascii_lowercase, k=7)).title()}"
    (agent,) = platform.rows(hotel, "SELECT id FROM agents_agent WHERE slug = 'receptionist'")
    page = windows.open(hotel)
    open_playground(page, hotel, str(agent["id"]))

    ask(page, WISHES)
    answer = finished_answer(page)
    expect(answer).to_contain_text("Salt & Stone Spa")
    expect(answer).to_contain_text("For which day?")
    expect(answer.locator(".sb-turn-steps")).to_contain_text("receptionist-booking")

    ask(page, next_friday().isoformat())
    expect(finished_answer(page)).to_contain_text("What name")
    ask(page, name)
    expect(finished_answer(page)).to_contain_text("Shall I go ahead?")
    ask(page, "yes, please")
    done = finished_answer(page)
    expect(done).to_contain_text(f"in the name of {name}")
    expect(done.locator(".sb-turn-steps")).to_contain_text("done")

    page.goto(f"{hotel.url}/admin/desk/reservation/")
    expect(page.get_by_text(name).first).to_be_visible()
    booked = platform.rows(hotel, "SELECT party_size FROM desk_reservation WHERE name = %s", name)
    assert [row["party_size"] for row in booked] == [2]

    conversation = platform.rows(hotel, "SELECT id FROM conversations_conversation ORDER BY updated_at DESC LIMIT 1")
    page.goto(f"{hotel.url}/admin/conversations/conversation/{conversation[0]['id']}/change/")
    page.get_by_role("link", name="Replay").first.click()
    page.locator("summary", has_text="Routed").click()
    expect(page.locator(".sb-noted", has_text="receptionist-booking")).to_be_visible()
    assert_kind_to_everybody(page, "replay")


def next_friday() -> dt.date:
    today = dt.datetime.now(dt.UTC).date()
    return today + dt.timedelta(days=(4 - today.weekday()) % 7 or 7)
