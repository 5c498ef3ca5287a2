"""Endpoints are addresses that tenants give: what one sends must harm nobody, least of all other tenants."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agents.engine.gateway import ModelFailed
from agents.engine.models import Deadlines
from agents.releases import Endpoint
from billing.domain.usage import Usage
from tests.agents.listening import Heard, allowing, answer, hear_all, knowing

Serve = Callable[[asyncio.StreamWriter], Any]


@asynccontextmanager
async def endpoint(serve_answer: Serve, settings: Any) -> AsyncIterator[Endpoint]:
    """An endpoint that answers every request with these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve_answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with allowing(f"127.0.0.1:{port}", settings):
        yield Endpoint("Stranger", f"http://127.0.0.1:{port}/v1", "")
    server.close()


def chunks(*values: Any) -> Serve:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for value in values:
            writer.write(f"data: {json.dumps(value)}\n\n".encode())
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()

    return answer


def delta(content: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, **more}]}


async def answer_of(at: Endpoint) -> tuple[str, Usage | None]:
    heard = await heard_of(at)
    return heard.text, heard.usages[-1] if heard.usages else None


async def heard_of(at: Endpoint) -> Heard:
    return await hear_all(answer(knowing(at), deadlines=Deadlines(5.0, 5.0, 20.0)))


async def test_what_no_store_can_hold_is_left_out(settings: Any) -> None:
    answer = chunks(delta("Seven\x00 o'clock"), delta("\ud83d half é"), delta(" \U0001f600", finish_reason="stop"))
    async with endpoint(answer, settings) as at:
        text, _ = await answer_of(at)

    assert text == "Seven o'clock? half é \U0001f600"


@pytest.mark.parametrize("counted", [-5, 10**12])
async def test_counts_that_no_ledger_can_hold_are_bounded(settings: Any, counted: int) -> None:
    answer = chunks(
        delta("Yes.", finish_reason="stop"),
        {"choices": [], "usage": {"prompt_tokens": counted, "completion_tokens": counted}},
    )
    async with endpoint(answer, settings) as at:
        _, usage = await answer_of(at)

    assert usage is not None
    assert 0 < usage.output_tokens < 2**31
    assert 0 < usage.input_tokens < 2**31


@pytest.mark.parametrize("content", [["no", "text"], 7, {"text": "no"}])
async def test_a_piece_that_is_no_text_is_a_broken_stream(settings: Any, content: Any) -> None:
    async with endpoint(chunks(delta(content)), settings) as at:
        with pytest.raises(ModelFailed) as caught:
            await answer_of(at)

    assert caught.value.code == "model_stream_broken"


async def test_an_answer_without_end_is_cut_off(settings: Any) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        line = f"data: {json.dumps(delta('x' * 50_000))}\n\n".encode()
        while True:
            writer.write(line)
            await writer.drain()

    async with endpoint(answer, settings) as at:
        with pytest.raises(ModelFailed) as caught:
            await answer_of(at)

    assert caught.value.code == "model_stream_broken"


async def test_a_refusal_without_end_is_not_read_to_its_end(settings: Any) -> None:
    sent = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
        while sent < 400_000_000:
            writer.write(b"x" * 1_000_000)
            sent += 1_000_000
            await writer.drain()

    async with endpoint(answer, settings) as at:
        with pytest.raises(ModelFailed) as caught:
            await answer_of(at)

    assert caught.value.code == "model_stream_broken"
    assert sent < 200_000_000  # of all tries together


async def test_what_is_compressed_is_not_inflated(settings: Any) -> None:
    bomb = gzip.compress(b"data: {}\n" * 10_000_000)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n")
        writer.write(b"connection: close\r\n\r\n" + bomb)
        await writer.drain()

    async with endpoint(answer, settings) as at:
        started = time.process_time()
        with pytest.raises(ModelFailed) as caught:
            await answer_of(at)

    assert caught.value.code == "model_unreachable"
    assert time.process_time() - started < 0.5


