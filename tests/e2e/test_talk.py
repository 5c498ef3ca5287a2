"""Staff talk with an agent by microphone, and see afterwards what happened when."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.e2e.conftest import ARTIFACTS, FLAGS, Windows, browser_program
from tests.e2e.microphone import Microphone, in_page, listening
from tests.platform_process import Company

FAKE = ["--use-fake-device-for-media-stream"]
# Without the devices, and the leave to use them, that other journeys have.
BARE = [flag for flag in FLAGS if not flag.startswith(("--use-fake", "--use-file"))]


def talk_at(company: Company, agent_id: str | None = None, *, conversation: str = "") -> str:
    query = f"?conversation={conversation}" if conversation else ""
    return f"{company.url}/admin/voice_worker/voicesession/talk/{agent_id or company.agent_id}/{query}"


@dataclass
class Heard:
    """What a page's audio websocket brought."""

    audio: bytearray = field(default_factory=bytearray)
    texts: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)

    def _take(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            self.audio += payload
        else:
            self.texts.append(payload)

    @property
    def loudness(self) -> float:
        samples = np.frombuffer(bytes(self.audio), np.int16).astype(float)
        return float(np.sqrt((samples**2).mean())) if len(samples) else 0.0


@pytest.fixture
def speaking(windows: Windows, tmp_path: Path) -> Callable[..., Any]:
    """`speaking((seconds, text), …)`: a browser whose microphone hears these texts, each after so much silence."""

    @contextmanager
    def browser(*said: tuple[float, str]) -> Iterator[Browser]:
        microphone = Microphone(tmp_path)
        microphone.will_say(*said)
        with listening(windows.browser.browser_type, microphone) as started:
            yield started

    return browser


def state_of(page: Page) -> Any:
    return page.locator("[data-state-line]")


def begin(page: Page, company: Company) -> None:
    """Talk, from a page that is open."""
    page.goto(talk_at(company))
    page.get_by_role("button", name="Talk", exact=True).click()
    expect(state_of(page)).to_have_text(re.compile("Listening|Thinking|Speaking"), timeout=90_000)


def test_a_spoken_question_gets_a_spoken_answer(windows: Windows, hotel: Company, speaking: Callable[..., Any]) -> None:
    # A process takes its time before the first talk; whoever speaks to it meanwhile isn't heard.
    with speaking() as browser:
        page = in_page(browser, windows, hotel)
        begin(page, hotel)
        # Nothing else is installed, and nothing is configured.
        for part in ("ears: built-in", "voice: built-in"):
            expect(page.locator(".sb-chat-about")).to_contain_text(part)
    with speaking((10.0, "When is the spa open?")) as browser:
        page, heard = in_page(browser, windows, hotel), Heard()
        heard.listen(page)
        begin(page, hotel)

        expect(page.locator("article.sb-contact .sb-words").first).to_have_text(
            re.compile("spa", re.IGNORECASE), timeout=60_000
        )
        answer = page.locator("article.sb-agent").first
        expect(answer).not_to_have_attribute("aria-busy", "true", timeout=60_000)
        expect(answer.locator("a.sb-cite").first).to_be_visible()
        expect(state_of(page)).to_have_text("Speaking", timeout=60_000)
        deadline = time.monotonic() + 30
        while heard.loudness <= 200:
            assert time.monotonic() < deadline, f"{len(heard.audio)} bytes of sound as loud as {heard.loudness}"
            page.wait_for_timeout(100)

        page.get_by_role("button", name="Stop").click()
        expect(state_of(page)).to_have_text("Listening", timeout=30_000)
        expect(page.get_by_role("button", name="Mute")).to_be_focused()
        page.screenshot(path=ARTIFACTS / "journeys" / "talk.png")
        page.get_by_role("button", name="Hang up").click()
        page.get_by_role("link", name="What happened in this talk, and when").click()
        expect(page.get_by_role("heading", name="What happened", exact=True)).to_be_visible()
        expect(page.locator("[data-entry]").first).to_be_attached(timeout=30_000)
        expect(page.locator(".sb-lanes")).to_contain_text("Contact speaks")
        expect(page.locator(".sb-lanes")).to_contain_text("Agent speaks")
        page.locator("[data-scroll]").focus()
        page.keyboard.press("+")
        expect(page.locator("[data-zoomed]")).to_have_text(re.compile("^2"))


def choose_another_microphone(page: Page) -> None:
    """By keyboard, while the talk goes on; the browser remembers which."""
    which = page.get_by_role("combobox", name="Microphone")
    expect(which.locator("option")).not_to_have_count(1)
    which.focus()
    page.keyboard.press("ArrowDown")
    chosen = which.input_value()
    assert chosen
    expect(page.get_by_role("alert")).to_be_hidden()
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    box = which.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.set_viewport_size(size or {"width": 1280, "height": 844})
    assert page.evaluate("localStorage.getItem('switchboard:microphone')") == chosen


def test_who_holds_no_button_is_not_heard(windows: Windows, hotel: Company, speaking: Callable[..., Any]) -> None:
    with speaking((1.0, "What time is breakfast?")) as browser:
        page = in_page(browser, windows, hotel)
        page.goto(talk_at(hotel))
        page.get_by_label("Push to talk").check()
        page.get_by_role("button", name="Talk", exact=True).click()
        hold = page.get_by_role("button", name="Hold to talk")
        expect(hold).to_be_visible(timeout=60_000)
        page.wait_for_timeout(6_000)
        expect(page.locator("article.sb-contact")).to_have_count(0)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.down("Space")
        expect(hold).to_have_attribute("aria-pressed", "true")
        page.keyboard.up("Space")
        expect(hold).to_have_attribute("aria-pressed", "false")
        choose_another_microphone(page)
        page.get_by_role("button", name="Hang up").click()
        expect(page.get_by_role("button", name="Talk", exact=True)).to_be_focused()
        chosen = page.get_by_role("combobox", name="Microphone").input_value()
        page.reload()
        expect(page.get_by_role("combobox", name="Microphone")).to_have_value(chosen)


def test_without_a_microphone_the_page_says_what_to_do(windows: Windows, hotel: Company) -> None:
    browser = windows.browser.browser_type.launch(executable_path=browser_program(), args=BARE)
    page = in_page(browser, windows, hotel)
    page.goto(talk_at(hotel))
    page.get_by_role("button", name="Talk", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile("The microphone is blocked|There is no microphone"))
    page.context.grant_permissions(["microphone"])
    page.get_by_role("button", name="Talk", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is no microphone")
    page.get_by_role("link", name="Write instead").click()
    expect(page.get_by_label("Your message")).to_be_visible()
    browser.close()


def test_a_blocked_microphone_is_explained(windows: Windows, hotel: Company) -> None:
    flags = [*BARE, *FAKE, "--deny-permission-prompts"]
    browser = windows.browser.browser_type.launch(executable_path=browser_program(), args=flags)
    page = in_page(browser, windows, hotel)
    page.goto(talk_at(hotel))
    page.get_by_role("button", name="Talk", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked")
    expect(state_of(page)).to_have_text("Not connected")
    browser.close()
