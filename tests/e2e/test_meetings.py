"""Meetings in a real browser: a contact by a link, staff by a button, an agent that comes and speaks."""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.e2e.conftest import ARTIFACTS, Theme, Windows
from tests.e2e.microphone import Microphone, in_page, listening
from tests.e2e.staff import ask, finished_answer, open_playground
from tests.e2e.test_screens import WIDTHS, assert_kind, until_still
from tests.model_server.process import ModelServer
from tests.platform_process import Company, Platform
from tests.voice_worker.livekit_server import LiveKitServer

MEETINGS = "/api/v1/meetings"
WELCOME = "Welcome to the meeting."
SPOKEN_QUESTION = "what time is breakfast"
SPOKEN_LOOK = "what is on my screen"
# From then on `window.loudest` is how loud the agent has been: 1 is as loud as can be.
LISTEN_TO_AGENT = """() => {
  const context = new AudioContext();
  const ear = context.createAnalyser();
  const agent = document.querySelector("audio[data-of^=agent]");
  context.createMediaStreamSource(agent.srcObject).connect(ear);
  const samples = new Float32Array(ear.fftSize);
  window.loudest = 0;
  setInterval(() => {
    ear.getFloatTimeDomainData(samples);
    window.loudest = Math.max(window.loudest, ...samples.map(Math.abs));
  }, 20);
}"""
THEMES: tuple[Theme, ...] = ("light", "dark")


def begun(company: Company, contact: str = "", **wishes: Any) -> dict[str, Any]:
    """A meeting of a new conversation with the company's agent."""
    made: dict[str, Any] = company.made(MEETINGS, {"agent": company.agent_id, "contact": contact, **wishes})
    return made


def link_for(company: Company, meeting: dict[str, Any], contact: str) -> str:
    token = company.made("/api/v1/tokens", {"contact": contact})["token"]
    return f"{company.url}{meeting['page']}#token={token}"


def link_for_guest(company: Company, meeting: dict[str, Any], name: str = "Bob") -> str:
    made = company.made(f"{MEETINGS}/{meeting['id']}/tokens", {"kind": "guest", "display_name": name})
    return f"{company.url}{meeting['page']}#livekit={made['token']}"


def shown_when(company: Company, meeting: dict[str, Any], reached: Callable[[Any], object]) -> Any:
    """The meeting over REST, once it is as it should be."""
    deadline = time.monotonic() + 60
    while not reached(shown := company.call("GET", f"{MEETINGS}/{meeting['id']}").json):
        assert time.monotonic() < deadline, str(shown)
        time.sleep(0.2)
    return shown


def said_by_agent(shown: dict[str, Any]) -> list[str]:
    return [line["text"] for line in shown["transcript"] if line["speaker"] == "agent"]


