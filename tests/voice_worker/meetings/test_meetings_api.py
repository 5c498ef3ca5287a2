"""Meetings over HTTP, with a real LiveKit server behind them."""

from __future__ import annotations

import uuid

import jwt
import pytest

from conversations.models import Conversation
from switchboard.kernel.database import in_database
from switchboard.launcher.ports import free_port
from tenants.context import use_public, use_tenant
from tests.asgi_client import AsgiClient
from voice_worker.directory.domain import find_room
from voice_worker.directory.models import Room
from voice_worker.domain.meetings import note_started
from voice_worker.domain.sessions import begin_session, end_session
from voice_worker.models import Meeting

MEETINGS = "/api/v1/meetings"


async def begin(http, **body):
    headers = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
    answer = await http.request("POST", MEETINGS, body, **headers)
    assert answer.status in (200, 201), answer.body
    return answer.json()


async def rows(tenant, model=Meeting):
    def load():
        with use_tenant(tenant):
            return list(model.objects.all())

    return await in_database(load)


def claims_of(token, rooms):
    return jwt.decode(token, rooms.api_secret, algorithms=["HS256"], issuer=rooms.api_key)


async def test_a_conversation_goes_on_in_a_room_of_its_own(hotel, harbour, rooms):
    conversation = await hotel.begin()
    answer = await hotel.http.request("POST", MEETINGS, {"conversation": str(conversation), "display_name": "Ada"})
    assert answer.status == 201, answer.body
    made = answer.json()
    assert answer.headers["location"] == f"{MEETINGS}/{made['id']}"
    assert made["conversation"] == str(conversation)
    assert made["url"] == rooms.url
    assert harbour.slug not in made["room"]
    assert len(made["room"]) > 30

    claims = claims_of(made["token"], rooms)
    assert claims["video"] == {
        "room": made["room"],
        "roomJoin": True,
        "canPublish": True,
        "canPublishSources": ["microphone", "camera", "screen_share", "screen_share_audio"],
        "canSubscribe": True,
        "canPublishData": False,
        "canUpdateOwnMetadata": False,
    }
    assert claims["name"] == "Ada"
    assert claims["attributes"] == {
        "tenant": harbour.slug,
        "contact": "",
        "conversation": str(conversation),
        "meeting": made["id"],
        "channel": "room",
    }
    assert claims["roomConfig"]["agents"] == [{"agentName": "switchboard"}]
    assert claims["exp"] - claims["nbf"] <= 600 + 60

    def entry():
        return find_room(made["room"])

    found = await in_database(entry)
    assert (found.tenant.scope.schema_name, str(found.meeting_id)) == (harbour.schema_name, made["id"])


async def test_an_agents_id_begins_a_conversation(hotel, harbour, rooms):
    body = {"agent": str(hotel.agent.id), "contact": "ada"}
    first = await begin(hotel.http, **body, key="k")
    again = await begin(hotel.http, **body, key="k")
    assert (again["id"], again["conversation"]) == (first["id"], first["conversation"])
    [thread] = await rows(harbour, Conversation)
    assert (thread.channel, thread.contact) == ("room", "ada")
    assert claims_of(again["token"], rooms)["sub"] == claims_of(first["token"], rooms)["sub"]


