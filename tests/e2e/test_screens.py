"""Every screen, light and dark, wide and narrow: nothing to scroll sideways, no error, nobody shut out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


@pytest.fixture(scope="module")
def parts(platform: Platform, hotel: Company) -> dict[str, str]:
    """Ids of a part of each kind, with something to see in each."""

    def made(registry: str, **fields: Any) -> str:
        name = f"screens-{uuid.uuid4().hex[:6]}"
        return str(hotel.made(f"/api/v1/{registry}", {"name": name, "slug": name, **fields})["id"])

    prompt = made(
        "prompts",
        content={"template": "Open {{ hours }}. Call {{ nobody }}.", "variables": [{"name": "hours"}]},
        tags=["desk"],
    )
    arguments = {"type": "object", "properties": {"guests": {"type": "integer"}}, "required": ["guests"]}
    tool = made("tools", content={"kind": "http", "description": "Books.", "input_schema": arguments})
    personality = made("personalities", content={"instructions": "Warm.", "languages": ["en", "de"]})
    runtime = platform.rows(hotel, "SELECT id FROM agents_runtimeconfig WHERE slug = 'marina'")[0]["id"]
    return {"prompt": prompt, "tool": tool, "personality": personality, "runtime_config": str(runtime)}


@pytest.fixture(scope="module")
def preview(hotel: Company) -> str:
    """A release of the hotel's agent that differs from the live one."""
    name = f"screens-{uuid.uuid4().hex[:6]}"
    text = "You are Marina, the concierge. Answer from the passages you are given, in one sentence."
    prompt = hotel.made("/api/v1/prompts", {"name": name, "slug": name, "content": {"template": text}})
    hotel.made(f"/api/v1/prompts/{prompt['id']}/publish", {})
    release = {"prompt": f"{name}@latest", "message": "Shorter answers"}
    return str(hotel.made(f"/api/v1/agents/{hotel.agent_id}/releases", release)["id"])


@pytest.fixture(scope="module")
def talked(platform: Platform, hotel: Company, said: Said) -> str:
    """A voice session in which all sorts of things happened."""
    session, turn = str(uuid.uuid4()), str(uuid.uuid4())
    platform.rows(
        hotel,
        "INSERT INTO voice_worker_voicesession (id, conversation_id, channel, status, worker, end_reason, recording,"
        " started_at, ended_at)"
        " VALUES (%s, %s, 'audio', 'ended', 'voice-1', 'ended', '', now(), now() + '9 s'::interval) RETURNING id",
        session,
        said.conversation,
    )
    for kind, at, until, data in (
        ("user_speech", 400, 1900, "{}"),
        ("transcript", 2080, None, '{"text": "When is the pool open on Sundays?"}'),
        ("llm", 2100, 2900, '{"first_token_ms": 240, "model": "small-1"}'),
        ("tool", 2200, 2300, '{"name": "weather", "ok": false}'),
        ("tts", 2350, 3300, '{"first_audio_ms": 130}'),
        ("agent_speech", 2480, 8000, '{"text": "From eight to eight.", "interrupted": true}'),
        ("vision", 5000, None, '{"frames": 2}'),
        ("state", 0, None, '{"state": "listening"}'),
        ("error", 8100, None, '{"code": "tts_failed"}'),
    ):
        platform.rows(
            hotel,
            "INSERT INTO voice_worker_timelineentry (id, session_id, kind, at_ms, until_ms, turn_id, data)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb) RETURNING id",
            str(uuid.uuid4()),
            session,
            kind,
            at,
            until,
            turn if kind in {"llm", "tool", "tts", "agent_speech"} else None,
            data,
        )
    return session


