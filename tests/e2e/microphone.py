"""A browser that hears what a test says: Chromium's fake microphone plays a file, anew whenever it is opened.

So whoever speaks twice opens it twice, with another file in its place: by choosing another microphone on the page, as
people do who put on a headset. Every one of Chromium's fake microphones plays the same file.
"""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserType, Page

from tests.e2e.conftest import FLAGS, Windows, browser_program
from tests.platform_process import Company
from tests.voice_worker.speech import silence, spoken

RATE = 48_000
# Longer than anybody waits for what comes after it; a file that is over is played anew, or noise.
_SILENT_AFTER = 90  # seconds


class Microphone:
    """The file that a browser's microphones play."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "microphone.wav"
        self.will_say()

    def will_say(self, *said: tuple[float, str]) -> None:
        """From when it is next opened: these texts, each after so many seconds of silence."""
        sound = b"".join(silence(pause, rate=RATE) + spoken(text, rate=RATE)[0] for pause, text in said)
        aside = self.path.with_suffix(".new")
        with wave.open(str(aside), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(sound + silence(_SILENT_AFTER, rate=RATE))
        aside.replace(self.path)


@contextlib.contextmanager
def listening(browsers: BrowserType, microphone: Microphone) -> Iterator[Browser]:
    """A browser with this microphone, which every page may use."""
    own = f"--use-file-for-fake-audio-capture={microphone.path}%noloop"
    browser = browsers.launch(executable_path=browser_program(), args=[*FLAGS, own])
    try:
        yield browser
    finally:
        browser.close()


def in_page(browser: Browser, windows: Windows, company: Company) -> Page:
    """A window of another browser, signed in by the first one's cookies."""
    context = browser.new_context(storage_state=windows.session_of(company), viewport={"width": 1280, "height": 844})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.on("pageerror", lambda error: windows.troubles.append(f"{page.url}: {error}"))
    return page
