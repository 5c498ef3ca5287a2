"""A chain of models: the next one takes over where one stops, no word is shown twice, each attempt is metered once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agents.content.runtime import ModelChoice
from agents.engine.gateway import ChatMessage, ModelFailed, ToolCall, ToolOffer, breaker, complete_json, stream_chat
from agents.engine.models import Deadlines
from agents.releases import Endpoint
from tests.agents.listening import QUICK, allowing, answer, hear_all, knowing
from tests.model_server.process import ModelServer

TOOL = ToolOffer("book", "Books a table.", {"type": "object", "properties": {"people": {"type": "integer"}}})
WORDS = "Breakfast is at seven."
SCHEMA = {"type": "object", "properties": {"people": {"type": "integer"}}, "required": ["people"]}


@pytest.fixture(autouse=True)
def _tenant(settings: Any, model_server: ModelServer) -> Iterator[None]:
    with allowing(model_server.host_and_port, settings):
        yield


@pytest.fixture
def model(model_server: ModelServer) -> Any:
    """A choice of a behaviour, at an endpoint of its own."""

    def choose(behaviour: str) -> ModelChoice:
        return knowing(Endpoint(f"At {behaviour}", model_server.url, "sk-test"), behaviour)

    return choose


@pytest.mark.parametrize(
    "fault",
    ["fault-429", "fault-500", "garbage", "hang-before-headers", "hang-before-first", "wrong-key", "fault-404"],
)
async def test_the_next_one_answers_where_the_first_said_nothing(model: Any, fault: str) -> None:
    started = time.monotonic()
    heard = await hear_all(answer(model(fault), model("say"), question="Breakfast is at seven."))

    assert heard.text == "Breakfast is at seven."
    assert [used.provider for used in heard.usages] == ["At say"]
    assert time.monotonic() - started < QUICK.answer


@pytest.mark.parametrize("fault", ["half-say", "half-say-ended", "hang-mid-say"])
@pytest.mark.parametrize("second", ["goes-on", "say", "repeats-last-word"])
async def test_the_next_one_goes_on_where_the_first_broke_off(model: Any, fault: str, second: str) -> None:
    whole = "Breakfast is served from seven until half past ten."
    heard = await hear_all(answer(model(fault), model(second), question=whole))

    assert heard.text == whole
    assert [(used.provider, used.is_estimated) for used in heard.usages] == [
        (f"At {fault}", True),
        (f"At {second}", False),
    ]


async def test_the_same_one_is_asked_to_go_on_where_there_is_no_other(model: Any) -> None:
    whole = "Breakfast is served from seven until half past ten."
    heard = await hear_all(answer(model("half-say-once"), question=whole))

    assert heard.text == whole
    assert len(heard.usages) == 2


async def test_what_nobody_could_finish_is_told_and_metered(model: Any) -> None:
    whole = "Breakfast is served from seven until half past ten."
    heard = await hear_all(answer(model("half-say"), model("fault-500"), question=whole), failing=True)

    assert whole.startswith(heard.text)
    assert heard.text
    assert heard.failure is not None
    assert heard.failure.code == "model_error"
    assert [used.provider for used in heard.usages] == ["At half-say"]


async def test_the_deadline_is_for_the_whole_chain(model: Any) -> None:
    started = time.monotonic()
    chain = [model("hang-before-headers"), model("hang-before-first"), model("hang-mid-stream")]
    heard = await hear_all(answer(*chain, deadlines=Deadlines(5.0, 5.0, answer=1.0)), failing=True)

    assert heard.failure is not None
    assert heard.failure.code == "model_timeout"
    assert time.monotonic() - started < 4.5


async def test_the_built_in_model_is_no_link_of_a_chain() -> None:
    heard = await hear_all(answer(ModelChoice()), failing=True)

    assert heard.failure is not None
    assert heard.failure.code == "model_missing"


# --- tools ------------------------------------------------------------------------------------------------------------
async def test_a_tool_call_comes_whole_after_the_text(model: Any) -> None:
    heard = await hear_all(
        answer(model("call"), tools=[TOOL], question='One moment. !call book {"people": 2, "name": "Zoë \U0001f600"}')
    )

    assert heard.calls == [ToolCall("call_stub_0", "book", {"people": 2, "name": "Zoë \U0001f600"})]
    assert heard.usages[0].output_tokens > 0


async def test_two_calls_at_once_are_kept_apart(model: Any) -> None:
    said = '!call book {"people": 2} & book {"people": 3}'
    heard = await hear_all(answer(model("call"), tools=[TOOL], question=said))

    assert [call.arguments for call in heard.calls] == [{"people": 2}, {"people": 3}]
    assert len({call.id for call in heard.calls}) == 2


async def test_arguments_that_are_no_json_are_asked_for_again(model: Any) -> None:
    heard = await hear_all(
        answer(model("call"), model("say"), tools=[TOOL], question='!call book {"people": '), failing=True
    )

    assert heard.calls == []
    assert heard.failure is not None
    assert heard.failure.code == "model_stream_broken"


async def test_what_tools_answered_goes_back_to_the_model(model: Any) -> None:
    call = ToolCall("c1", "book", {"people": 2})
    messages = [
        ChatMessage("user", "A table for two"),
        ChatMessage("assistant", "", tool_calls=(call,)),
        ChatMessage("tool", "Booked.", tool_call_id="c1"),
    ]
    heard = await hear_all(stream_chat(chain=[model("echo")], messages=messages, tools=[TOOL]))

    for told in ('"tool_call_id": "c1"', "Booked.", '"name": "book"'):
        assert told in heard.text


# --- one JSON object --------------------------------------------------------------------------------------------------
async def test_an_object_is_read_and_checked(model: Any) -> None:
    found, used = await complete_json(
        chain=[model("stub")],
        messages=[ChatMessage("user", 'Two of us. !say ```json {"people": 2} ```')],
        schema=SCHEMA,
        purpose="extract",
    )

    assert found == {"people": 2}
    assert [one.purpose for one in used] == ["extract"]


@pytest.mark.parametrize("said", ['{"people": "two"}', "Two of you.", '{"people": NaN}', "[1]"])
async def test_an_answer_that_does_not_fit_is_sent_back_once(model: Any, model_server: ModelServer, said: str) -> None:
    with pytest.raises(ModelFailed) as caught:
        await complete_json(
            chain=[model("say-first")], messages=[ChatMessage("user", said)], schema=SCHEMA, purpose="extract"
        )

    assert caught.value.code == "model_answer_invalid"
    assert len(caught.value.usages) == 2
    asked = [request["messages"] for request in model_server.requests()["requests"]]
    assert "That is not what was asked for" in asked[1][-1]["content"]


# --- the circuit breaker ----------------------------------------------------------------------------------------------
async def test_an_endpoint_that_fails_is_left_alone_and_tried_again(
    model: Any, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "OPEN_SECONDS", 0.4)
    endpoint = Endpoint("Moody", model_server.url, "sk-test")
    sick, well = knowing(endpoint, "fault-500"), knowing(endpoint, "say")
    while model_server.count("fault-500") < breaker.FAILURES:
        await hear_all(answer(sick), failing=True)

    refused = await hear_all(answer(well, question="Hello"), failing=True)
    assert refused.failure is not None
    assert refused.failure.code == "model_unavailable"
    assert model_server.count("say") == 0

    await asyncio.sleep(0.5)
    tried = await asyncio.gather(
        *(hear_all(answer(well, question="Hello"), failing=True) for _ in range(3))
    )  # half open: one call alone
    assert sorted(one.text for one in tried) == ["", "", "Hello"]
    assert (await hear_all(answer(well, question="Hello"))).text == "Hello"


async def test_a_refused_key_opens_no_circuit(model: Any, model_server: ModelServer) -> None:
    endpoint = Endpoint("Locked", model_server.url, "wrong-key")
    for _ in range(breaker.FAILURES + 1):
        heard = await hear_all(answer(knowing(endpoint, "stub")), failing=True)
        assert heard.failure is not None
        assert heard.failure.code == "model_refused"


# --- whose protocol ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("provider", "name", "sent", "left_out"),
    [
        ("openai", "gpt-4.1-mini", {"max_completion_tokens": 100, "temperature": 0.2}, "max_tokens"),
        ("openai", "o4-mini", {"max_completion_tokens": 100}, "temperature"),
        ("groq", "llama-3.3-70b-versatile", {"max_tokens": 100, "temperature": 0.2}, "max_completion_tokens"),
        ("openai_compatible", "o4-mini", {"max_tokens": 100, "temperature": 0.2}, "max_completion_tokens"),
    ],
)
async def test_each_provider_is_asked_in_its_own_words_and_priced(
    model_server: ModelServer, provider: str, name: str, sent: dict[str, Any], left_out: str
) -> None:
    choice = knowing(Endpoint("Mine", model_server.url, "sk-test", provider), name)
    heard = await hear_all(answer(choice, question=f"!say {WORDS}"))

    (request,) = model_server.requests()["requests"]
    assert request.items() >= sent.items()
    assert left_out not in request
    (used,) = heard.usages
    assert used.provider == ("Mine" if provider == "openai_compatible" else provider)
    assert (used.cost_usd is None) == (provider == "openai_compatible")
