"""What happens to clients of /v1/listen that are wrong, too many, gone, or out of luck."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import psutil
import pytest

from tests.voice_worker.speech import running_speech_server, silence, spoken

_WORDS = "thank you very much goodbye"
_QUERY = {"encoding": "linear16", "sample_rate": "16000", "channels": "1", "interim_results": "true"}


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[str, int]]:
    """A server that hears two streams at once: its URL and process id."""
    with running_speech_server("--streams", "2") as (url, process):
        yield url, process.pid


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _talk(socket_: aiohttp.ClientWebSocketResponse, *messages: Any) -> None:
    for message in messages:
        if isinstance(message, bytes):
            await socket_.send_bytes(message)
        else:
            await socket_.send_str(message if isinstance(message, str) else json.dumps(message))


async def _rest(socket_: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    """All that comes until the server closes."""
    async with asyncio.timeout(60):
        return [json.loads(message.data) async for message in socket_]


async def _is_heard(url: str, http: aiohttp.ClientSession) -> bool:
    async with http.ws_connect(f"{url}/listen", params={**_QUERY, "keyterm": _WORDS}) as connection:
        await _talk(connection, silence(0.4) + spoken(_WORDS)[0] + silence(0.6), {"type": "CloseStream"})
        results = [message for message in await _rest(connection) if message.get("is_final")]
    return " ".join(result["channel"]["alternatives"][0]["transcript"] for result in results).strip() == _WORDS


async def _load(url: str, http: aiohttp.ClientSession) -> int:
    async with http.get(url.replace("/v1", "/healthz")) as answer:
        return int((await answer.json())["listening"])


async def _until_idle(url: str, http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(60):
        while await _load(url, http):  # noqa: ASYNC110 - it is another process that gets idle
            await asyncio.sleep(0.05)


async def test_a_stream_is_closed_in_order(speech_url: str, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(f"{speech_url}/listen", params={**_QUERY, "keyterm": _WORDS}) as connection:
        assert connection._response.headers["dg-request-id"]
        pcm = silence(0.4) + spoken(_WORDS)[0]
        await _talk(connection, {"type": "KeepAlive"}, pcm, {"type": "Finalize"}, {"type": "CloseStream"})
        messages = await _rest(connection)
    final = next(message for message in messages if message.get("is_final"))
    assert final["from_finalize"] is True
    assert final["speech_final"] is True
    assert final["channel"]["alternatives"][0]["transcript"] == _WORDS
    assert messages[-1]["type"] == "Metadata"
    assert messages[-1]["duration"] == pytest.approx(len(pcm) / 32_000, abs=0.1)
    assert connection.close_code == 1000


async def test_samples_may_be_cut_anywhere(speech_url: str, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(f"{speech_url}/listen", params={**_QUERY, "keyterm": _WORDS}) as connection:
        pcm = silence(0.4) + spoken(_WORDS)[0] + silence(0.6)
        pieces = [pcm[start : start + 777] for start in range(0, len(pcm), 777)]
        await _talk(connection, *pieces, {"type": "CloseStream"})
        finals = [message for message in await _rest(connection) if message.get("is_final")]
    assert [final["channel"]["alternatives"][0]["transcript"] for final in finals] == [_WORDS]


async def test_silence_and_noise_are_no_words(speech_url: str, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(f"{speech_url}/listen", params={**_QUERY, "vad_events": "true"}) as connection:
        await _talk(connection, silence(3), {"type": "Finalize"}, {"type": "CloseStream"})
        messages = await _rest(connection)
    assert [message["type"] for message in messages] == ["Results", "Metadata"]
    assert messages[0]["channel"]["alternatives"][0] == {"transcript": "", "confidence": 0.0, "words": []}

    garbage = random.Random(7).randbytes(32_000 * 3 + 1)
    async with http.ws_connect(f"{speech_url}/listen", params=_QUERY) as connection:
        await _talk(connection, garbage, b"", {"type": "CloseStream"})
        messages = await _rest(connection)
    assert connection.close_code == 1000
    assert {message["type"] for message in messages} <= {"Results", "Metadata"}


async def test_the_end_of_an_utterance_is_told(speech_url: str, http: aiohttp.ClientSession) -> None:
    query = {**_QUERY, "utterance_end_ms": "1000", "keyterm": _WORDS}
    async with http.ws_connect(f"{speech_url}/listen", params=query) as connection:
        await _talk(connection, silence(0.4) + spoken(_WORDS)[0] + silence(1.5), {"type": "CloseStream"})
        told = [message for message in await _rest(connection) if message["type"] == "UtteranceEnd"]
    assert len(told) == 1
    assert told[0]["last_word_end"] > 1


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("encoding", "opus", "invalid_value"),
        ("channels", "2", "invalid_value"),
        ("sample_rate", "4000", "invalid_value"),
        ("sample_rate", "16e3", "invalid_value"),
        ("sample_rate", "-1", "invalid_value"),
        ("endpointing", "soon", "invalid_value"),
        ("language", "de", "language_not_supported"),
        ("keyterm", "x" * 100, "too_many_keyterms"),
    ],
)
async def test_what_cannot_be_served_is_refused_at_the_door(
    speech_url: str, http: aiohttp.ClientSession, name: str, value: str, code: str
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.ws_connect(f"{speech_url}/listen", params={**_QUERY, name: value})
    assert caught.value.status == 400
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    async with http.get(f"{speech_url}/listen", params={**_QUERY, name: value}, headers=headers) as answer:
        assert (await answer.json())["err_code"] == code


async def test_pages_of_websites_are_refused(speech_url: str, http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.ws_connect(f"{speech_url}/listen", params=_QUERY, origin="https://elsewhere.example")
    assert caught.value.status == 403


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "Sing"}', '"Finalize"', "", "[" * 10_000])
async def test_texts_that_mean_nothing_end_the_stream(speech_url: str, http: aiohttp.ClientSession, text: str) -> None:
    async with http.ws_connect(f"{speech_url}/listen", params=_QUERY) as connection:
        await _talk(connection, text)
        assert await _rest(connection) == []
        assert connection.close_code == 1008


async def test_a_message_that_is_too_large_ends_the_stream(speech_url: str, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(f"{speech_url}/listen", params=_QUERY) as connection:
        await _talk(connection, bytes(1024 * 1024 + 2))
        assert await _rest(connection) == []
        assert connection.close_code == 1009


async def test_one_too_many_is_refused_until_another_leaves(
    small: tuple[str, int], http: aiohttp.ClientSession
) -> None:
    url, _ = small
    await _until_idle(url, http)
    one = await http.ws_connect(f"{url}/listen", params=_QUERY)
    two = await http.ws_connect(f"{url}/listen", params=_QUERY)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.ws_connect(f"{url}/listen", params=_QUERY)
    assert caught.value.status == 503
    assert caught.value.headers
    assert int(caught.value.headers["retry-after"]) > 0
    await one.close()
    await _talk(two, {"type": "CloseStream"})
    await _rest(two)
    await _until_idle(url, http)
    assert await _is_heard(url, http)


async def test_a_client_that_vanishes_leaves_no_process(small: tuple[str, int], http: aiohttp.ClientSession) -> None:
    url, _ = small
    await _until_idle(url, http)
    connection = await http.ws_connect(f"{url}/listen", params=_QUERY)
    await _talk(connection, silence(0.4) + spoken(_WORDS)[0])
    assert await _load(url, http) == 1
    transport = connection._writer.transport
    assert transport is not None
    transport.abort()
    await _until_idle(url, http)


def _children_that_hear(server: int) -> set[psutil.Process]:
    """The children of the process that holds the models."""
    return {one for one in psutil.Process(server).children(recursive=True) if one.ppid() != server}


async def _child_besides(others: set[psutil.Process], server: int) -> psutil.Process:
    """The child that was forked since, once it is there."""
    for _ in range(200):
        for one in _children_that_hear(server) - others:
            return one
        await asyncio.sleep(0.05)
    raise AssertionError("no child was forked")


async def test_a_killed_child_ends_its_stream_and_no_other(small: tuple[str, int], http: aiohttp.ClientSession) -> None:
    url, server = small
    await _until_idle(url, http)
    before = _children_that_hear(server)
    async with http.ws_connect(f"{url}/listen", params={**_QUERY, "keyterm": _WORDS}) as kept:
        await _talk(kept, silence(0.4))
        await _child_besides(before, server)
        others = _children_that_hear(server)
        async with http.ws_connect(f"{url}/listen", params=_QUERY) as lost:
            await _talk(lost, silence(0.4))
            os.kill((await _child_besides(others, server)).pid, signal.SIGKILL)
            assert await _rest(lost) == []
            assert lost.close_code == 1011
        await _talk(kept, spoken(_WORDS)[0] + silence(0.6), {"type": "CloseStream"})
        finals = [message for message in await _rest(kept) if message.get("is_final")]
    assert [final["channel"]["alternatives"][0]["transcript"] for final in finals] == [_WORDS]


async def test_the_models_are_loaded_again_when_their_process_was_killed(
    small: tuple[str, int], http: aiohttp.ClientSession
) -> None:
    url, server = small
    await _until_idle(url, http)
    holder = next(one for one in psutil.Process(server).children() if "forkserver" in " ".join(one.cmdline()))
    holder.kill()
    assert await _is_heard(url, http)