async def test_a_key_that_comes_with_other_wishes_is_refused(hotel, rooms):
    conversation = str(await hotel.begin())
    await begin(hotel.http, conversation=conversation, key="k")
    body = {"conversation": conversation, "consents_to_recording": True}
    refused = await hotel.http.request("POST", MEETINGS, body, **{"Idempotency-Key": "k"})
    assert (refused.status, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_conversation_has_one_meeting_at_a_time(hotel, harbour, rooms):
    conversation = str(await hotel.begin())
    first = await begin(hotel.http, conversation=conversation)
    answer = await hotel.http.request("POST", MEETINGS, {"conversation": conversation})
    assert (answer.status, answer.json()["id"]) == (200, first["id"])
    other = {"conversation": conversation, "consents_to_recording": True}
    refused = await hotel.http.request("POST", MEETINGS, other)
    assert (refused.status, refused.json()["code"]) == (409, "meeting_under_way")


async def test_a_meeting_whose_room_is_gone_makes_room_for_the_next(hotel, harbour, rooms):
    conversation = str(await hotel.begin())
    first = await begin(hotel.http, conversation=conversation)

    def went_live():
        with use_tenant(harbour):
            meeting = Meeting.objects.get()
            note_started(meeting_id=meeting.pk, at=meeting.created_at)

    await in_database(went_live)
    second = await begin(hotel.http, conversation=conversation)
    assert second["id"] != first["id"]
    assert {str(row.pk): row.status for row in await rows(harbour)} == {first["id"]: "ended", second["id"]: "planned"}


async def test_no_meeting_is_begun_that_no_place_is_left_for(hotel, harbour, rooms, settings):
    settings.TENANT_VOICE_SESSIONS = 1
    under_way = await begin(hotel.http, conversation=str(await hotel.begin()))

    def take_the_place():
        with use_tenant(harbour):
            return begin_session(conversation_id=under_way["conversation"], channel="audio")

    session = await in_database(take_the_place)
    threads = await rows(harbour, Conversation)
    refused = await hotel.http.request("POST", MEETINGS, {"agent": str(hotel.agent.pk)})
    assert (refused.status, refused.json()["code"]) == (429, "too_many_voice_sessions")
    assert int(refused.headers["retry-after"]) > 0
    assert await rows(harbour, Conversation) == threads, "nothing was begun"
    again = await begin(hotel.http, conversation=under_way["conversation"])
    assert again["id"] == under_way["id"], "a meeting that is under way lets people in"

    def leave():
        with use_tenant(harbour):
            end_session(session_id=session.id)

    await in_database(leave)
    await begin(hotel.http, agent=str(hotel.agent.pk))


async def test_nothing_is_begun_where_livekit_is_away(hotel, harbour, rooms, settings):
    settings.LIVEKIT_URL = f"ws://127.0.0.1:{free_port()}"
    answer = await hotel.http.request("POST", MEETINGS, {"agent": str(hotel.agent.id)})
    assert (answer.status, answer.json()["code"]) == (503, "livekit_unavailable")
    assert "retry-after" in answer.headers
    assert await rows(harbour) == []
    assert await rows(harbour, Conversation) == []


async def test_a_livekit_that_refuses_our_key_is_a_livekit_that_is_away(hotel, harbour, rooms, settings):
    settings.LIVEKIT_API_SECRET = "another" * 8
    answer = await hotel.http.request("POST", MEETINGS, {"agent": str(hotel.agent.id)})
    assert (answer.status, answer.json()["code"]) == (503, "livekit_unavailable")
    assert "another" not in answer.body.decode()
    assert await rows(harbour) == []


async def test_without_livekit_there_are_no_meetings(hotel, settings):
    settings.LIVEKIT_URL = ""
    answer = await hotel.http.request("POST", MEETINGS, {"agent": str(hotel.agent.id)})
    assert (answer.status, answer.json()["code"]) == (503, "livekit_not_configured")
    for address in (f"{MEETINGS}/{uuid.uuid4()}/tokens", f"{MEETINGS}/{uuid.uuid4()}/end"):
        answer = await hotel.http.request("POST", address, {})
        assert answer.json()["code"] == "livekit_not_configured"
    assert (await hotel.http.request("GET", MEETINGS)).json() == {"results": [], "next": None}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"conversation": str(uuid.uuid4()), "agent": str(uuid.uuid4())},
        {"agent": str(uuid.uuid4()), "ttl": 601},
        {"agent": str(uuid.uuid4()), "ttl": 1},
        {"agent": str(uuid.uuid4()), "room": "mine"},
        {"agent": "x"},
    ],
)
async def test_what_cant_be_is_refused(hotel, rooms, body):
    answer = await hotel.http.request("POST", MEETINGS, body)
    assert answer.status == 422, answer.body