@pytest.fixture
def address_of(
    hotel: Company, said: Said, document: str, parts: dict[str, str], preview: str, talked: str
) -> Callable[[str], str]:
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
        "profile": f"{agent}/profile/",
        "new-agent": "/admin/agents/agent/add/",
        "compose": f"{agent}/releases/new/",
        "release": f"{agent}/releases/{preview}/",
        "go-live": f"{agent}/releases/{preview}/go-live/",
        "canary": f"{agent}/releases/{preview}/canary/",
        "prompts": "/admin/agents/prompt/",
        "prompt": f"/admin/agents/prompt/{parts['prompt']}/change/",
        "versions": f"/admin/agents/prompt/{parts['prompt']}/versions/",
        "publish": f"/admin/agents/prompt/{parts['prompt']}/publish/",
        "runtime-config": f"/admin/agents/runtimeconfig/{parts['runtime_config']}/change/",
        "tool": f"/admin/agents/tool/{parts['tool']}/change/",
        "personality": f"/admin/agents/personality/{parts['personality']}/change/",
        "new-tool": "/admin/agents/tool/add/",
        "endpoint": "/admin/agents/modelendpoint/add/",
        "playground": f"{agent}/playground/",
        "talk": f"/admin/voice_worker/voicesession/talk/{hotel.agent_id}/",
        "voice-sessions": "/admin/voice_worker/voicesession/",
        "voice-session": f"/admin/voice_worker/voicesession/{talked}/change/",
        "conversations": "/admin/conversations/conversation/",
        "thread": f"/admin/conversations/conversation/{said.conversation}/change/",
        "key": "/admin/tenants/apikey/add/",
        "forgotten": "/admin/login/forgotten/",
        "second-factor": "/admin/second-factor/",
        "team": "/admin/staff/user/",
        "invite": "/admin/staff/invitation/add/",
        "sso": "/admin/staff/ssoconnection/add/",
        "sign-in": "/admin/staff/signinpolicy/",
        "api-docs": "/api/docs",
    }
    return lambda screen: f"{hotel.url}{places[screen]}"


def assert_kind_to_everybody(page: Page, screen: str, *, is_new: bool = False) -> None:
    """What every screen owes everybody, in both themes and on a desk as in a hand.

    Args:
        is_new: the page was loaded just now, in a light window.
    """
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        if theme == "dark" or not is_new:
            page.reload()
        page.wait_for_load_state("networkidle")
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 844})
            until_still(page)
            # Colours are a theme's and places a width's: each is read once, for reading a long page takes seconds.
            is_read = (device == "desk") is (theme == "light")
            corner = assert_kind(page, f"{screen}-{device}-{theme}", is_read=is_read)
            assert (max(corner) < 90) is (theme == "dark"), f"{screen} doesn't follow the theme {theme}"


def until_still(page: Page) -> None:
    """Wait for what moves to its end, such as a sidebar that slides away or a colour that fades."""
    page.evaluate(
        """() => {
          const moves = (animation) => animation.effect?.getComputedTiming().iterations !== Infinity;
          const frame = () => new Promise(requestAnimationFrame);
          const still = frame().then(frame).then(() =>
            Promise.allSettled(document.getAnimations().filter(moves).map((animation) => animation.finished)));
          return Promise.race([still, new Promise((enough) => setTimeout(enough, 2000))]).then(() => null);
        }"""
    )


def assert_kind(page: Page, name: str, *, is_read: bool = True) -> tuple[int, ...]:
    """The colour in the screen's first corner: red, green, blue.

    Args:
        is_read: whether axe reads all of it, too.
    """
    path = ARTIFACTS / "screens" / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window, f"{name} is {wide} px wide in a window of {window} px"
    grave = [
        f"{name}: {violation['id']} ({violation['impact']}): {violation['help']}\n"
        + "\n".join(
            f"    {node['html'][:160]} {node['any'] and node['any'][0]['message']}" for node in violation["nodes"][:4]
        )
        for violation in (Axe().run(page).response["violations"] if is_read else ())
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
        "profile",
        "new-agent",
        "compose",
        "release",
        "go-live",
        "canary",
        "prompts",
        "prompt",
        "versions",
        "publish",
        "runtime-config",
        "tool",
        "personality",
        "new-tool",
        "endpoint",
        "playground",
        "talk",
        "voice-sessions",
        "voice-session",
        "conversations",
        "thread",
        "key",
        "forgotten",
        "second-factor",
        "team",
        "invite",
        "sso",
        "sign-in",
        "api-docs",
    ],
)
def test_a_screen_fits_and_is_accessible(
    windows: Windows, hotel: Company, address_of: Callable[[str], str], screen: str
) -> None:
    page = windows.open(None if screen in {"login", "forgotten"} else hotel)

    response = page.goto(address_of(screen))

    assert response
    assert response.status == 200
    assert_kind_to_everybody(page, screen, is_new=True)


def test_an_answer_with_its_sources_fits_and_is_accessible(windows: Windows, hotel: Company) -> None:
    page = windows.open(hotel)
    open_playground(page, hotel)

    ask(page, QUESTION)

    expect(finished_answer(page).locator("a.sb-cite").first).to_be_visible()
    assert_kind_to_everybody(page, "answer")
