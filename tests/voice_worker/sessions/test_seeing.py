"""In a call: what is on the screen goes with the question about it, and is noted without the pictures."""

from __future__ import annotations

from typing import Any

from agents.content.runtime import Vision
from bench.vision.screen import slide
from conversations import runner
from conversations.models import Turn
from switchboard.kernel.database import in_database
from tests.model_server.pictures import pictures_in
from tests.model_server.process import ModelServer
from tests.voice_worker.livekit_server import LiveKitServer
from tests.voice_worker.sessions.conftest import Call, Callers
from tests.voice_worker.sessions.test_live import said, until
from tests.voice_worker.vision.frames import decoded, difference, frame_of, patches
from tests.voice_worker.vision.test_watching import Meeting, until_shown
from voice_worker.models import TimelineEntry
from voice_worker.vision.eyes import Eyes


def looking(frames: int = 3) -> Eyes:
    eyes = Eyes(Vision(enabled=True), clock=lambda: float(frames))
    for number in range(frames):
        eyes.buffer.offer(frame_of(patches(number)), "screen", at=float(number))
    return eyes


async def write(call: Call, text: str) -> None:
    """As the page of the meeting does, whose words a web process takes in."""
    accepted = await runner.accept(conversation_id=call.conversation.pk, content=text)
    assert accepted.job is not None
    runner.run(accepted.job)


async def test_the_model_sees_the_screen_when_somebody_asks_about_it(
    calling: Callers, model_server: ModelServer
) -> None:
    call = await calling(model="sees", eyes=looking())

    await call.say("What is on my screen?")

    await until(lambda: len(said(call.conversation)) == 2)
    assert (await in_database(lambda: said(call.conversation)))[1][1].startswith(
        "1. Screen share, frame 1 of 3, 3 s ago"
    )
    pictures = pictures_in(model_server.requests()["requests"][-1])
    assert [picture.label.rpartition("ago")[2] for picture in pictures] == [" (first)", "", " (most recent)"]
    (entry,) = await until(lambda: list(TimelineEntry.objects.filter(session=call.live.id, kind="vision")))
    assert entry.data["frames"] == 3
    assert entry.data["labels"][0].startswith("Screen share")
    stored: list[Any] = await in_database(lambda: list(Turn.objects.values_list("events", flat=True)))
    assert "base64" not in str(stored)


async def test_nothing_is_sent_where_nobody_asked(calling: Callers, model_server: ModelServer) -> None:
    call = await calling(model="sees", eyes=looking())

    await call.say("When does the spa open?")

    await until(lambda: len(said(call.conversation)) == 2)
    assert pictures_in(model_server.requests()["requests"][-1]) == []
    assert (
        await in_database(lambda: TimelineEntry.objects.filter(session=call.live.id, kind="vision").exists()) is False
    )


async def test_a_model_that_wants_to_look_is_shown_what_nobody_asked_about(
    calling: Callers, model_server: ModelServer
) -> None:
    call = await calling(model="stub", provider="openai", eyes=looking())

    await call.say("!call-once look {}")

    await until(lambda: len(said(call.conversation)) == 2)
    assert len(pictures_in(model_server.requests()["requests"][-1])) == 3
    (entry,) = await until(lambda: list(TimelineEntry.objects.filter(session=call.live.id, kind="vision")))
    assert entry.data["frames"] == 3
    await call.say("And that one?")
    await until(lambda: len(said(call.conversation)) == 4)
    assert len(pictures_in(model_server.requests()["requests"][-1])) == 3, "it goes on from what was looked at"


async def test_nobody_is_offered_a_look_where_nothing_is_shown(calling: Callers, model_server: ModelServer) -> None:
    call = await calling(model="stub", provider="openai", eyes=looking(0))

    await call.say("Why does it keep loading?")

    await until(lambda: len(said(call.conversation)) == 2)
    assert not model_server.requests()["requests"][-1].get("tools")


async def test_what_is_written_meanwhile_is_shown_what_it_asks_about(
    calling: Callers, model_server: ModelServer
) -> None:
    call = await calling(model="sees", eyes=looking(), vision={"enabled": True})

    await write(call, "When does the spa open?")
    await until(lambda: len(said(call.conversation)) == 2)
    assert pictures_in(model_server.requests()["requests"][-1]) == []

    await write(call, "What is on my screen?")
    await until(lambda: len(said(call.conversation)) == 4)
    assert len(pictures_in(model_server.requests()["requests"][-1])) == 3
    assert call.voice.spoken == [], "what is written is answered in writing"
    (entry,) = await until(lambda: list(TimelineEntry.objects.filter(session=call.live.id, kind="vision")))
    assert entry.data["frames"] == 3


async def test_a_model_may_look_at_what_is_shown_while_somebody_writes(
    calling: Callers, model_server: ModelServer
) -> None:
    call = await calling(model="stub", provider="openai", eyes=looking(), vision={"enabled": True})

    await write(call, "!call-once look {}")

    await until(lambda: len(said(call.conversation)) == 2)
    assert len(pictures_in(model_server.requests()["requests"][-1])) == 3


async def test_an_agent_without_eyes_is_shown_nothing_in_writing_either(
    calling: Callers, model_server: ModelServer
) -> None:
    call = await calling(model="sees", eyes=looking(), vision={"enabled": False})

    await write(call, "What is on my screen?")

    await until(lambda: len(said(call.conversation)) == 2)
    assert pictures_in(model_server.requests()["requests"][-1]) == []


async def test_a_screen_shared_in_a_real_room_reaches_the_model(
    calling: Callers, model_server: ModelServer, livekit: LiveKitServer
) -> None:
    meeting = Meeting(livekit)
    eyes = Eyes(Vision(enabled=True))
    sharing = await meeting.sharing("contact")
    await sharing.show(slide(1))
    call = await calling(model="sees", eyes=eyes)
    async with eyes.watch(await meeting.join("agent", auto_subscribe=False)):
        await until_shown(eyes.buffer, slide(1))

        await call.say("What does this slide say?")

        await until(lambda: len(said(call.conversation)) == 2)
    (picture,) = pictures_in(model_server.requests()["requests"][-1])
    assert picture.label.startswith("Screen share, frame 1 of 1")
    assert picture.label.endswith("(most recent)")
    assert difference(decoded(picture.data), slide(1)) < 12
    await meeting.close()
