"""Voice sessions and what happened in them, over REST."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tenants.context import use_tenant
from tenants.permissions import Permission
from tests.isolation import assert_hidden, assert_problem
from tests.query_count import queries
from tests.resource_contract import ResourceContract
from tests.voice_worker.timeline.factories import VoiceSessionFactory
from tests.voice_worker.timeline.talk import held

ADDRESS = "/api/v1/voice-sessions"


class TestVoiceSessions(ResourceContract):
    address = ADDRESS
    factory = VoiceSessionFactory
    reads, writes = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    deletable = False


def test_a_session_tells_what_it_came_to(caller: Any, in_harbour: Any) -> None:
    session = held(recording="recordings/secret-place.wav")
    found = caller.get(f"{ADDRESS}/{session.pk}").json()
    assert (found["turns"], found["cost_usd"], found["is_recorded"]) == (2, "0.00500000", True)
    assert found["conversation_id"] == str(session.conversation_id)
    assert found["agent_id"] == str(session.conversation.agent_id)
    assert "secret-place" not in str(found)


def test_sessions_are_filtered(caller: Any, in_harbour: Any) -> None:
    one, other = held(turns=0), held(turns=0, status="failed", channel="room")
    for query, wanted in (
        ("status=failed", [other]),
        ("channel=audio", [one]),
        (f"conversation={one.conversation_id}", [one]),
        (f"agent={other.conversation.agent_id}", [other]),
        (f"meeting={uuid.uuid4()}", []),
        ("started_before=2001-01-01T00:00:00Z", []),
        ("started_after=2001-01-01T00:00:00Z", [other, one]),
    ):
        rows = caller.get(f"{ADDRESS}?{query}").json()["results"]
        assert [row["id"] for row in rows] == [str(row.pk) for row in wanted], query


@pytest.mark.parametrize("query", ["status=x", "agent=x", "started_after=x", "meeting=%00"])
def test_a_filter_that_can_t_be_is_refused(caller: Any, query: str) -> None:
    assert_problem(caller.get(f"{ADDRESS}?{query}"), 422, "invalid")


def test_the_time_axis_is_read_page_by_page(caller: Any, in_harbour: Any) -> None:
    address = f"{ADDRESS}/{held().pk}/timeline?limit=4"
    seen: list[Any] = []
    while address:
        page = caller.get(address).json()
        seen += page["results"]
        address = page["next"]
    assert len(seen) == 15
    assert [row["at_ms"] for row in seen] == sorted(row["at_ms"] for row in seen)
    assert len({row["id"] for row in seen}) == 15
    assert seen[2]["data"] == {"text": "When is breakfast <500>?"}


def test_the_time_axis_is_filtered(caller: Any, in_harbour: Any) -> None:
    session = held()
    turn = session.timeline.exclude(turn_id=None).order_by("at_ms").first().turn_id
    for query, count in (
        ("kind=transcript", 2),
        (f"turn={turn}", 5),
        ("from_ms=8000", 7),
        ("from_ms=8000&until_ms=8600", 1),
        ("kind=vision", 0),
    ):
        rows = caller.get(f"{ADDRESS}/{session.pk}/timeline?{query}").json()["results"]
        assert len(rows) == count, query
    for query in ("kind=x", "turn=x", "from_ms=-1", "until_ms=99999999999", "cursor=x"):
        assert caller.get(f"{ADDRESS}/{session.pk}/timeline?{query}").status_code in {404, 422}, query


def test_a_long_time_axis_costs_no_further_queries(caller: Any, in_harbour: Any) -> None:
    few, many = (f"{ADDRESS}/{held(turns=turns).pk}/timeline" for turns in (1, 3))
    assert queries(caller, few) == queries(caller, many)


def test_another_company_s_time_axis_is_not_there(caller: Any, agency: Any) -> None:
    with use_tenant(agency):
        foreign = held()
    assert_hidden(caller, "get", lambda pk: f"{ADDRESS}/{pk}/timeline", foreign.pk)
