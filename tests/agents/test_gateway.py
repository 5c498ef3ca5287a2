"""The door to models, against a server that speaks the real protocol and misbehaves on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agents.content.runtime import ModelChoice
from agents.engine import models
from agents.engine.gateway import ModelFailed, stream_answer
from agents.engine.models import Deadlines
from agents.releases import Endpoint
from billing.domain.usage import Usage
from switchboard.kernel.egress import EgressPolicy
from tests.agents.listening import allowing, hear
from tests.model_server.process import ModelServer

QUICK = Deadlines(first_token=1.0, between_tokens=0.5, answer=5.0)


@pytest.fixture(autouse=True)
def _tenant(settings: Any, model_server: ModelServer) -> Iterator[None]:
    with allowing(model_server.url.removeprefix("http://").removesuffix("/v1"), settings):
        yield


def choice(model: str) -> ModelChoice:
    return ModelChoice(endpoint="The stub", model=model, max_tokens=100)


def stream(
    server: ModelServer, model: str, question: str = "Hello", *, url: str = "", deadlines: Deadlines = QUICK
) -> AsyncIterator[str | Usage]:
    return stream_answer(
        choice=choice(model),
        endpoint=Endpoint("The stub", url or server.url, "sk-test"),
        instructions="Be brief.",
        history=[("contact", "Good morning"), ("agent", "Good morning!")],
        question=question,
        deadlines=deadlines,
    )


async def failure(server: ModelServer, model: str, **how: object) -> tuple[str, ModelFailed]:
    heard = ""
    with pytest.raises(ModelFailed) as caught:
        async for piece in stream(server, model, **how):  # type: ignore[arg-type]
            heard += str(piece)
    return heard, caught.value


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


@pytest.mark.parametrize("model", ["half-stream", "half-stream-ended"])
async def test_a_stream_that_breaks_is_told_and_nothing_is_said_twice(model_server: ModelServer, model: str) -> None:
    heard, failed = await failure(model_server, model)

    assert failed.code in {"model_stream_broken", "model_unreachable"}
    assert heard
    assert model_server.requests()["counts"] == {model: 1}


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