def assert_kind_to_all_devices(page: Page, name: str) -> None:
    """As `assert_kind_to_everybody`, for a page whose stream of events never ends."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 844})
            until_still(page)
            corner = assert_kind(page, f"{name}-{device}-{theme}")
            assert (max(corner) < 90) is (theme == "dark"), f"{name} doesn't follow the theme {theme}"


def someone() -> str:
    return f"ada-{uuid.uuid4().hex[:6]}"


def join(page: Page, name: str = "Ada") -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("[data-status]")).to_have_text("You are in the meeting.", timeout=60_000)


@pytest.fixture
def microphone(tmp_path: Path) -> Microphone:
    return Microphone(tmp_path)


@pytest.fixture
def seeing_agent(hotel: Company, model_server_process: ModelServer) -> str:
    """The id of an agent that looks at what is shown, and hears what the journey says."""
    return hotel.agent_with_model(
        "gpt-4.1-mini",
        model_server_process.url,
        provider="openai",
        runtime={
            "welcome_message": WELCOME,
            "vision": {"enabled": True},
            "stt": {"options": {"keyterm": [SPOKEN_QUESTION, SPOKEN_LOOK]}},
        },
    )


def say_by_another(page: Page, microphone: Microphone, which: str, text: str) -> None:
    """Speak, by a microphone that is chosen for it."""
    microphone.will_say((1.0, text))
    page.get_by_label("Which microphone").select_option(label=which)


def agent_in(page: Page) -> Locator:
    return page.get_by_role("listitem").and_(page.locator(".agent"))


def test_a_chat_becomes_a_meeting_in_which_the_agent_hears_sees_and_speaks_and_goes_on_in_writing(
    windows: Windows, hotel: Company, platform: Platform, seeing_agent: str, microphone: Microphone, voice_worker: None
) -> None:
    with listening(windows.browser.browser_type, microphone) as browser:
        page = in_page(browser, windows, hotel)
        open_playground(page, hotel, seeing_agent)
        ask(page, "When is breakfast?")
        expect(finished_answer(page)).to_contain_text("Breakfast is at seven.")

        page.get_by_role("button", name="meeting").click()
        expect(page).to_have_url(re.compile("/meet/"))
        thread = page.get_by_role("log", name="What was written and said")
        expect(thread).to_contain_text("When is breakfast?")
        join(page, "Marina")
        captions = page.locator("[data-captions]")
        expect(captions).to_contain_text(WELCOME, timeout=60_000)
        page.evaluate(LISTEN_TO_AGENT)
        expect(agent_in(page)).to_contain_text("listening", timeout=60_000)

        say_by_another(page, microphone, "Fake Audio Input 1", SPOKEN_QUESTION)
        expect(thread).to_contain_text(SPOKEN_QUESTION, timeout=60_000, ignore_case=True)
        expect(captions).to_contain_text("Breakfast is at seven.", timeout=60_000)
        page.wait_for_function("window.loudest > 0.05")
        expect(agent_in(page)).to_contain_text("listening", timeout=60_000)

        page.keyboard.press("s")
        expect(page.locator(".tile.screen video")).to_be_visible()
        say_by_another(page, microphone, "Fake Audio Input 2", SPOKEN_LOOK)
        expect(captions).to_contain_text(re.compile("Screen share, frame . of ."), timeout=60_000)
        expect(thread).to_contain_text("Screen share, frame", timeout=60_000)
        page.screenshot(path=ARTIFACTS / "journeys" / "meeting.png")
        answers = thread.locator(".by-agent").count()
        page.get_by_label("Write a message").fill("And what do you see on my screen now?")
        page.get_by_role("button", name="Send").click()
        expect(thread.locator(".by-agent").nth(answers)).to_contain_text("Screen share, frame", timeout=60_000)

        page.get_by_role("button", name="Hang up").click()
        expect(page.locator("[data-status]")).to_contain_text("goes on in writing")
        page.get_by_label("Write a message").fill("!say Until tomorrow.")
        page.get_by_role("button", name="Send").click()
        expect(thread.locator(".by-agent").last).to_have_text(re.compile("Until tomorrow."), timeout=60_000)
        expect(page.locator("[data-status]")).to_contain_text("The meeting is over.", timeout=60_000)

        [conversation] = platform.rows(
            hotel, "SELECT id FROM conversations_conversation WHERE agent_id = %s", seeing_agent
        )
        page.goto(f"{hotel.url}/admin/conversations/conversation/{conversation['id']}/change/")
        expect(page.locator("section.sb-turn")).to_have_count(5)
        page.get_by_role("region", name="Voice").get_by_role("link").click()
        expect(page.locator("[data-part=about]")).to_contain_text("Ended", timeout=60_000)
        page.reload()  # all that was booked and noted until its end
        expect(page.locator("[data-part=about]")).not_to_contain_text("parent process")
        lanes = page.locator(".sb-lanes")
        for lane in ("Contact speaks", "Heard", "Answer", "Agent speaks", "Vision"):
            expect(lanes).to_contain_text(lane)
        about = page.locator("[data-part=about]")
        expect(about.locator("div", has_text="Cost").locator("dd")).to_have_text(re.compile(r"0\.\d*[1-9]\d* USD"))
        turns = page.locator("[data-part=answers]")
        expect(turns).to_contain_text(re.compile(SPOKEN_LOOK, re.IGNORECASE))
        page.goto(f"{hotel.url}/admin/billing/usageevent/?q={conversation['id']}")
        booked = page.get_by_role("table")
        for used in (r"Speech to text", r"Text to speech", r"Vision", r"\d frame", r"\$0\.0"):
            expect(booked).to_contain_text(re.compile(used))


def test_two_people_see_each_other_and_write_and_the_second_window_takes_the_firsts_place(
    windows: Windows, hotel: Company, livekit_at: LiveKitServer
) -> None:
    contact = someone()
    meeting = begun(hotel, contact)
    ada = windows.open()
    ada.goto(link_for(hotel, meeting, contact))
    expect(ada.locator("[data-status]")).to_have_text("Nobody is there yet.")
    assert "#" not in ada.url, "the token doesn't stay in the address bar"
    join(ada)
    bob = windows.open(width=390)
    bob.goto(link_for_guest(hotel, meeting))
    expect(bob.get_by_role("complementary")).to_have_count(0)
    bob.get_by_role("button", name="Join").click()
    expect(bob.get_by_role("listitem").filter(has_text="Ada")).to_be_visible(timeout=60_000)
    expect(ada.get_by_role("listitem").filter(has_text="Bob")).to_be_visible()
    ada.get_by_label("Write a message").fill("When is breakfast?")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("log", name="What was written and said")).to_contain_text("07:00", timeout=60_000)
    again = windows.open()
    again.goto(link_for(hotel, meeting, contact))
    join(again, "Ada")
    expect(ada.locator("[data-status]")).to_contain_text("another window")
    state = f"{MEETINGS}/{meeting['id']}/state"
    token = bob.evaluate("JSON.parse(Object.values(sessionStorage)[0]).livekit")
    assert hotel.call("POST", state, {"token": token}).status == 200
    livekit_at.remove("guest", meeting["room"])
    expect(bob.get_by_role("heading", name="You were removed from the meeting")).to_be_visible()
    deadline = time.monotonic() + 60
    while (answer := hotel.call("POST", state, {"token": token})).status != 401:
        assert time.monotonic() < deadline, "whoever was removed is told no more"
        assert answer.status == 200
        time.sleep(0.2)
    hotel.made(f"{MEETINGS}/{meeting['id']}/end", {})
    expect(again.locator("[data-status]")).to_contain_text("The meeting is over.", timeout=60_000)


@contextlib.contextmanager
def no_place_left(platform: Platform, company: Company) -> Iterator[None]:
    """As many voices as a company may have, and more, are at work for it."""
    owner = f"test:{uuid.uuid4()}"
    platform.rows(
        company,
        "INSERT INTO tenants_worklease (kind, object_id, tenant_id, owner, until, attempts, created_at)"
        " SELECT 'voice', gen_random_uuid(), id, %s, now() + '10 min', 1, now()"
        " FROM tenants_tenant, generate_series(1, 100) WHERE slug = %s RETURNING id",
        owner,
        company.slug,
    )
    try:
        yield
    finally:
        platform.rows(company, "DELETE FROM tenants_worklease WHERE owner = %s RETURNING id", owner)


def asked_of(page: Page) -> set[str]:
    """Of which addresses of the API a page asks something, from now on."""
    asked: set[str] = set()

    def note(request: Request) -> None:
        path = urlsplit(request.url).path
        if path.startswith("/api/"):
            asked.add(f"{request.method} {path}")

    page.on("request", note)
    return asked


def test_a_guest_comes_by_link_and_is_told_how_the_agent_stands_and_nothing_that_was_said(
    windows: Windows, hotel: Company, platform: Platform, livekit_at: LiveKitServer, voice_worker: None
) -> None:
    meeting = begun(hotel, someone())
    question = "Who may know what I have booked?"
    hotel.made(f"/api/v1/conversations/{meeting['conversation']}/messages", {"content": question})
    bob, news = windows.open(width=390), "[data-news]"
    asked = asked_of(bob)
    bob.goto(link_for_guest(hotel, meeting))
    expect(bob.locator("[data-status]")).to_have_text("You are invited.")
    assert "#" not in bob.url, "the token doesn't stay in the address bar"
    for of_others in ("Your name", "Write a message"):
        expect(bob.get_by_label(of_others)).to_be_hidden()
    awaited = bob.locator("[data-alone]")
    with no_place_left(platform, hotel):
        bob.get_by_role("button", name="Join").click()
        expect(bob.locator("[data-status]")).to_have_text("You are in the meeting.", timeout=60_000)
        busy = "All of this company's lines are taken. The agent comes as soon as one is free."
        expect(awaited).to_have_text(busy, timeout=60_000)
        expect(bob.locator(news)).to_have_text(re.compile(rf"^\s*The agent is on its way …\s*{busy}"))
    expect(agent_in(bob)).to_be_visible(timeout=60_000)
    expect(awaited).to_be_hidden()
    expect(bob.locator(news)).to_contain_text("has come.")
    livekit_at.remove("agent", meeting["room"])
    expect(awaited).to_have_text("The agent has left.", timeout=60_000)
    hotel.made(f"{MEETINGS}/{meeting['id']}/end", {})
    expect(bob.locator("[data-status]")).to_have_text("The meeting is over.", timeout=60_000)
    expect(bob.get_by_role("heading", name="The meeting is over")).to_be_visible()
    expect(bob.get_by_role("button")).to_have_count(0)
    expect(bob.get_by_text(question)).to_have_count(0)
    assert asked == {f"POST {MEETINGS}/{meeting['id']}/state"}


def test_a_guest_before_the_door_learns_that_the_meeting_or_their_link_has_ended(
    windows: Windows, hotel: Company, livekit_at: LiveKitServer
) -> None:
    meeting = begun(hotel, someone())
    link = link_for_guest(hotel, meeting)
    page, _, token = link.partition("#livekit=")
    claims = jwt.decode(token, options={"verify_signature": False})
    expired = jwt.encode({**claims, "exp": int(time.time()) - 3600}, livekit_at.api_secret, algorithm="HS256")
    windows.forgive("401")
    late = windows.open()
    late.goto(f"{page}#livekit={expired}")
    expect(late.locator("[data-status]")).to_have_text("This link doesn't let you in any more. Ask for a new one.")
    expect(late.get_by_role("heading", name="You can't come in")).to_be_visible()
    assert_kind_to_all_devices(late, "meeting-refused")
    waiting = windows.open()
    waiting.clock.install()
    waiting.goto(link)
    expect(waiting.get_by_role("button", name="Join")).to_be_visible()
    assert_kind_to_all_devices(waiting, "meeting-invited")
    hotel.made(f"{MEETINGS}/{meeting['id']}/end", {})
    waiting.clock.fast_forward("01:00")
    expect(waiting.get_by_role("heading", name="The meeting is over")).to_be_visible()
    assert_kind_to_all_devices(waiting, "meeting-guest-over")
    again = windows.open()
    again.goto(link)
    expect(again.locator("[data-status]")).to_have_text("The meeting is over.")


def test_staff_begin_a_meeting_from_a_conversation_and_from_the_playground(windows: Windows, hotel: Company) -> None:
    conversation = hotel.made("/api/v1/conversations", {"agent": hotel.agent_id})["id"]
    page = windows.open(hotel)
    page.goto(f"{hotel.url}/admin/conversations/conversation/{conversation}/change/")
    page.get_by_role("button", name="Start a meeting").click()
    expect(page).to_have_url(re.compile("/meet/"))
    join(page, "Marina")
    found = hotel.call("GET", f"{MEETINGS}?conversation={conversation}").json["results"]
    assert len(found) == 1
    page.get_by_role("button", name="Hang up").click()
    page.goto(f"{hotel.url}/admin/conversations/conversation/{conversation}/change/")
    expect(page.get_by_role("heading", name="Meetings")).to_be_visible()

    page.goto(f"{hotel.url}/admin/agents/agent/{hotel.agent_id}/playground/")
    page.get_by_role("button", name="meeting").click()
    expect(page).to_have_url(re.compile("/meet/"))
    join(page)


def test_whoever_comes_is_told_beforehand_that_a_meeting_is_recorded(windows: Windows, hotel: Company) -> None:
    for is_recorded in (True, False):
        contact = someone()
        meeting = begun(hotel, contact, consents_to_recording=is_recorded)
        page = windows.open()
        page.goto(link_for(hotel, meeting, contact))
        expect(page.get_by_role("button", name="Join")).to_be_visible()
        expect(page.get_by_text("This meeting is recorded")).to_be_visible(visible=is_recorded)


def test_whoever_may_not_come_in_is_told_so(windows: Windows, hotel: Company, agency: Company) -> None:
    contact = someone()
    meeting = begun(hotel, contact)
    stranger = windows.open()
    stranger.goto(f"{hotel.url}{meeting['page']}")
    expect(stranger.locator("[data-status]")).to_contain_text("doesn't let you in")
    other = windows.open()
    other.goto(link_for(hotel, meeting, someone()))
    expect(other.locator("[data-status]")).to_have_text("There is no such meeting.")
    elsewhere = windows.open()
    token = agency.made("/api/v1/tokens", {"contact": contact})["token"]
    elsewhere.goto(f"{hotel.url}{meeting['page']}#token={token}")
    expect(elsewhere.locator("[data-status]")).to_contain_text("doesn't let you in")
    hotel.made(f"{MEETINGS}/{meeting['id']}/end", {})
    late = windows.open()
    late.goto(link_for(hotel, meeting, contact))
    expect(late.locator("[data-status]")).to_contain_text("The meeting is over.")
    windows.forgive("40[14]")


def test_the_meeting_page_is_kind_to_everybody(windows: Windows, hotel: Company) -> None:
    contact = someone()
    meeting = begun(hotel, contact)
    page = windows.open()
    page.goto(link_for(hotel, meeting, contact))
    expect(page.locator("[data-status]")).to_have_text("Nobody is there yet.")
    assert_kind_to_all_devices(page, "meeting-lobby")
    join(page)
    page.get_by_role("button", name="Camera").click()
    expect(page.locator(".tile video")).to_be_visible()
    page.get_by_role("button", name="Screen").click()
    expect(page.locator(".tile.screen video")).to_be_visible()
    assert_kind_to_all_devices(page, "meeting-room")
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("[data-status]")).to_contain_text("goes on in writing")
    assert_kind_to_all_devices(page, "meeting-over")
