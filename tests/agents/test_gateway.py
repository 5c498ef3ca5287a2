"""The door to models, against a server that speaks the real protocol and misbehaves on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agents.engine import models
from agents.engine.gateway import ModelFailed, Piece
from agents.engine.models import Deadlines
from agents.releases import Endpoint
from switchboard.kernel.egress import EgressPolicy
from tests.agents.listening import allowing, answer, hear, hear_all, knowing
from tests.model_server.process import ModelServer


@pytest.fixture(autouse=True)
def _tenant(settings: Any, model_server: ModelServer) -> Iterator[None]:
    with allowing(model_server.url.removeprefix("http://").removesuffix("/v1"), settings):
        yield


def stream(
    server: ModelServer, model: str, question: str = "Hello", *, url: str = "", **more: Any
) -> AsyncIterator[Piece]:
    return answer(knowing(Endpoint("The stub", url or server.url, "sk-test"), model), question=question, **more)


async def failure(server: ModelServer, model: str, **how: Any) -> tuple[str, ModelFailed]:
    heard = await hear_all(stream(server, model, **how), failing=True)
    assert heard.failure is not None
    return heard.text, heard.failure


async def test_an_answer_and_what_it_used(model_server: ModelServer) -> None:
    text, usage = await hear(stream(model_server, "say", "Breakfast is at seven."))

    assert text == "Breakfast is at seven."
    assert usage is not None
    assert usage.output_tokens > 0
    assert not usage.is_estimated


async def test_the_model_is_told_prompt_history_and_question(model_server: ModelServer) -> None:
    text, _ = await hear(stream(model_server, "echo", "And lunch?"))

    for said in ("Be brief.", "Good morning!", "And lunch?"):
        assert said in text


async def test_uncounted_tokens_are_estimated_and_marked_so(model_server: ModelServer) -> None:
    _, usage = await hear(stream(model_server, "no-usage"))

    assert usage is not None
    assert usage.is_estimated
    assert usage.output_tokens > 0


@pytest.mark.parametrize("fault", ["fault-429", "fault-500", "fault-503", "garbage"])
async def test_what_passes_is_tried_again(model_server: ModelServer, fault: str) -> None:
    text, _ = await hear(stream(model_server, f"{fault}-once"))

    assert text


@pytest.mark.parametrize(
    ("model", "code", "tries"),
    [
        ("fault-429", "model_overloaded", 3),
        ("fault-500", "model_error", 3),
        ("garbage", "model_stream_broken", 3),
        ("wrong-key", "model_refused", 1),
        ("fault-400", "model_refused", 1),
        ("fault-404", "model_not_found", 1),
    ],
)
async def test_what_does_not_pass_has_a_code_and_bounded_tries(
    model_server: ModelServer, model: str, code: str, tries: int
) -> None:
    heard, failed = await failure(model_server, model)

    assert (heard, failed.code) == ("", code)
    assert model_server.requests()["counts"] == {model: tries}
    assert "sk-test" not in failed.detail


@pytest.mark.parametrize("model", ["hang-before-headers", "hang-before-first", "hang-mid-stream"])
async def test_a_model_that_hangs_is_left_in_time(model_server: ModelServer, model: str) -> None:
    _, failed = await failure(model_server, model)

    assert failed.code == "model_timeout"


async def test_an_answer_that_trickles_for_ever_ends_with_the_whole_answers_deadline(model_server: ModelServer) -> None:
    heard, failed = await failure(model_server, "stub-100x100", deadlines=Deadlines(1.0, 1.0, answer=0.5))

    assert failed.code == "model_timeout"
    assert heard


async def test_private_addresses_and_redirects_to_them_are_refused(model_server: ModelServer) -> None:
    _, elsewhere = await failure(model_server, "stub", url="http://127.0.0.1:9/v1")
    _, redirected = await failure(model_server, "redirect")

    assert elsewhere.code == "model_address_refused"
    assert redirected.code == "model_refused"
    assert "/_internal" not in str(model_server.requests())


async def test_an_address_where_nobody_listens(model_server: ModelServer, settings: object) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1:9"]  # type: ignore[attr-defined]
    models.egress_policy.cache_clear()

    _, failed = await failure(model_server, "stub", url="http://127.0.0.1:9/v1")

    assert failed.code == "model_unreachable"


async def test_policy_is_the_operators_list() -> None:
    policy = EgressPolicy(["127.0.0.1:11434", "10.1.0.0/16"])

    assert policy.permits("127.0.0.1", 11434, "127.0.0.1")
    assert policy.permits("models.internal", 443, "10.1.2.3")
    assert not policy.permits("127.0.0.1", 5432, "127.0.0.1")
