"""Anthropic's and Google's protocols, on the wire, with every way to fail: the same codes, deadlines and fallbacks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from agents.content.runtime import ModelChoice
from agents.engine import families
from agents.engine.gateway import ChatMessage, ToolCall, ToolOffer, stream_chat
from agents.releases import Endpoint
from tests.agents.listening import allowing, answer, hear_all, knowing
from tests.model_server.process import ModelServer

TOOL = ToolOffer("book", "Books a table.", {"type": "object", "properties": {"people": {"type": "integer"}}})
WHOLE = "Breakfast is served from seven until half past ten."
FAMILIES = sorted(families.FAMILIES)


@pytest.fixture(autouse=True)
def _tenant(settings: Any, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # What the providers' clients would pick up of their own accord.
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "sk-platform")
    for family in FAMILIES:  # so that no test's deadline is spent on it
        families._load(family)
    with allowing(model_server.host_and_port, settings):
        yield


@pytest.fixture
def model(model_server: ModelServer) -> Any:
    """A choice of a behaviour at a family's endpoint; `openai_compatible` for the fallback."""

    def choose(family: str, behaviour: str, key: str = "sk-test") -> ModelChoice:
        base = model_server.url if family == "openai_compatible" else model_server.url.removesuffix("/v1")
        return knowing(Endpoint(f"{family} {behaviour}", base, key, family), behaviour)

    return choose


@pytest.mark.parametrize("family", FAMILIES)
async def test_an_answer_and_what_it_used(model: Any, model_server: ModelServer, family: str) -> None:
    heard = await hear_all(answer(model(family, "say"), question=WHOLE))

    assert heard.text == WHOLE
    (used,) = heard.usages
    assert (used.provider, used.model, used.is_estimated) == (family, "say", False)
    assert used.input_tokens > 5
    assert used.output_tokens > 5
    (request,) = model_server.requests()["requests"]
    assert (request["key"], request["other_keys"]) == ("sk-test", [])


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_model_is_told_prompt_history_tools_and_results(
    model: Any, model_server: ModelServer, family: str
) -> None:
    call = ToolCall("c1", "book", {"people": 2})
    messages = [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "A table for two"),
        ChatMessage("assistant", "One moment.", tool_calls=(call,)),
        ChatMessage("tool", "Booked.", tool_call_id="c1"),
        ChatMessage("user", "Thanks"),
    ]
    heard = await hear_all(stream_chat(chain=[model(family, "echo")], messages=messages, tools=[TOOL]))

    for told in ("Be brief.", "A table for two", "One moment.", "book", "Booked.", "Thanks"):
        assert told in heard.text
    assert "Books a table." in str(model_server.requests()["requests"][0]["tools"])


@pytest.mark.parametrize("family", FAMILIES)
async def test_tool_calls_come_whole(model: Any, family: str) -> None:
    said = '!call book {"people": 2, "name": "Zoë"} & book {"people": 3}'
    heard = await hear_all(answer(model(family, "call"), tools=[TOOL], tool_choice="required", question=said))

    assert [(call.name, call.arguments) for call in heard.calls] == [
        ("book", {"people": 2, "name": "Zoë"}),
        ("book", {"people": 3}),
    ]
    assert len({call.id for call in heard.calls}) == 2


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("fault-429", "model_overloaded"),
        ("fault-500", "model_error"),
        ("fault-400", "model_refused"),
        ("fault-404", "model_not_found"),
        ("wrong-key", "model_refused"),
        ("redirect", "model_refused model_error"),
        ("garbage", "model_stream_broken model_unreachable"),
        ("hang-before-headers", "model_timeout"),
        ("hang-before-first", "model_timeout"),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
async def test_what_fails_has_the_same_code_and_another_one_answers(
    model: Any, model_server: ModelServer, family: str, behaviour: str, code: str
) -> None:
    failing = model(family, behaviour)
    heard = await hear_all(answer(failing, model("openai_compatible", "say"), question=WHOLE))
    assert heard.text == WHOLE
    assert len(heard.usages) == 1

    alone = await hear_all(answer(failing), failing=True)
    assert alone.failure is not None
    assert alone.failure.code in code.split()  # the clients differ in what they take these for
    assert "sk-test" not in alone.failure.detail
    assert "/_internal" not in str(model_server.requests())


@pytest.mark.parametrize("behaviour", ["half-say", "half-say-ended", "hang-mid-say"])
@pytest.mark.parametrize("family", FAMILIES)
async def test_one_that_breaks_off_is_gone_on_with(model: Any, family: str, behaviour: str) -> None:
    chain = [model(family, behaviour), model(family, "repeats-last-word")]
    heard = await hear_all(answer(*chain, question=WHOLE))

    assert heard.text == WHOLE
    assert [used.purpose for used in heard.usages] == ["answer", "answer"]


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_platforms_key_is_nowhere_else(model: Any, model_server: ModelServer, family: str) -> None:
    await hear_all(answer(model(family, "say", key="")))

    assert "sk-platform" not in str(model_server.requests())
    assert model_server.requests()["requests"][0]["other_keys"] == []


@pytest.mark.parametrize("family", FAMILIES)
async def test_private_addresses_are_refused(family: str) -> None:
    choice = knowing(Endpoint("Elsewhere", "http://127.0.0.1:9", "sk-test", family))
    heard = await hear_all(answer(choice), failing=True)

    assert heard.failure is not None
    assert heard.failure.code == "model_address_refused"


@pytest.mark.parametrize("family", [*FAMILIES, "openai", "groq"])
async def test_without_any_key_nobody_is_called(family: str) -> None:
    from agents.providers import PROVIDERS

    heard = await hear_all(answer(knowing(Endpoint("Own", PROVIDERS[family].base_url, "", family))), failing=True)

    assert heard.failure is not None
    assert heard.failure.code == "model_key_missing"


def test_whoever_needs_no_such_model_loads_none() -> None:
    code = (
        "import django, sys; django.setup(); import agents.engine.gateway;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'anthropic', 'pydantic_ai', 'genai_prices'}),"
        "'google.genai' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    assert found.stdout.strip() == "[] False", found.stderr
