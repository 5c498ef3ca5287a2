"""Every screen, light and dark, wide and narrow: nothing to scroll sideways, no error, nobody shut out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ARTIFACTS, Windows
from tests.e2e.staff import ask, finished_answer, open_playground
from tests.event_reader import Follower
from tests.platform_process import Company, Platform

QUESTION = "When is the pool open on Sundays?"
WIDTHS = {"desk": 1280, "phone": 390}


@dataclass(frozen=True)
class Said:
    """A conversation that was held, and where its first citation leads."""

    conversation: str
    citation: str


@pytest.fixture(scope="module")
def said(hotel: Company) -> Said:
    conversation = hotel.made("/api/v1/conversations", {"agent": hotel.agent_id})["id"]
    follower = Follower(hotel, conversation)
    turn = hotel.made(f"/api/v1/conversations/{conversation}/messages", {"content": QUESTION})["turn"]
    follower.wait_for("done", turn)
    follower.stop()
    return Said(conversation, str(follower.wait_for("citation", turn).data["url"]))


@pytest.fixture(scope="module")
def document(platform: Platform, hotel: Company) -> str:
    return str(platform.rows(hotel, "SELECT id FROM knowledge_document WHERE filename = 'spa.pdf'")[0]["id"])


@pytest.fixture
def address_of(hotel: Company, said: Said, document: str) -> Callable[[str], str]:
    """Where a screen is."""
    agent = f"/admin/agents/agent/{hotel.agent_id}"
    places = {
        "login": "/admin/login/",
        "home": "/admin/",
        "documents": "/admin/knowledge/document/",
        "audit": "/admin/audit/auditevent/",
        "history": f"{agent}/history/",
        "document": f"/admin/knowledge/document/{document}/change/",
        "upload": "/admin/knowledge/document/add/",
        "page": said.citation,
        "agents": "/admin/agents/agent/",
        "agent": f"{agent}/change/",
        "release": f"{agent}/release/",
        "endpoint": "/admin/agents/modelendpoint/add/",
        "playground": f"{agent}/playground/",
        "conversations": "/admin/conversations/conversation/",
        "thread": f"/admin/conversations/conversation/{said.conversation}/change/",
        "key": "/admin/tenants/apikey/add/",
        "api-docs": "/api/docs",
    }
    return lambda screen: f"{hotel.url}{places[screen]}"


def assert_kind_to_everybody(page: Page, screen: str) -> None:
    """What every screen owes everybody, in both themes and on a desk as in a hand."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.reload()
        page.wait_for_load_state("networkidle")
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 844})
            # The sidebar takes a moment to slide away.
            page.evaluate(
                "Promise.race([new Promise(enough => setTimeout(enough, 1000)),"
                " Promise.allSettled(document.getAnimations().map(moving => moving.finished))])"
            )
            corner = assert_kind(page, f"{screen}-{device}-{theme}")
            assert (max(corner) < 90) is (theme == "dark"), f"{screen} doesn't follow the theme {theme}"


def assert_kind(page: Page, name: str) -> tuple[int, ...]:
    """The colour in the screen's first corner: red, green, blue."""
    path = ARTIFACTS / "screens" / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window, f"{name} is {wide} px wide in a window of {window} px"
    grave = [
        f"{name}: {violation['id']} ({violation['impact']}): {violation['help']}\n"
        + "\n".join(
            f"    {node['html'][:160]} {node['any'] and node['any'][0]['message']}" for node in violation["nodes"][:4]
        )
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert not grave, "\n".join(grave)
    with Image.open(path) as picture:
        corner = picture.convert("RGB").getpixel((2, 2))
    assert isinstance(corner, tuple)
    return tuple(int(part) for part in corner)


@pytest.mark.parametrize(
    "screen",
    [
        "login",
        "home",
        "documents",
        "audit",
        "history",
        "document",
        "upload",
        "page",
        "agents",
        "agent",
        "release",
        "endpoint",
        "playground",
        "conversations",
        "thread",
        "key",
        "api-docs",
    ],
)
def test_a_screen_fits_and_is_accessible(
    windows: Windows, hotel: Company, address_of: Callable[[str], str], screen: str
) -> None:
    page = windows.open(None if screen == "login" else hotel)

    response = page.goto(address_of(screen))
    page.wait_for_load_state("networkidle")

    assert response
    assert response.status == 200
    assert_kind_to_everybody(page, screen)


def test_an_answer_with_its_sources_fits_and_is_accessible(windows: Windows, hotel: Company) -> None:
    page = windows.open(hotel)
    open_playground(page, hotel)

    ask(page, QUESTION)

    expect(finished_answer(page).locator("a.sb-cite").first).to_be_visible()
    assert_kind_to_everybody(page, "answer")
