"""A turn run again on another release: a second answer beside the first, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents.models import Action, ToolCallRecord, TurnTrace
from billing.models import UsageEvent
from conversations.domain.replays import run_again
from conversations.models import Message, Turn
from tenants.context import use_tenant
from tests.conversations.test_replay import answered
from tests.factories import AgentFactory, EndpointFactory, ReleaseFactory


@pytest.fixture
def harbour_s(live_tenants: None, harbour: Any, model_server: Any, settings: Any) -> Iterator[Any]:
    from agents.engine import models

    settings.EGRESS_ALLOW = [model_server.host_and_port]
    models.egress_policy.cache_clear()
    models.forget_clients()
    with use_tenant(harbour):
        yield model_server
    models.egress_policy.cache_clear()
    models.forget_clients()


def rows() -> list[int]:
    return [kind.objects.count() for kind in (Turn, Message, TurnTrace, Action, ToolCallRecord)]


def test_it_answers_on_another_release_and_leaves_nothing_but_what_it_cost(harbour_s: Any) -> None:
    agent = AgentFactory.create()
    first = answered(agent=agent)
    turn = answered(agent=agent, steps=[])
    Message.objects.filter(turn=first).update(conversation=turn.conversation)
    endpoint = EndpointFactory.create(base_url=harbour_s.url)
    other = ReleaseFactory.create(agent=agent, endpoint=endpoint, model="echo", prompt="You are the night porter.")
    before, used = rows(), UsageEvent.objects.count()

    again = run_again(turn=turn, release_id=other.pk)

    assert "You are the night porter." in harbour_s.requests()["requests"][-1]["messages"][0]["content"]
    assert "When does the spa open?" in again.answer or again.refusals
    assert [step["kind"] for step in again.steps] == ["model"]
    assert rows() == before
    assert UsageEvent.objects.count() == used + 1
    assert UsageEvent.objects.filter(idempotency_key__startswith="replay:").get().release_id == other.pk


def test_a_model_that_fails_is_told(harbour_s: Any) -> None:
    agent = AgentFactory.create()
    turn = answered(agent=agent)
    endpoint = EndpointFactory.create(base_url=harbour_s.url)
    other = ReleaseFactory.create(agent=agent, endpoint=endpoint, model="wrong-key")
    again = run_again(turn=turn, release_id=other.pk)
    assert again.error is not None
    assert again.error[0] == "model_refused"


def test_the_page_shows_both_answers(harbour_s: Any, harbour: Any, client_for: Any) -> None:
    turn = answered()
    browser = client_for(harbour)
    address = f"/admin/conversations/conversation/{turn.conversation_id}/turns/{turn.pk}/again/"
    text = browser.post(address, {"release": str(turn.release_id)}).content.decode()
    assert "From ten." in text
    assert "built-in local model" in text
    assert "Replay</span>" in text
