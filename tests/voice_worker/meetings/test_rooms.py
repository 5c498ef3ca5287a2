"""People in rooms of a real LiveKit server, which tells a real web server of them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import websockets
from livekit import rtc
from livekit.protocol import models
from livekit.protocol import rtc as signals

from switchboard.launcher.ports import free_port
from switchboard.launcher.readiness import http_ready
from tests.callers import host_of
from tests.factories import AgentFactory
from tests.voice_worker.livekit_server import running_livekit

ROOT = Path(__file__).resolve().parents[3]
MEETINGS = "/api/v1/meetings"


@pytest.fixture(scope="module")
def platform(django_db_setup) -> Iterator[dict]:
    """A web server of ours and a LiveKit server that tells it what happens."""
    port, livekit_port = free_port(), free_port()
    keys = ("testkey", secrets.token_hex(24))
    with running_livekit(port=livekit_port, keys=keys, webhooks=f"http://127.0.0.1:{port}/webhooks/livekit") as livekit:
        environment = {
            **os.environ,
            **livekit.environment(),
            "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
            "LOG_LEVEL": "ERROR",
        }
        words = ["-m", "uvicorn", "switchboard.asgi:application", "--port", str(port), "--log-level", "warning"]
        process = subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT)
        try:
            deadline = time.monotonic() + 120
            while not http_ready(port, "/healthz"):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield {"port": port, "livekit": livekit, "keys": keys}
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()


class Program:
    """A company's own program."""

    def __init__(self, port, tenant, key, agent):
        self.port, self.host, self.key, self.agent = port, host_of(tenant), key, agent

    def call(self, method, path, body=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            headers = {"Host": self.host, "Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, (path, answer.status, text)
            return json.loads(text)

    def meet(self, **more):
        return self.call("POST", MEETINGS, {"agent": str(self.agent.pk), **more})

    async def shown(self, meeting, reached, seconds=60):
        """The meeting, once it is as it should be."""
        deadline = time.monotonic() + seconds
        while not reached(found := await asyncio.to_thread(self.call, "GET", f"{MEETINGS}/{meeting['id']}")):
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.1)
        return found


@pytest.fixture
def hotel(platform, live_tenants, harbour, api_key_for):
    from tenants.context import use_tenant

    with use_tenant(harbour):
        agent = AgentFactory.create()
    return Program(platform["port"], harbour, api_key_for(harbour), agent)


@contextlib.asynccontextmanager
async def inside(meeting, token=None):
    room = rtc.Room()
    await asyncio.wait_for(room.connect(meeting["url"], token or meeting["token"]), 60)
    try:
        yield room
    finally:
        await room.disconnect()


def everybody_left(found):
    return bool(found["participants"]) and all(one["left_at"] for one in found["participants"])


async def test_who_comes_and_goes_is_known(hotel):
    meeting = hotel.meet(contact="ada", display_name="Ada")
    async with inside(meeting) as room:
        assert room.name == meeting["room"]
        assert room.local_participant.identity == meeting["identity"]
        assert room.local_participant.attributes["channel"] == "room"
        found = await hotel.shown(meeting, lambda found: found["participants"])
        assert found["status"] == "live"
        assert [(one["kind"], one["name"], one["left_at"]) for one in found["participants"]] == [
            ("contact", "Ada", None)
        ]
    await hotel.shown(meeting, everybody_left)
    async with inside(hotel.call("POST", f"{MEETINGS}/{meeting['id']}/tokens", {"kind": "contact"})):
        found = await hotel.shown(meeting, lambda found: len(found["participants"]) == 2)
        assert {one["identity"] for one in found["participants"]} == {meeting["identity"]}
        ended = await asyncio.to_thread(hotel.call, "POST", f"{MEETINGS}/{meeting['id']}/end")
        assert ended["status"] == "ended"
    found = await hotel.shown(meeting, everybody_left)
    assert found["ended_at"]


async def test_a_token_opens_its_own_room_and_no_other(hotel, platform):
    one, other = hotel.meet(), hotel.meet()
    async with inside(one) as room, inside(other) as elsewhere:
        assert (room.name, elsewhere.name) == (one["room"], other["room"])
        assert room.remote_participants == {}, "whoever is in another room isn't met"
    head, body, signature = one["token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["video"]["room"] = other["room"]
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    for token in (f"{head}.{changed}.{signature}", jwt.encode(claims, "x" * 48)):
        with pytest.raises(rtc.ConnectError):
            async with inside(other, token):
                pass


@pytest.mark.parametrize(
    ("seconds", "lets_in"), [(-50, True), (50, True), (-1200, False), (1200, False)], ids=lambda value: str(value)
)
async def test_clocks_may_differ_by_a_minute(hotel, platform, seconds, lets_in):
    """A platform whose clock is so many seconds off makes a token of a minute."""
    meeting = hotel.meet(ttl=60)
    claims = jwt.decode(meeting["token"], platform["keys"][1], algorithms=["HS256"], issuer=platform["keys"][0])
    shifted = {**claims, "nbf": claims["nbf"] + seconds, "exp": claims["exp"] + seconds}
    token = jwt.encode(shifted, platform["keys"][1])
    if lets_in:
        async with inside(meeting, token) as room:
            assert room.name == meeting["room"]
        return
    with pytest.raises(rtc.ConnectError):
        async with inside(meeting, token):
            pass


async def test_a_participant_may_show_and_say_but_not_send(hotel):
    meeting = hotel.meet()
    async with inside(meeting) as room:
        microphone = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48_000, 1))
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await asyncio.wait_for(room.local_participant.publish_track(microphone, options), 30)
        heard = asyncio.Event()
        async with inside(hotel.call("POST", f"{MEETINGS}/{meeting['id']}/tokens", {"kind": "guest"})) as guest:
            room.on("data_received", lambda _: heard.set())
            deadline = time.monotonic() + 60
            while not room.remote_participants:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(guest.local_participant.publish_data(b"the agent says", topic="lk.chat"), 3)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(guest.local_participant.set_attributes({"contact": "eve"}), 3)
            await asyncio.sleep(0.5)
            assert not heard.is_set()
            [seen] = room.remote_participants.values()
            assert seen.attributes["contact"] == ""


async def test_nobody_stays_in_a_room_that_was_closed(hotel):
    meeting = hotel.meet()
    hotel.call("POST", f"{MEETINGS}/{meeting['id']}/end")
    # It holds for minutes yet, and makes the room anew. LiveKit's own client would try again for a minute.
    heard = []
    async with (
        asyncio.timeout(90),
        websockets.connect(f"{meeting['url']}/rtc?access_token={meeting['token']}&protocol=16&sdk=js") as line,
    ):
        async for piece in line:
            heard.append(signals.SignalResponse.FromString(piece))
            if heard[-1].HasField("leave"):
                break
    assert heard[0].join.room.name == meeting["room"]
    assert heard[-1].leave.reason == models.DisconnectReason.ROOM_DELETED
    assert hotel.call("GET", f"{MEETINGS}/{meeting['id']}")["status"] == "ended"
