"""The client of the embedding service, against a scripted server and against the real embedder."""

import asyncio
import base64
import email.utils
import json
import socket
import threading
import time
from array import array
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from knowledge.embeddings import EmbeddingsClient, EmbeddingsEndpoint, EmbeddingsUnavailable
from tests.knowledge.embedder_process import running_embedder


class ScriptedServer:
    """Answers as told, one instruction per request, then rightly: a vector whose first number is the text's length."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.connections: set[Any] = set()
        self.base64 = True
        self.dimensions = 384
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                owner.connections.add(self.client_address)
                body = self.rfile.read(int(self.headers["content-length"]))
                owner.authorizations.append(self.headers["authorization"])
                owner.requests.append({"path": self.path, **json.loads(body)})
                step = owner.script.pop(0) if owner.script else None
                if step == "hang up":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                elif isinstance(step, float):
                    time.sleep(step)
                    self._send(200, owner.answer(owner.requests[-1]["input"]))
                elif step is None:
                    self._send(200, owner.answer(owner.requests[-1]["input"]))
                elif isinstance(step, tuple):
                    self._send(step[0], {"error": {"message": "no"}}, **step[1])
                else:
                    self._send(200, step)

            def _send(self, status: int, body: Any, **headers: str) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says so
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, texts: list[str]) -> dict[str, Any]:
        vectors = [array("f", [len(text), *[0.5] * (self.dimensions - 1)]) for text in texts]
        packed = [base64.b64encode(vector.tobytes()).decode() if self.base64 else vector.tolist() for vector in vectors]
        # The protocol gives each its index; the order is not promised.
        return {"data": [{"index": index, "embedding": value} for index, value in enumerate(packed)][::-1]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


def _client(server: ScriptedServer, **endpoint: Any) -> EmbeddingsClient:
    return EmbeddingsClient(EmbeddingsEndpoint(**{"url": server.url, "timeout": 3.0, **endpoint}))


@pytest.mark.parametrize("packed", [True, False], ids=["base64", "floats"])
async def test_a_query_gets_its_vector_in_either_encoding(server: ScriptedServer, packed: bool) -> None:
    server.base64 = packed
    vector = await _client(server, api_key="k3y").embed_query("seven..")
    assert (vector[0], vector[1], len(vector)) == (7.0, 0.5, 384)
    assert server.requests[0]["path"] == "/v1/embeddings"
    assert server.requests[0]["model"] == "all-MiniLM-L6-v2"
    assert server.authorizations == ["Bearer k3y"]


def test_a_key_is_not_shown_where_an_endpoint_is_printed() -> None:
    assert "k3y" not in repr(EmbeddingsEndpoint(url="http://x/v1", api_key="k3y"))


def test_passages_go_in_batches_of_32_and_come_back_in_order(server: ScriptedServer) -> None:
    told: list[tuple[int, int]] = []
    vectors = _client(server).embed_passages(
        ["x" * length for length in range(1, 71)], on_progress=lambda done, total: told.append((done, total))
    )
    assert [vector[0] for vector in vectors] == list(range(1, 71))
    assert [len(request["input"]) for request in server.requests] == [32, 32, 6]
    assert told == [(32, 70), (64, 70), (70, 70)]
    assert len(server.connections) == 1


def test_no_passages_ask_nothing(server: ScriptedServer) -> None:
    assert _client(server).embed_passages([]) == []
    assert server.requests == []


@pytest.mark.parametrize("failure", [(503, {}), (502, {}), (429, {"retry_after": "0"}), "hang up"])
async def test_a_passing_failure_is_tried_again(server: ScriptedServer, failure: Any) -> None:
    server.script = [failure, failure]
    assert (await _client(server).embed_query("four"))[0] == 4
    server.script = [failure, failure, failure]
    assert _client(server).embed_passages(["four"])[0][0] == 4


async def test_the_server_says_when_to_come_back(server: ScriptedServer) -> None:
    server.script = [(503, {"retry_after": "1"})]
    started = time.monotonic()
    await _client(server).embed_query("x")
    assert 1.0 <= time.monotonic() - started < 10
    server.script = [(429, {"retry_after": email.utils.formatdate(time.time() + 3600, usegmt=True)})]
    started = time.monotonic()
    with pytest.raises(EmbeddingsUnavailable):
        await _client(server).embed_query("x")
    assert time.monotonic() - started < 30


async def test_tries_are_bounded(server: ScriptedServer) -> None:
    server.script = [(503, {})] * 10
    with pytest.raises(EmbeddingsUnavailable) as caught:
        await _client(server).embed_query("x")
    assert caught.value.code == "embeddings_unavailable"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        (401, {}),
        (400, {}),
        (500, {}),
        {"data": []},
        {"data": [{"index": 0, "embedding": "?"}]},
        {"nothing": 1},
        [],
        None,
    ],
)
async def test_an_answer_of_no_use_is_not_tried_again(server: ScriptedServer, answer: Any) -> None:
    server.dimensions = 768
    server.script = [answer]
    with pytest.raises(EmbeddingsUnavailable):
        await _client(server).embed_query("x")
    assert len(server.requests) == 1


async def test_other_dimensions_are_refused_in_plain_words(server: ScriptedServer) -> None:
    server.dimensions = 768
    with pytest.raises(EmbeddingsUnavailable, match="768 dimensions, not 384"):
        await _client(server).embed_query("x")


async def test_openais_models_are_asked_for_384_dimensions(server: ScriptedServer) -> None:
    await _client(server, model="text-embedding-3-small").embed_query("x")
    await _client(server).embed_query("x")
    assert [request.get("dimensions") for request in server.requests] == [384, None]


async def test_a_silent_server_is_given_up(server: ScriptedServer) -> None:
    server.script = [1.5]
    started = time.monotonic()
    with pytest.raises(EmbeddingsUnavailable, match="in time"):
        await _client(server, timeout=0.3).embed_query("x")
    assert time.monotonic() - started < 1.0


async def test_no_server_at_all_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = EmbeddingsClient(EmbeddingsEndpoint(url=f"http://127.0.0.1:{port}/v1", timeout=1.0))
    with pytest.raises(EmbeddingsUnavailable, match="cannot be reached"):
        await client.embed_query("x")
    with pytest.raises(EmbeddingsUnavailable, match="cannot be reached"):
        await asyncio.to_thread(client.embed_passages, ["x"])


async def test_questions_are_remembered_within_their_namespace_only(server: ScriptedServer) -> None:
    client = _client(server)
    for namespace in ("harbour", "harbour", "agency", None, None):
        assert (await client.embed_query(" When is breakfast? ", namespace=namespace))[0] == 18
    assert len(server.requests) == 4


async def test_a_blank_question_is_refused_and_a_long_one_cut(server: ScriptedServer) -> None:
    with pytest.raises(ValueError, match="blank"):
        await _client(server).embed_query(" \n")
    assert (await _client(server).embed_query("x" * 5_000_000))[0] == 8000


def test_one_client_serves_many_event_loops(server: ScriptedServer) -> None:
    client = _client(server)

    async def ask() -> float:
        vector = (await client.embed_query("four"))[0]
        await client.aclose()
        return vector

    assert [asyncio.run(ask()) for _ in range(3)] == [4.0, 4.0, 4.0]


async def test_many_questions_at_once_share_connections(server: ScriptedServer) -> None:
    client = _client(server)
    vectors = await asyncio.gather(*(client.embed_query("x" * length) for length in range(1, 51)))
    assert [vector[0] for vector in vectors] == list(range(1, 51))
    await client.aclose()


async def test_the_real_embedder_finds_the_passage_that_answers() -> None:
    passages = ["Breakfast is served from seven to ten.", "Dogs may not enter the spa.", "The flat has three rooms."]
    with running_embedder() as (url, _):
        client = EmbeddingsClient(EmbeddingsEndpoint(url=url))
        vectors = await asyncio.to_thread(client.embed_passages, passages)
        query = await client.embed_query("Can I bring my pet to the sauna? \ud800")
        await client.aclose()
        client.close()
    scores = [sum(a * b for a, b in zip(query, vector, strict=True)) for vector in vectors]
    assert scores.index(max(scores)) == 1
