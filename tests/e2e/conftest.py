"""One platform and one browser for all journeys; each journey has its own windows, which must stay free of errors."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready
from tests.e2e.staff import sign_in
from tests.model_server.process import ModelServer
from tests.oidc_provider import Provider, running_provider
from tests.platform_process import ROOT, Company, Platform, running_platform
from tests.voice_worker.livekit_server import LiveKitServer, running_livekit

ARTIFACTS = ROOT / "test-artifacts"


def _silence() -> Path:
    """A second of it: Chromium's own microphone beeps, and an agent that hears something has something to say."""
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / f"silence-{os.getpid()}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(96_000))
    return path


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera and a microphone that are none, which every page may use, and a screen to share.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    f"--use-file-for-fake-audio-capture={_silence()}",
    "--auto-select-desktop-capture-source=Entire screen",
]
# A machine that runs other tests beside these takes its time.
expect.set_options(timeout=30_000)
Theme = Literal["light", "dark"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def identities() -> Iterator[Provider]:
    """A single sign-on provider."""
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="package")
def livekit_at() -> LiveKitServer:
    """Where the platform's LiveKit server is, once it runs: each of the two has to know the other's address."""
    return LiveKitServer(f"ws://127.0.0.1:{free_port()}", "testkey", secrets.token_hex(24))


@pytest.fixture(scope="package")
def voice_health() -> int:
    """The port at which the platform's voice worker tells its health."""
    return free_port()


@pytest.fixture(scope="package")
def platform(
    platform_data: Path,
    model_server_process: ModelServer,
    identities: Provider,
    livekit_at: LiveKitServer,
    voice_health: int,
) -> Iterator[Platform]:
    reached = f"{model_server_process.host_and_port},{identities.host_and_port}"
    keys = (livekit_at.api_key, livekit_at.api_secret)
    environment = {
        **livekit_at.environment(),
        "EGRESS_ALLOW": reached,
        "VOICE_HEALTH_PORT": str(voice_health),
        "VOICE_IDLE_PROCESSES": "1",
        "VOICE_MOST_LOAD": "1",  # a machine that runs tests is busy with them
    }
    with running_platform(platform_data, **environment) as platform:
        webhooks = f"http://127.0.0.1:{platform.port}/webhooks/livekit"
        with running_livekit(port=int(livekit_at.url.rpartition(":")[2]), keys=keys, webhooks=webhooks):
            _wait_until_read(platform)
            yield platform


def _wait_until_read(platform: Platform) -> None:
    """Whoever asks the demo companies' agents something finds their documents."""
    deadline = time.monotonic() + 180
    for company in platform.companies.values():
        while platform.rows(company, "SELECT id FROM knowledge_document WHERE status NOT IN ('ready', 'failed')"):
            assert time.monotonic() < deadline, f"{company.name}'s documents weren't read within 180 s"
            time.sleep(0.2)


@pytest.fixture(scope="package")
def voice_worker(platform: Platform, voice_health: int) -> None:
    """The platform's own, once it takes calls."""
    deadline = time.monotonic() + 180
    while not http_ready(voice_health, "/readyz"):
        assert time.monotonic() < deadline, f"the voice worker wasn't ready within 180 s: {platform.terminal.text}"
        time.sleep(0.2)


@pytest.fixture(scope="package")
def hotel(platform: Platform) -> Company:
    return platform.companies["harbour"]


@pytest.fixture(scope="package")
def agency(platform: Platform) -> Company:
    return platform.companies["agency"]


def browser_program() -> str:
    """Chromium or Chrome, whichever is there."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "These tests need Chromium or Chrome on the PATH; on Debian, `apt install chromium`."
    return program


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program(), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Windows:
    """Opens browser windows, signed in or not, and keeps what goes wrong in them."""

    browser: Browser
    sessions: dict[str, Any]
    troubles: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, company: Company | None = None, *, theme: Theme = "light", width: int = 1280) -> Page:
        """A window of a browser of its own.

        Args:
            company: where it is signed in already; None: nowhere.
            width: in CSS pixels.
        """
        state = self.session_of(company) if company else None
        context = self.browser.new_context(
            color_scheme=theme, viewport={"width": width, "height": 844}, storage_state=state
        )
        self.contexts.append(context)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("console", self._hear)
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.troubles.append(f"{said.location['url']}: {said.text}")

    def forgive(self, pattern: str) -> None:
        """Say that an error is meant. The test fails without it, but the console may tell of it when it likes."""
        self.forgiven.append(pattern)

    def excuse(self, pattern: str) -> None:
        """Say that an error is nobody's here: it may happen or not."""
        self.excused.append(pattern)

    def wait_for_forgiven(self) -> None:
        """Give the console time to tell of what was meant."""
        deadline = time.monotonic() + 10
        pages = [page for context in self.contexts for page in context.pages]
        while pages and self._missing() and time.monotonic() < deadline:
            pages[0].wait_for_timeout(100)

    def check(self) -> None:
        """Fail for what went wrong unmeant, and for what was meant to and didn't."""
        known = [*self.forgiven, *self.excused]
        unmeant = [trouble for trouble in self.troubles if not any(re.search(p, trouble) for p in known)]
        assert not unmeant, "\n".join(unmeant)
        assert not self._missing(), f"nothing like {self._missing()} happened"

    def _missing(self) -> list[str]:
        return [one for one in self.forgiven if not any(re.search(one, trouble) for trouble in self.troubles)]

    def session_of(self, company: Company) -> Any:
        """The cookies of somebody who is signed in there."""
        if company.slug not in self.sessions:
            page = self.open()
            sign_in(page, company)
            self.sessions[company.slug] = page.context.storage_state()
        return self.sessions[company.slug]


@pytest.fixture(scope="package")
def sessions() -> dict[str, Any]:
    """Cookies of those who have signed in once."""
    return {}


@pytest.fixture
def windows(browser: Browser, sessions: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[Windows]:
    windows = Windows(browser, sessions)
    yield windows
    windows.wait_for_forgiven()
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    for number, context in enumerate(windows.contexts, start=1):
        for page in context.pages:
            page.screenshot(path=ARTIFACTS / "journeys" / f"{name}-{number}.png")
        context.close()
    windows.check()


@pytest.fixture(scope="package")
def agent_with_model(hotel: Company, model_server_process: ModelServer) -> Callable[[str], str]:
    """`agent_with_model("stub-50x20")`: the id of an agent at the hotel that a model of the stub server answers for."""

    return lambda model: hotel.agent_with_model(model, model_server_process.url)
