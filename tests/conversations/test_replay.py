"""The page that tells how a turn came to its answer, and runs it again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from agents.domain.traces import keep_trace
from conversations.models import Turn
from tenants.context import use_tenant
from tenants.staff.models import Role
from tests.factories import (
    AgentFactory,
    ConversationFactory,
    MessageFactory,
    TurnFactory,
    UsageFactory,
)
from tests.query_count import queries

STEPS = [
    {"kind": "route", "agent": "desk", "at_ms": 0.0, "took_ms": 12.5, "route": "one", "parts": [{"slug": "spa"}]},
    {
        "kind": "model", "agent": "spa", "at_ms": 12.5, "took_ms": 480.0,
        "answer": "From ten.", "error": "model_timeout",
        "prompt": [{"role": "system", "text": "You are <b>calm</b>."}, {"role": "user", "text": "When?"}],
    },
    {"kind": "tool", "agent": "spa", "at_ms": 500, "took_ms": 7.5, "tool": "weather", "ok": True, "result": "Sunny."},
]  # fmt: skip


def answered(*, steps: Any = STEPS, **conversation: Any) -> Turn:
    """A turn of harbour's that was answered, with its trace."""
    agent = conversation.pop("agent", None) or AgentFactory.create()
    row = ConversationFactory.create(agent=agent, **conversation)
    turn: Turn = TurnFactory.create(conversation=row, status="done", release_id=agent.live_release_id)
    MessageFactory.create(turn=turn, text="When does the spa open?")
    MessageFactory.create(turn=turn, role="agent", text="From ten.")
    UsageFactory.create(turn_id=turn.pk, conversation_id=row.pk, model="small-1", cost_usd="0.0123")
    keep_trace(turn_id=turn.pk, conversation_id=row.pk, release_id=agent.live_release_id, contact="", steps=steps)
    return turn


def address(turn: Turn, *, again: bool = False) -> str:
    return f"/admin/conversations/conversation/{turn.conversation_id}/turns/{turn.pk}/{'again/' if again else ''}"


def test_the_page_tells_each_step_as_it_was(staff: Any) -> None:
    text = staff.get(address(answered())).content.decode()
    for told in ("When does the spa open?", "Routed", "Asked a model", "Called a tool: weather", "Sunny.", "small-1"):
        assert told in text
    assert "You are &lt;b&gt;calm&lt;/b&gt;." in text
    assert "model_timeout" in text
    assert "0.0123" in text
    assert text.count("<rect ") == 3
    assert 'class="sb-bar-bad"' in text


def test_the_thread_leads_there(staff: Any) -> None:
    turn = answered()
    page = staff.get(f"/admin/conversations/conversation/{turn.conversation_id}/change/").content.decode()
    assert f'href="{address(turn)}"' in page


@pytest.mark.parametrize("steps", [[], [{}], [{"kind": 7, "at_ms": "x", "prompt": "no list", "took_ms": None}]])
def test_a_trace_that_tells_nothing_is_a_page_too(staff: Any, steps: Any) -> None:
    assert staff.get(address(answered(steps=steps))).status_code == 200


def test_a_long_trace_costs_no_further_queries(staff: Any) -> None:
    few, many = answered(), answered(steps=STEPS * 15)
    assert queries(staff, address(few)) == queries(staff, address(many))


def test_a_turn_is_found_in_its_own_conversation_and_tenant_alone(staff: Any, agency: Any) -> None:
    turn, other = answered(), answered()
    with use_tenant(agency):
        foreign = answered()
    wrong = f"/admin/conversations/conversation/{other.conversation_id}/turns/{turn.pk}/"
    assert staff.get(wrong).status_code == 404
    assert staff.get(address(foreign)).status_code == 404
    assert staff.post(address(foreign, again=True), {"release": str(uuid.uuid4())}).status_code == 404


def test_who_only_reads_runs_nothing_again(in_harbour: Any, client_for: Any, staff_of: Any) -> None:
    turn = answered()
    analyst = client_for(in_harbour, staff_of(in_harbour, role=Role.ANALYST))
    page = analyst.get(address(turn))
    assert page.status_code == 200
    assert b'<button class="sb-button sb-primary">Run again' not in page.content
    release = str(turn.release_id)
    assert analyst.post(address(turn, again=True), {"release": release}).status_code == 403


@pytest.mark.parametrize("release", ["", "x", str(uuid.UUID(int=7))])
def test_only_the_agent_s_own_releases_are_run(staff: Any, release: str) -> None:
    turn, other = answered(), AgentFactory.create()
    assert staff.post(address(turn, again=True), {"release": release}).status_code == 404
    assert staff.post(address(turn, again=True), {"release": str(other.live_release_id)}).status_code == 404
