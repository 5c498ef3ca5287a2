"""What is written in a meeting is answered by another process than the one that sees: it asks for what is shown."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from agents.engine.images import LabelledImage, Seen
from conversations.sight import shown_with
from switchboard.kernel.redis import async_redis
from tenants.context import use_tenant
from tenants.models import Tenant
from voice_worker.vision.across import see_across, shown_to_writers

SLIDE = LabelledImage("Screen share, frame 1 of 1, now (most recent)", b"\xff\xd8 a slide \x00", 512, 288)


async def see(question: str) -> Seen:
    """Shows the slide to whoever asks about it, and lets others look."""
    return ([SLIDE], None) if "slide" in question else ((), look)


async def look() -> list[LabelledImage]:
    return [SLIDE]


async def never(question: str) -> Seen:
    await asyncio.sleep(600)
    raise AssertionError("nobody waits for so long")


@pytest.fixture
def conversation(web_process: None, harbour: Tenant) -> Iterator[uuid.UUID]:
    with use_tenant(harbour):
        yield uuid.uuid4()


async def test_a_question_is_shown_what_it_asks_about_and_no_copy_stays(conversation: uuid.UUID) -> None:
    async with shown_to_writers(conversation, see, look):
        assert await see_across(conversation, "What does the slide say?") == ([SLIDE], None)
    assert await async_redis().keys(f"*{conversation}*") == []


async def test_another_question_brings_a_way_to_look(conversation: uuid.UUID) -> None:
    async with shown_to_writers(conversation, see, look):
        images, a_look = await see_across(conversation, "Why does it fail?")
        assert images == []
        assert a_look is not None
        assert await a_look() == [SLIDE]
    assert await a_look() == (), "the call is over"


async def test_nothing_is_shown_where_nobody_sees_and_nobody_waits_for_it(conversation: uuid.UUID) -> None:
    async with asyncio.timeout(1):
        assert await see_across(conversation, "What does the slide say?") == ((), None)


async def test_a_worker_that_hangs_is_answered_without(conversation: uuid.UUID) -> None:
    async with shown_to_writers(conversation, never, look):
        with pytest.raises(TimeoutError):
            await see_across(conversation, "What does the slide say?")
        assert await shown_with(conversation, "What does the slide say?") == ((), None)


async def test_another_company_sees_nothing_of_it(conversation: uuid.UUID, agency: Tenant) -> None:
    async with shown_to_writers(conversation, see, look):
        with use_tenant(agency):
            assert await see_across(conversation, "What does the slide say?") == ((), None)