# --- tool calls -------------------------------------------------------------------------------------------------------
def called(*pieces: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"tool_calls": list(pieces)}}]}


FINISHED = {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    "piece",
    [
        {"index": 0},
        {"index": 0, "function": "book"},
        {"index": 0, "function": {"name": "", "arguments": "{}"}},
        {"index": 0, "function": {"name": "x" * 1000, "arguments": "{}"}},
        {"index": 0, "id": "i" * 1000, "function": {"name": "book", "arguments": "{}"}},
        {"index": 0, "id": 7, "function": {"name": "book", "arguments": "{}"}},
        {"index": 0, "function": {"name": "book", "arguments": "[1]"}},
        {"index": 0, "function": {"name": "book", "arguments": '{"n": NaN}'}},
        {"index": 0, "function": {"name": "book", "arguments": '{"n": '}},
        {"index": 0, "function": {"name": "book", "arguments": '{"n":' * 100_000}},
        {"index": 0, "function": {"name": "book", "arguments": 7}},
        "book",
    ],
)
async def test_what_is_no_tool_call_is_a_broken_stream(settings: Any, piece: Any) -> None:
    async with endpoint(chunks(called(piece), FINISHED), settings) as at:
        with pytest.raises(ModelFailed) as caught:
            await answer_of(at)

    assert caught.value.code == "model_stream_broken"


async def test_arguments_and_calls_without_end_are_cut_off(settings: Any) -> None:
    long = [called({"index": 0, "function": {"name": "book", "arguments": "x" * 50_000}})] * 30
    many = [called({"index": number, "function": {"name": "book", "arguments": ""}}) for number in range(1000)]
    for pieces in (long, many):
        async with endpoint(chunks(*pieces, FINISHED), settings) as at:
            with pytest.raises(ModelFailed) as caught:
                await answer_of(at)
        assert caught.value.code == "model_stream_broken"


async def test_calls_have_ids_of_their_own_and_values_that_any_store_takes(settings: Any) -> None:
    book = {"name": "book", "arguments": '{"na\\u0000me": "Zo\\ud83dë", "list": ["\\u0000"]}'}
    pieces = [called({"id": "call_0", "function": book}), called({"id": "call_0", "function": book})]
    async with endpoint(chunks(*pieces, FINISHED), settings) as at:
        heard = await heard_of(at)

    assert [call.arguments for call in heard.calls] == [{"name": "Zo?ë", "list": [""]}] * 2
    assert len({call.id for call in heard.calls}) == 2


async def test_a_call_that_was_begun_and_not_finished_is_none(settings: Any) -> None:
    async with endpoint(chunks(called({"index": 0, "function": {"name": "book", "arguments": "{}"}})), settings) as at:
        heard = await hear_all(answer(knowing(at)), failing=True)

    assert heard.calls == []
    assert heard.failure is not None


@pytest.mark.parametrize("usage", ["many", ["1"], {"prompt_tokens": "many"}, {"completion_tokens": [1]}])
async def test_usage_that_is_none_is_a_broken_stream(settings: Any, usage: Any) -> None:
    async with endpoint(chunks(delta("Yes.", finish_reason="stop"), {"usage": usage}), settings) as at:
        heard = await hear_all(answer(knowing(at)), failing=True)

    assert heard.text.startswith("Yes.")
    assert heard.failure is None or heard.failure.code == "model_stream_broken"


async def test_a_server_that_counts_wildly_shuts_nobody_out(settings: Any) -> None:
    settings.TENANT_TOKENS_PER_MINUTE = 500_000
    wild = {"choices": [], "usage": {"prompt_tokens": 10**9, "completion_tokens": 10**9}}
    async with endpoint(chunks(delta("Yes.", finish_reason="stop"), wild), settings) as at:
        for _ in range(3):
            await answer_of(at)
