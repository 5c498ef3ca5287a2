"""Each operation, by REST and in tRPC's shape: the same answers, in one tenant and in no other."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from billing.models import UsageEvent
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tests.factories import AgentFactory, FlagFactory, PersonalityFactory
from tests.voice_worker.remote.worker import NEEDED, OPERATIONS, RemoteWorker, Scene, make_scene
from voice_worker.directory.models import PhoneNumber, Room
from voice_worker.domain.meetings import end_meeting
from voice_worker.models import TimelineEntry, VoiceSession

# --- tenant by room ---------------------------------------------------------------------------------------------------


def test_a_room_leads_to_its_tenant_and_what_goes_on_in_it(ask: Any, scene: Scene) -> None:
    found = ask("tenant", room=scene.room)

    assert found.status == 200
    assert found.data == {
        "id": str(scene.tenant.pk),
        "name": "Harbour Hotel",
        "service_tier": "standard",
        "api_key": None,
        "metadata": {},
        "meeting_id": str(scene.meeting.pk),
        "conversation_id": str(scene.conversation.pk),
        "agent_id": str(scene.conversation.agent_id),
        "release_id": str(scene.conversation.release_id),
        "session_id": str(scene.session.pk),
    }


def test_what_the_operators_noted_of_a_tenant_is_told_by_their_own_names(ask: Any, scene: Scene) -> None:
    with use_public():
        Tenant.objects.filter(pk=scene.tenant.pk).update(metadata={"account_manager": "Sam"}, service_tier="gold")
    try:
        found = ask("tenant", room=scene.room)
    finally:
        with use_public():
            Tenant.objects.filter(pk=scene.tenant.pk).update(metadata={}, service_tier="standard")

    assert (found.data["metadata"], found.data["service_tier"]) == ({"account_manager": "Sam"}, "gold")


def test_a_number_leads_to_the_agent_who_answers_it(ask: Any, scene: Scene) -> None:
    with use_public():
        PhoneNumber.objects.create(number="+4930123456", tenant=scene.tenant, agent_id=scene.conversation.agent_id)

    found = ask("tenant", number="+4930123456")

    assert found.data["id"] == str(scene.tenant.pk)
    assert found.data["agent_id"] == str(scene.conversation.agent_id)
    assert found.data["meeting_id"] is None


def test_a_room_that_is_unknown_or_closed_is_nobodys(ask: Any, scene: Scene) -> None:
    assert (ask("tenant", room="harbour").status, ask("tenant", room="harbour").code) == (404, "not_found")
    with use_public():
        Room.objects.filter(name=scene.room).update(closed_at=timezone.now())

    assert ask("tenant", room=scene.room).status == 404
    assert ask("cost", room=scene.room, **NEEDED["cost"]).status == 200, "what happened in it is told afterwards"


@pytest.mark.parametrize("operation", ["cost", "event"])
def test_what_was_used_in_a_call_is_booked_though_the_tenant_was_suspended_in_it(
    ask: Any, scene: Scene, operation: str
) -> None:
    with use_public():
        Tenant.objects.filter(pk=scene.tenant.pk).update(status=Tenant.Status.SUSPENDED)

    assert ask(operation, room=scene.room, **NEEDED[operation]).status == 200


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"cost", "event"}))
def test_a_suspended_tenant_is_refused(ask: Any, scene: Scene, operation: str) -> None:
    with use_public():
        Tenant.objects.filter(pk=scene.tenant.pk).update(status=Tenant.Status.SUSPENDED)

    refused = ask(operation, room=scene.room, **NEEDED[operation])

    assert (refused.status, refused.code) == (403, "tenant_suspended")


# --- knowledge --------------------------------------------------------------------------------------------------------


def test_passages_are_found_in_what_the_rooms_release_may_read(ask: Any, scene: Scene, embedder: str) -> None:
    make_scene(scene.tenant, "Breakfast in the annexe is served from 9.")  # another agent's

    passages = ask("search", room=scene.room, query="When is breakfast served?").data

    assert [passage["content"] for passage in passages] == ["Breakfast is served from 7 to 11."]
    [passage] = passages
    assert set(passage) >= {"id", "title", "content", "score", "category"}
    assert (passage["title"], passage["category"]) == ("House", scene.collection.slug)
    assert 0 < passage["score"] <= 1


def test_without_a_release_all_of_the_tenants_documents_are_searched(ask: Any, scene: Scene, embedder: str) -> None:
    make_scene(scene.tenant, "Breakfast in the annexe is served from 9.")

    passages = ask("search", tenant_id=str(scene.tenant.pk), query="When is breakfast served in the annexe?").data

    assert len(passages) == 2
    assert "annexe" in passages[0]["content"]
    assert passages[0]["score"] >= passages[1]["score"]


def test_an_agent_without_documents_finds_none(ask: Any, scene: Scene) -> None:
    with use_tenant(scene.tenant):
        agent = AgentFactory.create()

    assert ask("search", room=scene.room, agent_id=str(agent.pk), query="Breakfast?").data == []


def test_search_that_is_away_says_so(ask: Any, scene: Scene, settings: Any) -> None:
    from knowledge.endpoint import embeddings

    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    embeddings.cache_clear()
    try:
        told = ask("search", room=scene.room, query="Breakfast?")
    finally:
        embeddings.cache_clear()

    assert (told.status, told.code) == (503, "embeddings_unavailable")


# --- flags ------------------------------------------------------------------------------------------------------------


def test_a_flag_is_on_for_whom_its_rules_say(ask: Any, scene: Scene) -> None:
    with use_tenant(scene.tenant):
        FlagFactory.create(
            key="premium_voice",
            rules=[{"conditions": [{"attribute": "contact.plan", "operator": "is", "value": "gold"}]}],
        )

    on = ask("flag", room=scene.room, flag="premium_voice", context={"contact_attributes": {"plan": "gold"}})
    off = ask("flag", room=scene.room, flag="premium_voice", context={"contact": "ada"})

    assert on.data == {"enabled": True, "reason": "rule"}
    assert off.data == {"enabled": False, "reason": "default"}


def test_a_flag_that_is_not_there_is_off(ask: Any, scene: Scene) -> None:
    assert ask("flag", room=scene.room, flag="nothing").data == {"enabled": False, "reason": "unknown_flag"}


# --- personalities ----------------------------------------------------------------------------------------------------


def test_the_rooms_agent_speaks_as_its_release_says(ask: Any, worker: RemoteWorker, harbour: Tenant) -> None:
    with use_tenant(harbour):
        PersonalityFactory.create(is_default=True, content={"instructions": "Be brisk.", "tone": "dry"})
    scene = make_scene(harbour)  # its release takes none, for the factory names its parts

    spoken = ask("personality", room=scene.room)

    assert spoken.status == 200
    assert spoken.data["tone"] == "dry"
    assert spoken.data["instructions"] == "Be brisk.\nTone: dry"


def test_a_personality_is_found_by_its_id_and_by_an_agent(ask: Any, scene: Scene) -> None:
    from agents.domain.composition import Parts
    from tests.factories import PromptFactory

    with use_tenant(scene.tenant):
        default = PersonalityFactory.create(is_default=True, content={"instructions": "Be brisk."})
        other = PersonalityFactory.create(content={"instructions": "Be kind.", "languages": ["en"]})
        prompt = PromptFactory.create(content={"template": "Answer."})
        parts = Parts(prompt=prompt.versions.get().pk, personality=other.versions.get().pk)
        agent = AgentFactory.create(live__parts=parts)

    by_id = ask("personality", tenant_id=str(scene.tenant.pk), personality_id=str(other.pk))
    by_agent = ask("personality", tenant_id=str(scene.tenant.pk), agent_id=str(agent.pk))
    by_release = ask("personality", tenant_id=str(scene.tenant.pk), release_id=str(agent.live_release_id))
    by_tenant = ask("personality", tenant_id=str(scene.tenant.pk))

    assert by_id.data == by_agent.data == by_release.data
    assert by_id.data["languages"] == ["en"]
    assert by_tenant.data["id"] == str(default.pk)


def test_no_personality_is_told_plainly(ask: Any, scene: Scene) -> None:
    assert ask("personality", room=scene.room).status == 404


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_event_stands_on_the_sessions_time_axis_once(ask: Any, scene: Scene) -> None:
    for _ in range(2):
        told = ask("event", room=scene.room, event_id="e-1", name="greeted", at_ms=1200, data={"words": 7})
        assert told.status == 200

    with use_tenant(scene.tenant):
        entry = TimelineEntry.objects.get()
    assert (entry.session_id, entry.kind, entry.at_ms) == (scene.session.pk, "event", 1200)
    assert entry.data == {"name": "greeted", "words": 7}
    assert told.data["id"] == str(entry.pk)


def test_an_event_is_where_its_clock_says_but_never_before_the_beginning(ask: Any, scene: Scene) -> None:
    begun = scene.session.started_at
    at = (begun + dt.timedelta(seconds=2.5)).isoformat()

    assert ask("event", room=scene.room, event_id="a", name="spoke", at=at).data["at_ms"] == 2500
    assert ask("event", room=scene.room, event_id="b", name="spoke", at="2020-01-01T00:00:00Z").data["at_ms"] == 0


def test_an_event_goes_to_the_latest_session_of_the_room_unless_it_names_one(ask: Any, scene: Scene) -> None:
    with use_tenant(scene.tenant):
        later = VoiceSession.objects.create(conversation=scene.conversation, meeting=scene.meeting, channel="room")

    ask("event", room=scene.room, event_id="a", name="one")
    ask("event", room=scene.room, event_id="a", name="other", session_id=str(scene.session.pk))

    with use_tenant(scene.tenant):
        told = dict(TimelineEntry.objects.values_list("session_id", "data__name"))
    assert told == {later.pk: "one", scene.session.pk: "other"}


def test_a_worker_elsewhere_has_a_session_from_its_first_event_until_the_meeting_ends(ask: Any, scene: Scene) -> None:
    with use_tenant(scene.tenant):
        scene.session.delete()

    told = [ask("event", room=scene.room, event_id=name, name=name) for name in ("joined", "greeted")]

    assert [one.status for one in told] == [200, 200]
    with use_tenant(scene.tenant):
        session = VoiceSession.objects.get()
        assert (session.conversation_id, session.release_id) == (scene.conversation.pk, scene.conversation.release_id)
        assert (session.status, session.timeline.count()) == ("live", 2)
        end_meeting(meeting_id=scene.meeting.pk)
        session.refresh_from_db()
        assert (session.status, session.end_reason) == ("ended", "meeting_ended")


def test_a_meeting_that_is_over_begins_no_session(ask: Any, scene: Scene) -> None:
    with use_tenant(scene.tenant):
        scene.session.delete()
        end_meeting(meeting_id=scene.meeting.pk)

    assert ask("event", room=scene.room, event_id="late", name="late").status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"a": "\x00"}},
        {"data": {"a": "x" * 9000}},
        {"data": []},
        {"at_ms": -1},
        {"at": "2026-11-21T10:00:00"},
        {"event_id": "two words"},
        {"name": ""},
    ],
    ids=str,
)
def test_an_event_that_can_not_be_is_refused(ask: Any, scene: Scene, wrong: dict[str, Any]) -> None:
    told = ask("event", **{"room": scene.room, "event_id": "x", "name": "x", **wrong})

    assert (told.status, told.code) == (422, "invalid")


# --- one tenant and no other ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "name", "of"),
    [
        ("cost", "session_id", lambda scene: scene.session.pk),
        ("cost", "conversation_id", lambda scene: scene.conversation.pk),
        ("search", "agent_id", lambda scene: scene.conversation.agent_id),
        ("search", "release_id", lambda scene: scene.conversation.release_id),
        ("search", "conversation_id", lambda scene: scene.conversation.pk),
        ("personality", "agent_id", lambda scene: scene.conversation.agent_id),
        ("personality", "release_id", lambda scene: scene.conversation.release_id),
        ("event", "session_id", lambda scene: scene.session.pk),
    ],
)
def test_what_another_tenant_has_is_as_unknown_as_what_never_was(
    ask: Any, scene: Scene, agency: Tenant, operation: str, name: str, of: Any
) -> None:
    foreign = make_scene(agency)
    needed = {"tenant_id": str(scene.tenant.pk), **NEEDED[operation]}

    absent = ask(operation, **needed, **{name: str(uuid.uuid4())})
    seen = ask(operation, **needed, **{name: str(of(foreign))})

    assert seen.status == absent.status == 404
    assert seen.data == absent.data
    for tenant in (scene.tenant, agency):
        with use_tenant(tenant):
            assert not UsageEvent.objects.exists()
            assert not TimelineEntry.objects.exists()


def test_a_room_and_a_tenant_that_disagree_are_refused(ask: Any, scene: Scene, agency: Tenant) -> None:
    told = ask("flag", room=scene.room, tenant_id=str(agency.pk), flag="any")

    assert told.status == 404


def test_two_tenants_rooms_never_cross(ask: Any, scene: Scene, agency: Tenant, embedder: str) -> None:
    other = make_scene(agency, "The agency opens at nine for breakfast.")

    for here, words in ((scene, "7 to 11"), (other, "agency opens")):
        [passage] = ask("search", room=here.room, query="When is breakfast?").data
        assert words in passage["content"]
        assert ask("cost", room=here.room, **NEEDED["cost"]).status == 200
        assert ask("event", room=here.room, **NEEDED["event"]).status == 200
    for here in (scene, other):
        with use_tenant(here.tenant):
            assert UsageEvent.objects.get().conversation_id == here.conversation.pk
            assert TimelineEntry.objects.get().session_id == here.session.pk


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"tenant"}))
def test_a_call_that_names_nobody_is_refused(ask: Any, worker_key: str, operation: str) -> None:
    told = ask(operation, **NEEDED[operation])

    assert (told.status, told.code) == (422, "tenant_not_named")