async def test_an_ended_meeting_lets_nobody_in(hotel, harbour, rooms):
    made = await begin(hotel.http, conversation=str(await hotel.begin()))
    ended = await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/end")
    assert (ended.status, ended.json()["status"]) == (200, "ended"), ended.body
    again = await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/end")
    assert again.json() == ended.json()
    refused = await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/tokens", {})
    assert (refused.status, refused.json()["code"]) == (409, "meeting_ended")

    def entry():
        with use_public():
            return find_room(made["room"]), Room.objects.get().closed_at

    found, closed_at = await in_database(entry)
    assert found is None
    assert closed_at is not None


async def test_a_meeting_stays_open_where_livekit_cant_be_told_of_its_end(hotel, harbour, rooms, settings):
    made = await begin(hotel.http, conversation=str(await hotel.begin()))
    settings.LIVEKIT_URL = f"ws://127.0.0.1:{free_port()}"
    refused = await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/end")
    assert refused.json()["code"] == "livekit_unavailable"
    [meeting] = await rows(harbour)
    assert meeting.status == "planned"


async def test_others_come_in_by_tokens_of_their_own(hotel, rooms):
    made = await begin(hotel.http, conversation=str(await hotel.begin()))
    address = f"{MEETINGS}/{made['id']}/tokens"
    found = {}
    for kind in ("contact", "guest", "guest", "staff"):
        answer = await hotel.http.request("POST", address, {"kind": kind, "ttl": 60})
        assert answer.status == 201, answer.body
        claims = claims_of(answer.json()["token"], rooms)
        assert claims["video"]["room"] == made["room"]
        assert claims["exp"] - claims["nbf"] <= 121
        found.setdefault(kind, []).append(claims["sub"])
    assert found["contact"] == [made["identity"]], "whoever comes back is the same person"
    assert len(set(found["guest"])) == 2
    assert found["guest"][0].startswith("guest-")
    assert found["staff"][0].startswith("staff-")


async def test_a_contact_meets_in_their_own_conversations_alone(hotel, contact, rooms):
    ada, eve = await contact("ada"), await contact("eve")
    made = await begin(ada, agent=str(hotel.agent.id))
    assert claims_of(made["token"], rooms)["attributes"]["contact"] == "ada"
    assert (await ada.request("GET", f"{MEETINGS}/{made['id']}")).status == 200
    assert (await ada.request("POST", f"{MEETINGS}/{made['id']}/tokens", {})).status == 201
    assert [row["id"] for row in (await ada.request("GET", MEETINGS)).json()["results"]] == [made["id"]]
    refused = await ada.request("POST", f"{MEETINGS}/{made['id']}/tokens", {"kind": "staff"})
    assert (refused.status, refused.json()["code"]) == (403, "forbidden")

    assert (await eve.request("GET", MEETINGS)).json()["results"] == []
    nobodys = await begin(hotel.http, conversation=str(await hotel.begin()))
    for meeting in (made["id"], nobodys["id"], str(uuid.uuid4())):
        for method, end, body in (
            ("GET", "", None),
            ("GET", "/participants", None),
            ("POST", "/tokens", {}),
            ("POST", "/end", None),
        ):
            answer = await eve.request(method, f"{MEETINGS}/{meeting}{end}", body)
            assert (answer.status, answer.json()["detail"]) == (404, "There is no such meeting."), (end, answer.body)
    for conversation in (made["conversation"], nobodys["conversation"], str(uuid.uuid4())):
        answer = await eve.request("POST", MEETINGS, {"conversation": conversation})
        assert (answer.status, answer.json()["detail"]) == (404, "There is no such conversation.")
    other = await eve.request("POST", MEETINGS, {"agent": str(hotel.agent.id), "contact": "ada"})
    assert other.status == 403
    tied = await contact("ada", agent=uuid.uuid4())
    assert (await tied.request("POST", MEETINGS, {"agent": str(hotel.agent.id)})).status == 403
    assert (await tied.request("GET", f"{MEETINGS}/{made['id']}")).status == 404
    assert (await tied.request("GET", MEETINGS)).json()["results"] == []


