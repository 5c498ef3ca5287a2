"""Meetings and talks for whoever has no mouse and sees no lamp."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.keyboard import walk
from tests.e2e.test_meetings import MEETINGS, agent_in, begun, link_for, link_for_guest, someone
from tests.e2e.test_talk import state_of, talk_at
from tests.model_server.process import ModelServer
from tests.platform_process import Company
from tests.voice_worker.livekit_server import LiveKitServer

THREAD = ["What was written and said", "Write a message", "Send"]


def press_on(page: Page, button: str, key: str = "Enter") -> None:
    page.get_by_role("button", name=button).focus()
    page.keyboard.press(key)


def assert_focus_stays_in_a_room(page: Page) -> None:
    microphone, which = page.get_by_role("button", name="Microphone"), page.get_by_label("Which microphone")
    expect(which).to_be_visible(timeout=60_000)
    expect(microphone).to_be_focused()
    page.keyboard.press("Space")
    expect(microphone).to_have_attribute("aria-pressed", "false")
    expect(microphone).to_be_focused()
    page.keyboard.press("Space")
    expect(microphone).to_have_attribute("aria-pressed", "true")
    before = which.input_value()
    which.focus()
    page.keyboard.press("ArrowDown")
    expect(which).not_to_have_value(before)
    expect(which).to_be_focused()


def test_a_meeting_is_gone_to_and_left_by_keyboard_alone(
    windows: Windows, hotel: Company, livekit_at: LiveKitServer, voice_worker: None
) -> None:
    contact = someone()
    meeting = begun(hotel, contact)
    ada, bob = windows.open(), windows.open(width=390)
    ada.goto(link_for(hotel, meeting, contact))
    expect(ada.get_by_role("button", name="Join")).to_be_visible()
    assert walk(ada) == ["Your name", "Begin with my microphone on", "Join", *THREAD]
    ada.get_by_label("Your name").focus()
    ada.keyboard.type("Ada")
    ada.keyboard.press("Enter")
    assert_focus_stays_in_a_room(ada)
    devices = ["Microphone", "Which microphone", "Camera", "Screen", "Captions"]
    assert walk(ada) == ["People in the meeting", *THREAD, *devices, "Thread", "Hang up"]

    bob.goto(link_for_guest(hotel, meeting))
    expect(bob.get_by_role("button", name="Join")).to_be_visible()
    assert walk(bob) == ["Begin with my microphone on", "Join"]
    press_on(bob, "Join")
    expect(bob.get_by_label("Which microphone")).to_be_visible(timeout=60_000)
    assert walk(bob) == ["People in the meeting", *devices, "Hang up"]
    news = ada.get_by_role("log", name="Who comes and goes")
    expect(news).to_contain_text("Bob has come.")
    expect(agent_in(ada)).to_be_visible(timeout=60_000)
    ada.get_by_role("log", name="What was written and said").focus()
    livekit_at.remove("agent", meeting["room"])
    expect(news).to_contain_text("has left.")
    expect(ada.get_by_role("log", name="What was written and said")).to_be_focused()
    ada.keyboard.press("t")
    expect(ada.get_by_role("complementary")).to_be_hidden()
    expect(ada.get_by_role("button", name="Thread")).to_be_focused()
    ada.keyboard.press("Space")
    expect(ada.get_by_role("complementary")).to_be_visible()

    press_on(ada, "Hang up")
    expect(ada.get_by_role("status").filter(has_text="You have hung up.")).to_be_visible()
    expect(ada.get_by_role("button", name="Join again")).to_be_focused()
    hotel.made(f"{MEETINGS}/{meeting['id']}/end", {})
    for page, goes_on_at in ((ada, ada.get_by_label("Write a message")), (bob, bob.locator("[data-closed]"))):
        expect(page.get_by_role("status").filter(has_text="The meeting is over.")).to_be_visible(timeout=60_000)
        expect(goes_on_at).to_be_focused()


def test_a_talk_is_begun_held_and_ended_by_keyboard_alone(
    windows: Windows, hotel: Company, model_server_process: ModelServer
) -> None:
    page = windows.open(hotel)
    page.goto(talk_at(hotel, hotel.agent_with_model("stub-50x20", model_server_process.url)))
    expect(state_of(page)).to_have_text("Not connected")

    def of_the_talk() -> list[str]:
        """Without the admin's own navigation, which comes before it."""
        stops = walk(page)
        return stops[stops.index("release #1") + 1 :]

    assert of_the_talk() == ["Talk", "Open microphone", "Microphone"]
    press_on(page, "Talk")
    expect(page.get_by_role("button", name="Hang up")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Listening")).to_be_visible(timeout=90_000)
    expect(page.get_by_role("button", name="Hang up")).to_be_focused()
    assert of_the_talk() == ["Hang up", "Mute", "Open microphone", "Microphone"]

    press_on(page, "Mute", "Space")
    expect(page.get_by_role("button", name="Unmute")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Push to talk")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    hold = page.get_by_role("button", name="Hold to talk")
    expect(hold).to_be_focused()
    page.keyboard.down("Space")
    expect(hold).to_have_attribute("aria-pressed", "true")
    page.keyboard.up("Space")
    expect(hold).to_have_attribute("aria-pressed", "false")
    assert of_the_talk() == ["Hang up", "Hold to talk", "Push to talk", "Microphone"]

    press_on(page, "Hang up")
    expect(page.get_by_role("button", name="Talk", exact=True)).to_be_focused()
    expect(page.get_by_role("status").filter(has_text=re.compile("Not connected"))).to_be_visible()
    assert of_the_talk() == ["What happened in this talk, and when", "Talk", "Push to talk", "Microphone"]
