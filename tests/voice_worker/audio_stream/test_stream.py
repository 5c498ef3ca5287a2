"""A conversation over the audio websocket, with the parts that come with the platform."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from conversations.models import Conversation, Message
from switchboard.kernel.database import in_database
from tenants import directory
from tenants.context import use_public, use_tenant
from tenants.domain import api_keys
from tenants.models import Tenant
from tests.conversations.caller import Caller
from tests.voice_worker.audio_stream.call import RATE, Call, calling, socket
from voice_worker.models import TimelineEntry, VoiceSession
from voice_worker.timeline.reading import read_session


async def ended_session(tenant: Tenant, reason: str) -> VoiceSession:
    def load() -> VoiceSession:
        with use_tenant(tenant):
            return VoiceSession.objects.select_related("conversation").get()

    for _ in range(400):  # a busy machine takes its time
        row = await in_database(load)
        if row.status != "live":
            assert (row.status, row.end_reason) == ("ended" if reason != "failed" else "failed", reason)
            return row
        await asyncio.sleep(0.1)
    raise AssertionError("the session didn't end")


async def test_a_spoken_question_gets_a_spoken_answer(hotel: Caller, harbour: Tenant) -> None:
    async with calling(hotel) as call:
        ready = call.all("ready")[0]
        await call.say("What time is breakfast?")
        transcript = await call.heard("transcript")
        done = await call.heard("done")
        await call.heard("agent_speech", state="started")
        await call.heard("agent_speech", state="ended")
        assert call.loudness > 300
        assert transcript["text"]
        await call.tell(type="end")
        await call.heard("ended", reason="ended")
        await call.wait(lambda call: call.closed)
        assert call.closed is not None
        assert call.closed["code"] == 1000
    row = await ended_session(harbour, "ended")
    with use_tenant(harbour):
        said = await in_database(lambda: list(Message.objects.order_by("id").values_list("role", "text")))
        kinds = await in_database(lambda: set(TimelineEntry.objects.values_list("kind", flat=True)))
        (answer,) = (await in_database(read_session, row)).answers
    assert (str(row.pk), str(row.conversation_id)) == (ready["session"], ready["conversation"])
    assert (row.channel, row.conversation.channel) == ("audio", "audio")
    assert said[0] == ("contact", transcript["text"])
    assert said[1][0] == "agent"
    assert done["status"] == "done"
    assert {"user_speech", "transcript", "llm", "tts", "agent_speech"} <= kinds
    assert (answer.question, str(answer.turn_id)) == (transcript["text"], done["turn"])
    took = (answer.to_transcript, answer.to_first_token, answer.to_first_audio, answer.total)
    assert all(part is not None and 0 <= part < 5_000 for part in took), took
    numbers = [event["id"] for event in call.events if "id" in event]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(("encoding", "form"), [("opus", "binary"), ("pcm16", "base64")])
async def test_the_greeting_is_heard_however_sound_travels(
    hotel: Caller, harbour: Tenant, caller_for: Any, encoding: str, form: str
) -> None:
    greeter = await in_database(caller_for, harbour, welcome="Welcome to the harbour.")
    async with calling(greeter, encoding=encoding, format=form, sample_rate=48_000) as call:
        await call.heard("agent_speech", state="ended")
        heard = bytes(call.audio) if form == "binary" else b"".join(map(_base64, call.all("audio")))
        assert len(heard) > 2_000


def _base64(data: dict[str, Any]) -> bytes:
    import base64

    return base64.b64decode(data["audio"])


async def test_who_breaks_in_is_listened_to_and_only_what_they_heard_is_kept(
    talkative: Caller, harbour: Tenant
) -> None:
    async with calling(talkative) as call:
        await call.say("Tell me everything about the breakfast and the rooms please")
        await call.heard("agent_speech", state="started")
        await asyncio.sleep(1.0)
        await call.say("Stop it now please, stop it", after=0.2)
        stopped = await call.heard("agent_speech", state="interrupted")
        await call.heard("clear", segment=stopped["segment"])
        whole = "".join(delta["text"] for delta in call.all("delta"))
        assert stopped["ms"] > 200
        await call.tell(type="end")
        await call.heard("ended")
    with use_tenant(harbour):
        kept = await in_database(lambda: Message.objects.filter(role="agent").order_by("id").first())
    assert kept is None or len(kept.text) < len(whole)


async def test_a_client_can_silence_the_agent(talkative: Caller) -> None:
    async with calling(talkative) as call:
        await call.say("Tell me everything about the breakfast and the rooms please")
        await call.heard("agent_speech", state="started")
        await call.tell(type="played", segment=1, ms=40)
        await call.tell(type="interrupt")
        await call.heard("agent_speech", state="interrupted", seconds=15)


async def test_a_conversation_goes_on_aloud(hotel: Caller, harbour: Tenant) -> None:
    conversation = await hotel.begin()
    earlier = await hotel.ask(conversation, "When is breakfast?")
    async with calling(hotel, agent=None, conversation=str(conversation)) as call:
        assert call.all("ready")[0]["conversation"] == str(conversation)
        await hotel.ask(conversation, "And supper?")
        await call.heard("done")
        assert min(event["id"] for event in call.events if "id" in event) == earlier[-1].id + 1
    await ended_session(harbour, "left")
    async with calling(hotel, agent=None, conversation=str(conversation), after=0) as call:
        await call.wait(lambda call: len(call.all("done")) == 2)


async def test_a_connection_that_is_dropped_ends_the_session(hotel: Caller, harbour: Tenant) -> None:
    async with calling(hotel) as call:
        await call.send(bytes(RATE))
    await ended_session(harbour, "left")


async def test_a_key_that_is_revoked_ends_the_session(hotel: Caller, harbour: Tenant) -> None:
    async with calling(hotel) as call:
        await in_database(_revoke, hotel)
        await call.wait(lambda call: call.closed, 30)
        assert call.closed is not None
        assert call.closed["code"] == 4401
    await ended_session(harbour, "not_admitted")


def _revoke(caller: Caller) -> None:
    with use_public():
        key = api_keys.recognise(caller.http.key)
        assert key is not None
        api_keys.revoke_api_key(key=key)
    directory.keys.forget()


async def test_who_sends_faster_than_anybody_speaks_is_cut_off(hotel: Caller, harbour: Tenant) -> None:
    async with calling(hotel) as call:
        for _ in range(10):
            await call.ws.send_to(bytes_data=bytes(RATE))
        problem = await call.heard("problem")
        assert problem["code"] == "audio_too_fast"
        await call.wait(lambda call: call.closed)
        assert call.closed is not None
        assert call.closed["code"] == 4429
    await ended_session(harbour, "audio_too_fast")


async def test_there_are_so_many_places(hotel: Caller, settings: Any) -> None:
    settings.AUDIO_STREAMS = 1
    async with calling(hotel):
        second = socket(hotel.http.host, key=hotel.http.key)
        await second.connect()
        call = Call(second)
        await call.tell(type="start", agent=str(hotel.agent.pk))
        assert (await call.heard("problem"))["code"] == "too_many_streams"
        await call.wait(lambda call: call.closed)
        assert call.closed is not None
        assert call.closed["code"] == 4503
        await call.aclose()


async def test_what_can_t_be_understood_is_told_and_the_connection_stays(hotel: Caller) -> None:
    second = socket(hotel.http.host, key=hotel.http.key)
    await second.connect()
    call = Call(second)
    for sent, code in (
        ("no json", "bad_request"),
        ('{"type": "start"}', "invalid_start"),
        ('{"type": "audio", "audio": "AAAA"}', "not_started"),
    ):
        await call.ws.send_to(sent)
        await call.heard("problem", code=code)
    await call.ws.send_to(bytes_data=b"\x00\x00")
    await call.wait(lambda call: len(call.all("problem")) == 4)
    await call.tell(type="end")
    await call.wait(lambda call: call.closed)
    assert call.closed is not None
    assert call.closed["code"] == 1000
    await call.aclose()


@pytest.mark.parametrize(("start", "code"), [
    ({"agent": str(uuid.uuid4())}, "unknown_agent"),
    ({"conversation": str(uuid.uuid4())}, "not_found"),
])  # fmt: skip
async def test_what_is_not_there_is_not_talked_with(hotel: Caller, start: dict[str, Any], code: str) -> None:
    ws = socket(hotel.http.host, key=hotel.http.key)
    await ws.connect()
    call = Call(ws)
    await call.tell(type="start", **start)
    assert (await call.heard("problem"))["code"] == code
    await call.wait(lambda call: call.closed)
    await call.aclose()


async def test_a_platform_that_can_neither_hear_nor_speak_says_so(hotel: Caller, settings: Any) -> None:
    settings.SPEECH_URL = ""
    ws = socket(hotel.http.host, key=hotel.http.key)
    await ws.connect()
    call = Call(ws)
    await call.tell(type="start", agent=str(hotel.agent.pk))
    assert (await call.heard("problem", 60))["code"] == "speech_unavailable"
    await call.aclose()


async def test_another_company_s_conversation_is_not_there(hotel: Caller, agency: Tenant, caller_for: Any) -> None:
    conversation = await hotel.begin()
    stranger = await in_database(caller_for, agency)
    ws = socket(stranger.http.host, key=stranger.http.key)
    await ws.connect()
    call = Call(ws)
    await call.tell(type="start", conversation=str(conversation))
    assert (await call.heard("problem"))["code"] == "not_found"
    await call.aclose()


async def test_who_may_not_talk_is_turned_away(
    hotel: Caller, harbour: Tenant, client_for: Callable[..., Client]
) -> None:
    async def refused(ws: Any) -> int:
        accepted, code = await ws.connect(timeout=30)
        assert not accepted
        return int(code or 0)

    assert await refused(socket(hotel.http.host)) == 4401
    assert await refused(socket("nobody.localhost", key=hotel.http.key)) == 4404
    with use_public():
        reader = await in_database(
            lambda: api_keys.create_api_key(tenant=harbour, name="reader", scopes={"conversations:read"})[1]
        )
    assert await refused(socket(hotel.http.host, key=reader)) == 4403
    browser = await in_database(client_for, harbour)
    cookie = f"{django_settings.SESSION_COOKIE_NAME}={browser.cookies[django_settings.SESSION_COOKIE_NAME].value}"
    assert await refused(socket(hotel.http.host, cookie=cookie, origin="https://evil.example")) == 4401
    own = socket(hotel.http.host, cookie=cookie, origin="http://harbour.localhost:8000")
    assert (await own.connect())[0]
    await own.disconnect()


async def test_two_companies_talk_at_once_and_hear_only_their_own(
    hotel: Caller, agency: Tenant, harbour: Tenant, caller_for: Any
) -> None:
    other = await in_database(caller_for, agency, welcome="")
    async with calling(hotel) as one, calling(other) as two:
        await asyncio.gather(one.say("What time is breakfast?"), two.say("How much is the rent?"))
        await asyncio.gather(one.heard("done"), two.heard("done"))
        heard = one.all("transcript")[0]["text"], two.all("transcript")[0]["text"]
    assert heard[0] != heard[1]
    for tenant, text in ((harbour, heard[0]), (agency, heard[1])):
        with use_tenant(tenant):
            said = await in_database(
                lambda: list(Message.objects.filter(role="contact").values_list("text", flat=True))
            )
            assert await in_database(Conversation.objects.count) == 1
        assert said == [text]