async def test_another_companys_meetings_are_not_there(hotel, estate_agency, rooms):
    made = await begin(hotel.http, conversation=str(await hotel.begin()))
    theirs = estate_agency.http
    for method, address, body in (
        ("GET", f"{MEETINGS}/{made['id']}", None),
        ("GET", f"{MEETINGS}/{made['id']}/participants", None),
        ("POST", f"{MEETINGS}/{made['id']}/tokens", {}),
        ("POST", f"{MEETINGS}/{made['id']}/end", None),
        ("POST", MEETINGS, {"conversation": made["conversation"]}),
    ):
        foreign = await theirs.request(method, address, body)
        absent = await theirs.request(method, address.replace(made["id"], str(uuid.uuid4())), body)
        assert (foreign.status, foreign.body) == (404, absent.body), address
    assert (await theirs.request("GET", MEETINGS)).json()["results"] == []
    assert (await hotel.http.request("GET", f"{MEETINGS}/{made['id']}")).json()["status"] == "planned"


async def test_meetings_are_listed_by_pages(hotel, rooms):
    made = [(await begin(hotel.http, conversation=str(await hotel.begin())))["id"] for _ in range(3)]
    first = (await hotel.http.request("GET", f"{MEETINGS}?limit=2&status=planned")).json()
    assert [row["id"] for row in first["results"]] == made[:0:-1]
    rest = (await hotel.http.request("GET", first["next"])).json()
    assert [row["id"] for row in rest["results"]] == made[:1]
    assert rest["next"] is None
    assert (await hotel.http.request("GET", f"{MEETINGS}?status=live")).json()["results"] == []


async def test_a_guest_may_ask_how_their_own_meeting_stands_and_no_other(hotel, estate_agency, rooms):
    made, other = [await begin(hotel.http, conversation=str(await hotel.begin())) for _ in range(2)]
    invited = await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/tokens", {"kind": "guest"})
    guest = AsgiClient(hotel.http.host)

    async def state(meeting, token, http=guest):
        answer = await http.request("POST", f"{MEETINGS}/{meeting['id']}/state", {"token": token})
        return answer.status, answer.json()

    token = invited.json()["token"]
    status, found = await state(made, token)
    assert status == 200
    assert set(found) == {"status", "agent", "token"}, "nothing of the conversation"
    assert (found["status"], found["agent"]) == ("planned", "expected")
    assert (await state(made, found["token"]))[0] == 200, "what was answered asks the next question"
    claims = claims_of(token, rooms)
    forged = jwt.encode(claims, "another secret, as long as it has to be", algorithm="HS256")
    ended = jwt.encode({**claims, "exp": claims["exp"] - 3600}, rooms.api_secret, algorithm="HS256")
    elsewhere = AsgiClient(estate_agency.http.host)
    for refused in (
        await state(other, token),
        await state(other, found["token"]),
        await state(made, token, elsewhere),
        await state(made, found["token"], elsewhere),
        await state(made, forged),
        await state(made, ended),
        await state(made, found["token"] + "x"),
        await state({"id": uuid.uuid4()}, token),
    ):
        assert (refused[0], refused[1]["code"]) == (401, "not_authenticated")
    for path in ("", "/participants"):
        answer = await guest.request("GET", f"{MEETINGS}/{made['id']}{path}", Authorization=f"Bearer {found['token']}")
        assert answer.status == 401, "it opens nothing else"
    await hotel.http.request("POST", f"{MEETINGS}/{made['id']}/end", {})
    status, over = await state(made, found["token"])
    assert (status, over) == (200, {"status": "ended", "agent": "gone", "token": ""})
