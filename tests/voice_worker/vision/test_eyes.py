"""An agent looks when it is asked to, and only then; how much it sees is the tier's and a flag's to say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents.content.runtime import Vision
from tenants.context import use_tenant
from tests.factories import FlagFactory
from tests.voice_worker.vision.frames import frame_of, patches
from voice_worker.vision.eyes import Eyes, sees_more

ASKED = "What is on my screen?"


def eyes(*, most: int = 5, enabled: bool = True, shown: int = 8, is_advanced: bool = False) -> Eyes:
    """With so many different frames before them, the last of them a second ago."""
    made = Eyes(Vision(enabled=enabled, most_frames=most), is_advanced=is_advanced, clock=lambda: float(shown))
    for number in range(shown):
        made.buffer.offer(frame_of(patches(number)), "screen", at=float(number))
    return made


async def test_the_last_five_frames_go_with_a_question_about_them() -> None:
    ours = eyes()
    images = await ours.see(ASKED)

    assert [image.label for image in images] == [
        "Screen share, frame 1 of 5, 5 s ago (first)",
        "Screen share, frame 2 of 5, 4 s ago",
        "Screen share, frame 3 of 5, 3 s ago",
        "Screen share, frame 4 of 5, 2 s ago",
        "Screen share, frame 5 of 5, 1 s ago (most recent)",
    ]
    assert ours.buffer.counters.sent == 5
    assert len(await eyes(most=2).see(ASKED)) == 2


async def test_none_goes_where_nobody_asked() -> None:
    ours = eyes()
    for said in ("When does the spa open?", "I see, thank you.", ""):
        assert await ours.see(said) == ()
    assert ours.buffer.counters.sent == 0


async def test_none_goes_where_the_release_has_no_eyes_or_nothing_is_shown() -> None:
    assert await eyes(enabled=False).see(ASKED) == ()
    assert await eyes(shown=0).see(ASKED) == ()


async def test_a_release_without_eyes_watches_nothing() -> None:
    class Room:  # would fail at anything that is asked of it
        pass

    async with eyes(enabled=False, shown=0).watch(Room()):  # type: ignore[arg-type]
        await asyncio.sleep(0)


async def test_a_question_in_another_language_than_the_sessions_is_understood() -> None:
    assert await eyes().see("Was siehst du auf meinem Bildschirm?", "en")


async def test_what_follows_goes_on_from_what_was_seen() -> None:
    ours = eyes()
    assert await ours.see("And that one?") == ()
    assert await ours.see(ASKED)
    assert await ours.see("And that one?")
    assert await ours.see("When does the spa open?") == ()
    assert await ours.see("And that one?") == ()


async def test_pictures_are_larger_for_whoever_sees_more() -> None:
    assert max(image.width for image in await eyes().see(ASKED)) == 512
    assert max(image.width for image in await eyes(is_advanced=True).see(ASKED)) == 1280


@pytest.fixture
def _forgetful() -> Iterator[None]:
    from tenants.flags import current

    current.forget()
    yield
    current.forget()


@pytest.mark.usefixtures("live_tenants", "_forgetful")
async def test_it_takes_the_tier_and_the_flag_to_see_more(harbour: Any) -> None:
    from tenants.flags import current

    for tier in ("standard", "premium"):
        harbour.service_tier = tier
        with use_tenant(harbour):
            assert not await sees_more()
    with use_tenant(harbour):
        await sync_to_async(FlagFactory)(key="advanced_vision_analysis", rules=[], default=True)
    current.forget()
    with use_tenant(harbour):
        assert await sees_more()
    harbour.service_tier = "standard"
    with use_tenant(harbour):
        assert not await sees_more()
