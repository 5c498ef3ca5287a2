"""What LiveKit tells of its rooms: believed where it is signed, done once, and only in the room's own company."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import uuid

import jwt
import pytest

from switchboard.kernel.database import in_database
from switchboard.kernel.redis import async_redis
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tests.asgi_client import AsgiClient
from voice_worker.models import Meeting, Participant, TimelineEntry, VoiceSession

ADDRESS = "/webhooks/livekit"


@pytest.fixture
async def meeting(hotel, rooms):
    conversation = await hotel.begin()
    answer = await hotel.http.request("POST", "/api/v1/meetings", {"conversation": str(conversation)})
    assert answer.status == 201, answer.body
    return answer.json()


def event_of(meeting, kind, *, at=None, **more):
    return {
        "event": kind,
        "id": f"EV_{uuid.uuid4().hex}",
        "createdAt": str(int(at or time.time())),
        "room": {"name": meeting["room"], "sid": "RM_x"},
        **more,
    }


def person(sid="PA_1", identity="guest-1", **more):
    return {"participant": {"sid": sid, "identity": identity, "name": "Ada", "joinedAt": str(int(time.time())), **more}}


def signed(rooms, body, *, secret=None, key=None, **claims):
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = int(time.time())
    found = {"iss": key or rooms.api_key, "nbf": now, "exp": now + 300, "sha256": digest, **claims}
    return jwt.encode({name: value for name, value in found.items() if value is not None}, secret or rooms.api_secret)


async def tell(rooms, event, *, host="localhost", token=None, **claims):
    body = json.dumps(event).encode()
    client = AsgiClient(host)
    token = signed(rooms, body, **claims) if token is None else token
    return await client.request("POST", ADDRESS, body, authorization=token, content_type="application/webhook+json")


async def load(tenant, model):
    def rows():
        with use_tenant(tenant):
            return list(model.objects.all())

    return await in_database(rows)


async def the_meeting(harbour):
    [row] = await load(harbour, Meeting)
    return row


async def test_a_meeting_is_followed_from_its_beginning_to_its_end(meeting, hotel, harbour, rooms):
    began = int(time.time()) - 30
    for event in (
        event_of(meeting, "room_started", at=began),
        event_of(meeting, "participant_joined", **person()),
        event_of(meeting, "participant_joined", **person("PA_2", "agent-x", kind="AGENT", name="")),
        event_of(meeting, "participant_left", **person()),
    ):
        assert (await tell(rooms, event)).status == 200
    shown = (await hotel.http.request("GET", f"/api/v1/meetings/{meeting['id']}")).json()
    assert shown["status"] == "live"
    assert shown["started_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
    people = [(one["kind"], one["name"], one["left_at"] is not None) for one in shown["participants"]]
    assert sorted(people) == [("agent", "", False), ("guest", "Ada", True)]

    assert (await tell(rooms, event_of(meeting, "room_finished"))).status == 200
    shown = (await hotel.http.request("GET", f"/api/v1/meetings/{meeting['id']}")).json()
    assert shown["status"] == "ended"
    assert all(one["left_at"] for one in shown["participants"]), "with the room everybody has left"
    listed = (await hotel.http.request("GET", f"/api/v1/meetings/{meeting['id']}/participants")).json()
    assert listed["results"] == shown["participants"]


async def test_a_guest_who_was_removed_is_told_nothing_more_of_the_meeting(meeting, hotel, rooms):
    address = f"/api/v1/meetings/{meeting['id']}"
    invited = (await hotel.http.request("POST", f"{address}/tokens", {"kind": "guest"})).json()
    guest = AsgiClient(hotel.http.host)

    async def answer_to(token):
        return await guest.request("POST", f"{address}/state", {"token": token})

    async def stay(sid, reason=None):
        one = person(sid, invited["identity"])
        await tell(rooms, event_of(meeting, "participant_joined", **one))
        if reason:
            one["participant"]["disconnectReason"] = reason
            await tell(rooms, event_of(meeting, "participant_left", **one))

    await stay("PA_1", "CLIENT_INITIATED")
    left = await answer_to(invited["token"])
    assert left.status == 200, "whoever left of their own accord may come back"
    await stay("PA_2", "PARTICIPANT_REMOVED")
    for token in (invited["token"], left.json()["token"]):
        refused = await answer_to(token)
        assert (refused.status, refused.json()["code"]) == (401, "not_authenticated")
    stays = (await hotel.http.request("GET", f"{address}/participants")).json()["results"]
    assert [one["was_removed"] for one in stays] == [False, True]
    other = (await hotel.http.request("POST", f"{address}/tokens", {"kind": "guest"})).json()
    assert (await answer_to(other["token"])).status == 200, "another guest is told"
    await stay("PA_3")
    assert (await answer_to(left.json()["token"])).status == 200, "so is whoever was let in again"


@pytest.mark.parametrize("host", ["localhost", "harbour.localhost", "agency.localhost", "10.0.0.7:8000"])
async def test_the_hostname_says_nothing_of_whose_room_it_is(meeting, harbour, agency, rooms, host):
    assert (await tell(rooms, event_of(meeting, "room_started"), host=host)).status == 200
    assert (await the_meeting(harbour)).status == "live"
    assert await load(agency, Meeting) == []


async def test_what_is_told_twice_happens_once(meeting, harbour, rooms):
    joined, left = (
        event_of(meeting, "participant_joined", **person()),
        event_of(meeting, "participant_left", **person()),
    )
    for event in (left, joined, joined, left):
        assert (await tell(rooms, event)).status == 200
    [there] = await load(harbour, Participant)
    assert there.left_at is not None, "that they came is told late; they have left all the same"
    await async_redis().flushdb()  # nor does it happen twice where nobody remembers that it was told
    for event in (joined, left):
        assert (await tell(rooms, event)).status == 200
    assert [row.left_at for row in await load(harbour, Participant)] == [there.left_at]


async def test_nobody_is_in_a_meeting_that_is_over_though_their_coming_is_told_late(meeting, harbour, rooms):
    for event in (event_of(meeting, "room_finished"), event_of(meeting, "participant_joined", **person())):
        assert (await tell(rooms, event)).status == 200
    [there] = await load(harbour, Participant)
    assert there.left_at is not None


async def test_many_deliveries_at_once_are_one(meeting, harbour, rooms):
    event = event_of(meeting, "participant_joined", **person())
    answers = await asyncio.gather(*(tell(rooms, event) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len(await load(harbour, Participant)) == 1


async def test_an_end_that_is_replayed_ends_nothing_else(meeting, hotel, harbour, rooms):
    finished = event_of(meeting, "room_finished")
    await tell(rooms, finished)
    again = await hotel.http.request("POST", "/api/v1/meetings", {"conversation": meeting["conversation"]})
    assert again.status == 201
    await async_redis().flushdb()
    await tell(rooms, finished)
    await tell(rooms, event_of(meeting, "room_started"))
    states = {str(row.pk): row.status for row in await load(harbour, Meeting)}
    assert states == {meeting["id"]: "ended", again.json()["id"]: "planned"}


@pytest.mark.parametrize(
    "claims",
    [
        {"secret": "x" * 48},
        {"key": "another"},
        {"sha256": base64.b64encode(b"0" * 32).decode()},
        {"sha256": None},
        {"exp": int(time.time()) - 90, "nbf": int(time.time()) - 400},
        {"exp": None},
        {"nbf": int(time.time()) + 86_400},  # of when this file was read
    ],
    ids=["secret", "issuer", "another body", "no digest", "expired", "for ever", "not yet"],
)
async def test_what_is_forged_is_refused(meeting, harbour, rooms, claims):
    answer = await tell(rooms, event_of(meeting, "room_finished"), **claims)
    assert (answer.status, answer.json()["code"]) == (401, "invalid_signature")
    assert (await the_meeting(harbour)).status == "planned"


@pytest.mark.parametrize("seconds", [-40, 40])
async def test_clocks_may_differ_a_little(meeting, harbour, rooms, seconds):
    now = int(time.time()) + seconds
    answer = await tell(
        rooms, event_of(meeting, "room_started", at=now), nbf=now, exp=now + 300 if seconds > 0 else now
    )
    assert answer.status == 200
    assert (await the_meeting(harbour)).status == "live"


@pytest.mark.parametrize("token", ["", "nonsense", "Bearer "])
async def test_what_is_not_signed_is_refused(meeting, harbour, rooms, token):
    answer = await tell(rooms, event_of(meeting, "room_finished"), token=token)
    assert (answer.status, answer.json()["code"]) == (401, "invalid_signature")
    assert (await the_meeting(harbour)).status == "planned"


async def test_a_token_of_ours_that_lets_somebody_in_signs_nothing(meeting, harbour, rooms):
    answer = await tell(rooms, event_of(meeting, "room_finished"), token=meeting["token"])
    assert answer.status == 401
    assert (await the_meeting(harbour)).status == "planned"


async def test_an_old_event_is_refused_however_new_its_signature(meeting, harbour, rooms):
    answer = await tell(rooms, event_of(meeting, "room_finished", at=time.time() - 3600))
    assert answer.status == 401
    assert (await the_meeting(harbour)).status == "planned"


async def test_a_room_that_is_not_ours_is_nobodys(meeting, harbour, rooms, caplog):
    strange = {"room": f"harbour-{uuid.uuid4()}"}
    for kind in ("room_started", "participant_joined", "room_finished"):
        answer = await tell(rooms, event_of(strange, kind, **person()))
        assert (answer.status, answer.body) == (200, b"")
    assert (await the_meeting(harbour)).status == "planned"
    assert strange["room"] not in caplog.text


async def test_events_nobody_knows_are_taken(meeting, harbour, rooms):
    for kind in ("egress_started", "something_new"):
        assert (await tell(rooms, event_of(meeting, kind, extra={"a": 1}))).status == 200
    assert (await the_meeting(harbour)).status == "planned"


async def test_a_company_that_left_hears_nothing(meeting, harbour, rooms):
    def leave():
        with use_public():
            Tenant.objects.filter(pk=harbour.pk).update(status=Tenant.Status.DELETED)

    await in_database(leave)
    assert (await tell(rooms, event_of(meeting, "room_started"))).status == 200
    assert (await the_meeting(harbour)).status == "planned"


async def test_a_shared_screen_is_on_the_time_axis(meeting, harbour, rooms):
    def session():
        with use_tenant(harbour):
            row = Meeting.objects.get()
            return VoiceSession.objects.create(conversation=row.conversation, meeting=row, channel="room")

    await in_database(session)
    shared = event_of(meeting, "track_published", **person(), track={"sid": "TR_1", "source": "SCREEN_SHARE"})
    for _ in range(2):
        assert (await tell(rooms, shared)).status == 200
        await async_redis().flushdb()
    [entry] = await load(harbour, TimelineEntry)
    assert (entry.kind, entry.data) == ("state", {"state": "screen_share_on", "identity": "guest-1"})


async def test_only_post_is_taken(rooms, web):
    answer = await AsgiClient("localhost").request("GET", ADDRESS)
    assert answer.status == 405
