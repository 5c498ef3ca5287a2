"""The embedder: right vectors, OpenAI's protocol, fair batches, a clean end."""

import asyncio
import base64
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import numpy.typing as npt
import pytest

from knowledge.embedder.batching import Batcher, Overfull
from knowledge.embedder.graph import cached_graph
from knowledge.embedder.model import EmbeddingModel
from tests.knowledge import minilm
from tests.knowledge.embedder_process import CACHE, running_embedder

_MODEL = "all-MiniLM-L6-v2"
_TEXTS = [
    "When is breakfast?",
    "Breakfast is served from seven to ten on the terrace, weather permitting.",
    "Größe, 宿泊 und 🏨: ein Zimmer mit Meerblick",
    "Guests may borrow bicycles from the shed behind the kitchen until sunset. " * 40,
    "x",
]


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel(CACHE)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_embedder() as (address, _):
        yield address


def _post(url: str, **request: Any) -> httpx2.Response:
    return httpx2.post(f"{url}/embeddings", json={"model": _MODEL, **request}, timeout=30)


def test_vectors_equal_the_model_written_out_by_hand(model: EmbeddingModel) -> None:
    vectors = model.embed(model.tokenize(_TEXTS))
    for text, vector in zip(_TEXTS, vectors, strict=True):
        assert float(minilm.embed(text) @ vector) > 0.99999
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_neighbours_in_a_batch_do_not_change_a_vector(model: EmbeddingModel) -> None:
    together = model.embed(model.tokenize(_TEXTS))
    alone = np.concatenate([model.embed(model.tokenize([text])) for text in _TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_like_meanings_lie_close(model: EmbeddingModel) -> None:
    meal, food, stocks = model.embed(
        model.tokenize(["Someone eats a meal.", "A man is eating food.", "The stock market fell."])
    )
    assert meal @ food > 0.7
    assert meal @ stocks < 0.1


def test_text_beyond_256_tokens_is_not_read(model: EmbeddingModel) -> None:
    assert [len(tokens) for tokens in model.tokenize(["sea " * 1000])] == [256]


def test_a_damaged_graph_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / cached_graph(CACHE).name
    path.write_bytes(b"not a graph")
    assert EmbeddingModel(tmp_path).embed([[101, 102]]).shape == (1, 384)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    shutil.rmtree(tmp_path)


def test_it_speaks_openais_protocol(url: str) -> None:
    answer = _post(url, input=["When is breakfast?", "Where is the spa?"]).json()
    assert answer["object"] == "list"
    assert answer["model"] == _MODEL
    assert [(item["object"], item["index"], len(item["embedding"])) for item in answer["data"]] == [
        ("embedding", 0, 384),
        ("embedding", 1, 384),
    ]
    assert answer["usage"] == {"prompt_tokens": 13, "total_tokens": 13}


def test_floats_and_base64_carry_the_same_numbers(url: str) -> None:
    floats = _post(url, input="sea").json()["data"][0]["embedding"]
    packed = _post(url, input="sea", encoding_format="base64").json()["data"][0]["embedding"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(packed), dtype="<f4"), floats, atol=1e-6)


def test_health_is_told(url: str) -> None:
    answer = httpx2.get(url.replace("/v1", "/healthz"))
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"input": []}, 400, "invalid_value"),
        ({"input": ""}, 400, "invalid_value"),
        ({"input": ["fine", ""]}, 400, "invalid_value"),
        ({"input": [1, 2]}, 400, "invalid_value"),
        ({"input": None}, 400, "invalid_value"),
        ({"input": ["x"] * 513}, 400, "too_many_inputs"),
        ({"input": "x" * 40_000}, 400, "input_too_long"),
        ({"input": "x", "encoding_format": "int8"}, 400, "invalid_value"),
        ({"input": "x", "dimensions": 100}, 400, "invalid_value"),
        ({"input": "x", "model": "text-embedding-3-small"}, 404, "model_not_found"),
        ({"input": "x", "model": ["a"]}, 404, "model_not_found"),
    ],
)
def test_a_bad_request_gets_openais_error_object(url: str, request_: dict[str, Any], status: int, code: str) -> None:
    answer = _post(url, **request_)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["message"].endswith(".")


def test_other_bodies_and_addresses_are_refused(url: str) -> None:
    json_type = {"content-type": "application/json"}
    assert httpx2.post(f"{url}/embeddings", content=b"{", headers=json_type).status_code == 400
    assert httpx2.post(f"{url}/embeddings", content=b"[" * 100_000, headers=json_type).status_code == 400
    assert httpx2.post(f"{url}/embeddings", content=b"{}", headers={"content-type": "text/plain"}).status_code == 400
    assert httpx2.post(f"{url}/embeddings", content=b" " * (17 << 20), headers=json_type).status_code == 413
    assert httpx2.get(f"{url}/embeddings").status_code == 405
    assert httpx2.get(f"{url}/nothing").status_code == 404


