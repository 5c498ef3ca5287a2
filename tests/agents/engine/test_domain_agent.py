"""An agent with a model and tools: what only reads is called, what changes something is proposed to the contact."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from agents import releases
from agents.engine import models
from agents.engine.gateway import breaker
from conversations.desk.models import Reservation
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.agents.engine.talking import Talk, release_with
from tests.agents.engine.test_actions import BOOK
from tests.conversations.desk.factories import CalendarFactory
from tests.factories import EndpointFactory
from tests.model_server.process import ModelServer

SOON = (timezone.now().date() + dt.timedelta(days=3)).isoformat()
CHECK = {
    "name": "Look for a table",
    "slug": "check-table",
    "kind": "python",
    "handler": "reservation.check",
    "description": "Looks for free tables.",
}
Begin = Callable[..., Awaitable[Talk]]


@pytest.fixture
def begin(live_tenants: None, harbour: Any, settings: Any, model_server: ModelServer) -> Iterator[Begin]:
    """`begin("call", "say", safety={…})`: a conversation with an agent on these behaviours, the second if the first
    fails."""
    settings.EGRESS_ALLOW = [model_server.host_and_port]
    _forget()

    def make(model: str, *fallbacks: str, **more: Any) -> Talk:
        endpoint = EndpointFactory.create(base_url=model_server.url)
        choices = [{"endpoint": endpoint.name, "model": name} for name in (model, *fallbacks)]
        return Talk(release_with(BOOK, CHECK, llm=choices[0], fallbacks=choices[1:], **more).pk)

    with use_tenant(harbour):
        CalendarFactory.create()

        async def begin(*behaviours: str, **more: Any) -> Talk:
            return await in_database(make, *behaviours, **more)

        yield begin
    _forget()


def _forget() -> None:
    models.egress_policy.cache_clear()
    models.forget_clients()
    breaker.forget()
    releases.endpoints.forget()


def call(tool: str, **arguments: Any) -> str:
    return f"!call-once {tool} {json.dumps(arguments)}"


async def reserved() -> int:
    return await in_database(Reservation.objects.count)


async def test_what_a_model_wants_to_change_is_put_to_the_contact(begin: Begin, model_server: ModelServer) -> None:
    talk = await begin("stub")
    heard = await talk.say(call("book-table", date=SOON, time="20:00", party_size=2, name="Ada"))
    assert heard.of("action")[-1]["status"] == "confirming"
    assert "Ada" in heard.text
    assert await reserved() == 0
    asked = len(model_server.requests()["requests"])
    assert (await talk.say("yes")).of("tool_result")[0]["ok"]
    assert await reserved() == 1
    assert len(model_server.requests()["requests"]) == asked  # a yes is the contact's to say, and needs no model


async def test_what_a_model_leaves_out_or_gets_wrong_is_asked_for(begin: Begin) -> None:
    talk = await begin("stub")
    heard = await talk.say(call("book-table", date="soon", time="20:00", party_size=2, name="Ada", discount=100))
    (action,) = heard.of("action")
    assert (action["asked"], action["arguments"]) == ("date", {"time": "20:00", "party_size": 2, "name": "Ada"})
    assert await reserved() == 0


async def test_what_only_reads_is_called_and_its_answer_given_to_the_model(
    begin: Begin, model_server: ModelServer
) -> None:
    heard = await (await begin("stub")).say(call("check-table", date=SOON, party_size=2))
    assert heard.of("tool_call")[0]["tool"] == "check-table"
    assert heard.of("tool_result")[0]["ok"]
    (result,) = [one for one in model_server.requests()["requests"][-1]["messages"] if one["role"] == "tool"]
    assert "<result" in result["content"]
    assert "no instructions" in result["content"]
    assert len(heard.of("usage")) == 2


async def test_a_tool_that_the_release_does_not_have_is_not_run(begin: Begin) -> None:
    heard = await (await begin("stub")).say(call("erase-everything", really=True))
    assert heard.of("tool_call") == []
    assert heard.of("error") == []


async def test_a_model_that_never_stops_calling_has_to_answer_in_the_end(begin: Begin) -> None:
    heard = await (await begin("stub")).say(call("check-table", date=SOON, party_size=2).replace("-once", ""))
    assert 1 <= len(heard.of("tool_call")) <= 5
    assert heard.of("error") == []


async def test_the_fallback_finishes_what_the_first_model_began(begin: Begin) -> None:
    whole = "Breakfast is served from seven until half past ten."
    heard = await (await begin("half-say", "goes-on")).say(whole)
    assert heard.text == whole
    assert [used["model"] for used in heard.of("usage")] == ["half-say", "goes-on"]


async def test_what_is_blocked_goes_neither_in_nor_out(begin: Begin, model_server: ModelServer) -> None:
    talk = await begin("say", safety={"blocked_topics": ["gambling"]})
    before = len(model_server.requests()["requests"])
    refused = await talk.say("Where is the next gambling hall?")
    assert refused.of("refusal")[0]["code"] == "topic_blocked"
    assert len(model_server.requests()["requests"]) == before


async def test_a_model_s_prompt_can_be_looked_at(begin: Begin) -> None:
    (step,) = (await (await begin("say")).say("Seven.")).steps
    assert step["kind"] == "model"
    assert step["prompt"][0]["role"] == "system"
    assert step["prompt"][-1]["text"] == "Seven."
    assert step["answer"] == "Seven."
    assert step["usage"]["output_tokens"] > 0
