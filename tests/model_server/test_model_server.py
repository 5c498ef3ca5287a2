"""The stub speaks OpenAI's protocol well enough for OpenAI's own client."""

from __future__ import annotations

import time

import openai
import pytest

from tests.model_server.process import ModelServer


def _client(server: ModelServer, key: str = "k") -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key=key, max_retries=0, timeout=5)


def _streamed(server: ModelServer, model: str, said: str = "Hello") -> tuple[str, str | None, int | None]:
    text, finish, total = "", None, None
    for chunk in _client(server).chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": said}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
        total = chunk.usage.total_tokens if chunk.usage else total
    return text, finish, total


def test_tokens_come_in_order_with_the_time_each_was_sent(model_server: ModelServer) -> None:
    before = time.monotonic_ns() // 1000
    text, finish, total = _streamed(model_server, "stub-5x20")
    numbers, stamps = zip(*((int(part) for part in token.split("@")) for token in text.split()), strict=True)
    assert numbers == (0, 1, 2, 3, 4)
    assert before < stamps[0] < stamps[-1] < time.monotonic_ns() // 1000
    assert stamps[-1] - stamps[0] > 60_000
    assert (finish, total) == ("stop", 6)


def test_a_word_in_the_message_chooses_the_answer(model_server: ModelServer) -> None:
    assert _streamed(model_server, "stub", "Please !say yes [1]")[0] == "yes [1]"
    assert model_server.count("say") == 1


def test_echo_shows_what_was_sent(model_server: ModelServer) -> None:
    assert _streamed(model_server, "echo", "Hällo")[0] == '[{"role": "user", "content": "Hällo"}]'


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("fault-429", openai.RateLimitError),
        ("fault-500", openai.InternalServerError),
        ("wrong-key", openai.AuthenticationError),
        ("no-such-model", openai.NotFoundError),
        ("half-stream", openai.APIConnectionError),
        ("garbage", ValueError),
    ],
)
def test_faults_look_as_openai_makes_them(model_server: ModelServer, model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _streamed(model_server, model)


def test_a_fault_that_happens_once(model_server: ModelServer) -> None:
    with pytest.raises(openai.InternalServerError):
        _streamed(model_server, "fault-500-once", "one")
    assert _streamed(model_server, "fault-500-once", "one")[1] == "stop"


def test_answers_without_usage_and_without_words(model_server: ModelServer) -> None:
    assert _streamed(model_server, "no-usage")[2] is None
    assert _streamed(model_server, "empty")[:2] == ("", "stop")
