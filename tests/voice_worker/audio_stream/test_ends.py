"""How talks on the audio websocket end, who may hold one, and what a client sends that nobody should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.events.hub import hub
from conversations.models import Conversation
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem
from tenants.context import use_tenant
from tenants.models import Tenant
from tenants.tokens.domain.minting import mint_token
from tests.asgi_client import AsgiClient
from tests.conversations.caller import Caller
from tests.voice_worker.audio_stream.call import RATE, Call, calling, socket
from tests.voice_worker.audio_stream.test_stream import ended_session
from tests.voice_worker.speech import silence, spoken
from voice_worker.audio_stream.coding import decoder_of
from voice_worker.audio_stream.protocol import MOST_MESSAGE, parse


async def closed_with(call: Call) -> tuple[int, str]:
    """The close code, and the reason that was told before it."""
    await call.wait(lambda call: call.closed)
    assert call.closed is not None
    ended = call.all("ended")
    return call.closed["code"], ended[0]["reason"] if ended else call.closed.get("reason", "")


async def test_a_client_that_sends_nothing_is_taken_for_gone(hotel: Caller, harbour: Tenant, settings: Any) -> None:
    settings.AUDIO_STREAM_IDLE_SECONDS = 1
    async with calling(hotel) as call:
        assert await closed_with(call) == (4408, "idle")
    await ended_session(harbour, "idle")


async def test_no_talk_lasts_for_ever(hotel: Caller, harbour: Tenant, settings: Any) -> None:
    settings.AUDIO_STREAM_MINUTES = 0
    async with calling(hotel) as call:
        assert await closed_with(call) == (1000, "too_long")
    await ended_session(harbour, "too_long")


async def test_who_was_cut_off_by_a_restart_goes_on_where_they_were(hotel: Caller, harbour: Tenant) -> None:
    async with calling(hotel) as call:
        begun = call.all("ready")[0]
        assert call.events[0] == {"event": "preparing", "data": {"conversation": begun["conversation"]}}
        await hotel.ask(begun["conversation"], "When is breakfast?")
        await call.heard("done")
        last = max(event["id"] for event in call.events if "id" in event)
        hub().end_followers()  # as a web process does when it is told to end
        assert await closed_with(call) == (1001, "going_away")
    await ended_session(harbour, "going_away")
    await hotel.ask(begun["conversation"], "And supper?")
    async with calling(hotel, agent=None, conversation=begun["conversation"], after=last) as call:
        await call.heard("done")
        assert min(event["id"] for event in call.events if "id" in event) == last + 1, "nothing is missed"
        assert call.all("ready")[0]["session"] != begun["session"]


async def test_a_contact_talks_with_a_token_of_their_own(hotel: Caller, harbour: Tenant) -> None:
    def token() -> str:
        with use_tenant(harbour):
            return mint_token(contact="ada").token

    ada = Caller(AsgiClient(hotel.http.host, await in_database(token)), hotel.agent)
    async with calling(ada) as call:
        conversation = call.all("ready")[0]["conversation"]
    theirs = Conversation.objects.filter(pk=conversation).values_list("contact", flat=True)
    with use_tenant(harbour):
        assert await in_database(theirs.get) == "ada"
    own = await hotel.begin()
    for start, code in (
        ({"agent": str(hotel.agent.pk), "contact": "eve"}, "forbidden"),
        ({"agent": str(hotel.agent.pk), "channel": "playground"}, "forbidden"),
        ({"conversation": str(own)}, "not_found"),
    ):
        ws = socket(ada.http.host, key=ada.http.key)
        assert (await ws.connect())[0]
        call = Call(ws)
        await call.tell(type="start", **start)
        assert (await call.heard("problem"))["code"] == code
        await call.wait(lambda call: call.closed)
        await call.aclose()


async def test_whoever_lets_the_button_go_is_answered(hotel: Caller) -> None:
    async with calling(hotel) as call:
        await call.send(spoken("What time is breakfast?", rate=RATE)[0])  # and then nothing, not even silence
        assert (await call.heard("transcript"))["text"]
        await call.heard("done")
        await call.heard("agent_speech", state="started")
        await call.heard("agent_speech", state="ended")
        await call.tell(type="end")
        assert await closed_with(call) == (1000, "ended")


@pytest.mark.parametrize(
    ("setting", "refusal"),
    [("AUDIO_STREAMS", "4503 too_many_streams"), ("TENANT_VOICE_SESSIONS", "4429 too_many_voice_sessions")],
    ids=["a process", "a company"],
)
async def test_so_many_talk_at_once_and_the_next_is_told_so(
    hotel: Caller, harbour: Tenant, settings: Any, setting: str, refusal: str
) -> None:
    setattr(settings, setting, 2)
    calls = [calling(hotel) for _ in range(2)]
    one, other = await asyncio.gather(*(call.__aenter__() for call in calls))

    async def turned_away() -> str:
        ws = socket(hotel.http.host, key=hotel.http.key)
        await ws.connect()
        call = Call(ws)
        await call.tell(type="start", agent=str(hotel.agent.pk))
        code, _ = await closed_with(call)
        problem = call.all("problem")[0]["code"]
        await call.aclose()
        return f"{code} {problem}"

    assert set(await asyncio.gather(*(turned_away() for _ in range(5)))) == {refusal}
    with use_tenant(harbour):
        assert await in_database(Conversation.objects.count) == 2, "who gets no place has begun nothing"
    await one.tell(type="end")
    await closed_with(one)
    assert other.closed is None
    async with calling(hotel) as third:
        assert await turned_away() == refusal
        assert third.closed is None, "the next got the place that was free"
    await asyncio.gather(*(call.__aexit__(None, None, None) for call in calls))


async def test_what_no_client_should_send_harms_nobody(hotel: Caller) -> None:
    async with calling(hotel) as call:
        for odd in (b"", b"\x01", b"\x01\x02\x03", b"\xff" * 4_000):
            await call.ws.send_input({"type": "websocket.receive", "bytes": odd})
        wrong = [
            ("[1]", "bad_request"),
            ('{"type": ["audio"]}', "unknown_request"),
            ('{"type": "audio", "audio": "%%%="}', "invalid_audio"),
            ('{"type": "audio", "audio": {"data": "AAAA"}}', "invalid_audio"),
            ('{"type": "played", "segment": "1", "ms": 1}', "invalid_segment"),
            ('{"type": "played", "segment": 99, "ms": -1}', "invalid_ms"),
            (json.dumps({"type": "start", "agent": str(hotel.agent.pk)}), "already_started"),
        ]
        for text, code in wrong:
            await call.ws.send_to(text)
            await call.heard("problem", code=code)
        await call.tell(type="played", segment=99, ms=5)
        await call.tell(type="interrupt")
        await call.say("What time is breakfast?")
        assert (await call.heard("transcript"))["text"], "it hears all the same"
        await call.ws.send_to(bytes_data=bytes(MOST_MESSAGE + 2))
        assert await closed_with(call) == (4413, "too_large")
        assert call.all("problem")[-1]["code"] == "too_large"


@pytest.mark.parametrize(("encoding", "form"), [("pcm16", "base64"), ("opus", "binary")])
async def test_noise_is_no_sound_and_ends_nothing_else(hotel: Caller, encoding: str, form: str) -> None:
    async with calling(hotel, encoding=encoding, format=form) as call, calling(hotel) as other:
        for _ in range(60):
            if form == "base64":
                await call.tell(type="audio", audio="/wAA/w==")
            else:
                await call.ws.send_to(bytes_data=b"\xff\x00\xff" * 7)
            await asyncio.sleep(0)
        if encoding == "opus":
            assert await closed_with(call) == (4422, "bad_audio")
        await other.send(silence(0.1, rate=RATE))
        await other.tell(type="end")
        assert await closed_with(other) == (1000, "ended")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ("agent", "conversation", "audio", "segment", "ms", "sample_rate", "encoding", "format", "after", "contact")


_KINDS = st.sampled_from(["start", "audio", "played", "interrupt", "end"])


def refusal(work: Callable[[], object]) -> Problem | None:
    """What a client is told of it; None where it is fine. Anything else is our fault."""
    try:
        work()
    except Problem as problem:
        return problem
    return None


@given(_KINDS, st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_a_request_is_understood_or_refused(kind: str, fields: dict[str, Any]) -> None:
    problem = refusal(lambda: parse(json.dumps({**fields, "type": kind})))
    assert problem is None or problem.status in (400, 413, 422)


@given(st.sampled_from(["pcm16", "opus"]), st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_are_sound_or_refused(encoding: Any, messages: list[bytes]) -> None:
    decoder = decoder_of(encoding, 16_000)
    for message in messages:
        problem = refusal(partial(decoder.decode, message))
        assert problem is None or problem.code == "bad_audio"