def test_lone_surrogates_and_nul_are_embedded(url: str) -> None:
    body = b'{"model": "all-MiniLM-L6-v2", "input": "a\\ud800b\\u0000"}'
    answer = httpx2.post(f"{url}/embeddings", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200


def test_many_clients_get_their_own_vectors(url: str, model: EmbeddingModel) -> None:
    texts = [f"Room {number} looks at the {'sea' if number % 2 else 'yard'}" for number in range(40)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda text: _post(url, input=text).json()["data"][0]["embedding"], texts))
    expected = np.concatenate([model.embed(model.tokenize([text])) for text in texts])
    np.testing.assert_allclose(np.array(answers), expected, atol=1e-5)


def test_a_query_does_not_wait_for_an_ingestion(url: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        ingestion = pool.submit(_post, url, input=[_TEXTS[3]] * 40)
        time.sleep(0.3)
        _post(url, input="When is breakfast?")
        answered = time.monotonic() - started
        assert ingestion.result().status_code == 200
    assert answered < 0.6 * (time.monotonic() - started)


def test_sigterm_ends_it_with_status_0() -> None:
    with running_embedder() as (url, process):
        _post(url, input="sea")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


class _SlowModel:
    """Stands for a model that takes its time and tells what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        return [[len(text)] * min(256, len(text)) for text in texts]

    def embed(self, batch: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        self.batches.append([len(tokens) for tokens in batch])
        self.go.wait(10)
        if any(len(tokens) == 13 for tokens in batch):
            raise RuntimeError("unlucky")
        return np.array([[tokens[0]] * 384 for tokens in batch], dtype=np.float32)


async def test_requests_that_arrive_during_a_batch_are_joined_in_the_next() -> None:
    model = _SlowModel()
    batcher = Batcher(model)
    first = asyncio.create_task(batcher.embed(["a"]))
    await asyncio.sleep(0.05)
    others = [asyncio.create_task(batcher.embed(["b" * length])) for length in (3, 2, 5)]
    await asyncio.sleep(0.05)
    model.go.set()
    results = [vectors[0, 0] for vectors, _ in await asyncio.gather(first, *others)]
    assert results == [1, 3, 2, 5]
    assert model.batches == [[1], [3, 2, 5]]
    assert batcher.waiting == 0
    batcher.close()


async def test_bulk_is_cut_small_and_sorted_by_length() -> None:
    model = _SlowModel()
    model.go.set()
    batcher = Batcher(model)
    vectors, tokens = await batcher.embed(["x" * length for length in (200, 100, 600, 200, 100, 100)])
    assert vectors[:, 0].tolist() == [200, 100, 600, 200, 100, 100]
    assert tokens == 956
    assert model.batches == [[100, 100, 100], [200, 200], [256]]
    batcher.close()


async def test_large_requests_take_turns() -> None:
    model = _SlowModel()
    batcher = Batcher(model)
    one = asyncio.create_task(batcher.embed(["x" * 250] * 6))
    await asyncio.sleep(0.1)
    other = asyncio.create_task(batcher.embed(["y" * 240] * 6))
    await asyncio.sleep(0.1)
    model.go.set()
    await asyncio.gather(one, other)
    assert model.batches[2:4] in ([[240, 240], [250, 250]], [[250, 250], [240, 240]])
    assert all(len(batch) == 2 for batch in model.batches)
    batcher.close()


async def test_an_overfull_queue_refuses_and_says_when_to_come_back() -> None:
    model = _SlowModel()
    batcher = Batcher(model, max_waiting=4)
    waiting = [asyncio.create_task(batcher.embed(["a"])) for _ in range(4)]
    await asyncio.sleep(0.05)
    with pytest.raises(Overfull) as caught:
        await batcher.embed(["b"])
    assert 1 <= caught.value.retry_after <= 60
    model.go.set()
    await asyncio.gather(*waiting)
    await batcher.embed(["b"])
    batcher.close()


async def test_a_client_that_leaves_frees_its_place_and_a_failure_stays_its_own() -> None:
    model = _SlowModel()
    batcher = Batcher(model)
    running = asyncio.create_task(batcher.embed(["a"]))
    await asyncio.sleep(0.05)
    leaves = asyncio.create_task(batcher.embed(["bb"]))
    await asyncio.sleep(0.05)
    leaves.cancel()
    await asyncio.sleep(0.05)
    assert batcher.waiting == 1
    model.go.set()
    await running
    with pytest.raises(RuntimeError, match="unlucky"):
        await batcher.embed(["c" * 13])
    assert (await batcher.embed(["dd"]))[0][0, 0] == 2
    assert [2] not in model.batches[:-1]
    batcher.close()
