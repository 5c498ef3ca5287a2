"""A feature flag, from its making to its kill switch, by somebody who doesn't program."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.test_screens import assert_kind_to_everybody
from tests.platform_process import Company


@pytest.fixture
def key() -> str:
    return f"checkout.flow_{uuid.uuid4().hex[:6]}"


def condition(page: Page, number: int) -> Locator:
    return page.locator(".sb-condition").nth(number)


def test_a_flag_is_made_tried_changed_and_switched_off(windows: Windows, hotel: Company, key: str) -> None:
    page = windows.open(hotel)
    page.goto(f"{hotel.url}/admin/flags/flag/add/")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_role("button", name="Add a condition").click()
    condition(page, 0).get_by_label("Attribute", exact=True).select_option(label="Tenant metadata")
    condition(page, 0).get_by_label("Name of the attribute").fill("country")
    condition(page, 0).get_by_label("Comparison").select_option(label="is one of")
    condition(page, 0).get_by_label("Value").fill("DE, AT")

    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Off: no rule matches")).to_be_visible()
    page.get_by_text("More about them").click()
    page.get_by_label("Tenant metadata", exact=True).fill("country = AT")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("rule 1 matches")).to_be_visible()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("If tenant metadata country is one of DE, AT: on")).to_be_visible()
    page.get_by_label("For % of contacts").fill("12.5")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_role("button", name="Move this rule up").last.click()
    page.locator("[data-rule]").first.get_by_label("Then it is").select_option("off")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Always: off")).to_be_visible()
    expect(page.get_by_text("is one of DE, AT for 12.5 %: on")).to_be_visible()
    assert_kind_to_everybody(page, "flag")

    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(f"{hotel.url}/admin/flags/flag/?q={key}")
    page.get_by_role("link", name=f"Switch {key} off").click()
    page.get_by_label("Why").fill("It burns")
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_text(re.compile("is off for everybody"))).to_be_visible()
    page.goto(f"{hotel.url}/admin/flags/flag/?q={key}")
    expect(page.get_by_text("Switched off")).to_be_visible()
    page.get_by_role("button", name=f"Switch on {key}").click()
    expect(page.get_by_text("decided by its rules again")).to_be_visible()
    page.goto(f"{hotel.url}/admin/flags/flag/")
    assert_kind_to_everybody(page, "flags")


def test_of_two_who_edit_the_second_is_told_and_keeps_what_they_wrote(
    windows: Windows, hotel: Company, key: str
) -> None:
    flag = hotel.made("/api/v1/flags", {"key": key})["id"]
    hers, his = windows.open(hotel), windows.open(hotel)
    for page, words in ((hers, "Hers"), (his, "His")):
        page.goto(f"{hotel.url}/admin/flags/flag/{flag}/change/")
        page.get_by_label("Description").fill(words)

    hers.get_by_role("button", name="Save").click()
    expect(hers.get_by_text("is saved. Every server")).to_be_visible()
    his.get_by_role("button", name="Save").click()

    expect(his.get_by_text("Somebody else changed this flag")).to_be_visible()
    windows.forgive("status of 409")
    expect(his.get_by_label("Description")).to_have_value("His")
    his.get_by_role("link", name="Drop mine").click()
    expect(his.get_by_label("Description")).to_have_value("Hers")
