"""The client of the embedding service: our own embedder, or any that speaks OpenAI's ``POST /v1/embeddings``.

Questions are embedded from coroutines (``embed_query``), passages of documents from workers (``embed_passages``). Both
keep their connections, retry what is worth retrying, and raise ``EmbeddingsUnavailable`` when that was not enough.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import httpx2

from knowledge.embeddings_protocol import (
    Attempts,
    BadEmbeddingsAnswer,
    EmbeddingsUnavailable,
    read_vectors,
    request_body,
)
from switchboard.kernel.tls import trust

__all__ = ["DIMENSIONS", "EmbeddingsClient", "EmbeddingsEndpoint", "EmbeddingsUnavailable"]

DIMENSIONS = 384
PASSAGES_PER_REQUEST = 32
QUERY_CHARACTERS = 8_000
_QUERY_ATTEMPTS = 3
_PASSAGE_ATTEMPTS = 6
# A batch of passages may wait behind other documents' on a small machine.
_PASSAGE_TIMEOUT_FACTOR = 6
_CACHED_QUERIES = 2_048
_CONNECT_SECONDS = 3.0
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class EmbeddingsEndpoint:
    """Where vectors come from.

    Attributes:
        url: OpenAI-compatible base URL, ``http://host:port/v1``; ``/embeddings`` is added.
        api_key: sent as a bearer token; "" sends none.
        model: the model's name there. Its vectors must have 384 dimensions (OpenAI's text-embedding-3 models are asked
            to shorten theirs).
        timeout: seconds for one query, retries included; a batch of passages gets six times as long.
    """

    url: str
    api_key: str = field(default="", repr=False)
    model: str = "all-MiniLM-L6-v2"
    timeout: float = 10.0


class EmbeddingsClient:
    """Keeps connections to one endpoint. Make one per process; it may be used from any thread and any event loop."""

    def __init__(self, endpoint: EmbeddingsEndpoint) -> None:
        self._endpoint = endpoint
        self._url = httpx2.URL(endpoint.url.rstrip("/") + "/embeddings")
        timeout = httpx2.Timeout(endpoint.timeout, connect=_CONNECT_SECONDS)
        self._extensions = {"timeout": timeout.as_dict()}
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if endpoint.api_key:
            self._headers["authorization"] = f"Bearer {endpoint.api_key}"
        self._lock = threading.Lock()
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()
        self._sync: tuple[int, httpx2.Client] | None = None
        self._cache: OrderedDict[tuple[str, bytes], array[float]] = OrderedDict()

    async def embed_query(self, text: str, *, namespace: str | None = None) -> list[float]:
        """The vector of a question.

        Args:
            text: the question; the first 8,000 characters count.
            namespace: whose question it is (a tenant's schema name). Within one namespace recent questions are
                remembered; across namespaces never, so that how fast an answer comes tells nobody what others have
                asked. None remembers nothing.

        Raises:
            EmbeddingsUnavailable: the service does not answer, refuses, or sends something else than 384 numbers.
            ValueError: ``text`` is blank.
        """
        text = text[:QUERY_CHARACTERS].strip()
        if not text:
            raise ValueError("a blank text has no meaning to embed")
        key = namespace and (namespace, hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest())
        if key and (known := self._recall(key)) is not None:
            return known
        [vector] = await self._query([text])
        if key:
            self._remember(key, vector)
        return vector.tolist()

    def embed_passages(
        self, texts: Sequence[str], *, on_progress: Callable[[int, int], None] | None = None
    ) -> list[list[float]]:
        """The vectors of passages, in order, asked for 32 at a time. Blocks; do not call it from a coroutine.

        Args:
            texts: none of them blank.
            on_progress: called with (done, all) after each batch. What it raises ends the work and passes on.

        Raises:
            EmbeddingsUnavailable: as ``embed_query``.
        """
        vectors: list[list[float]] = []
        for start in range(0, len(texts), PASSAGES_PER_REQUEST):
            batch = texts[start : start + PASSAGES_PER_REQUEST]
            vectors += [vector.tolist() for vector in self._passages(batch)]
            if on_progress is not None:
                on_progress(len(vectors), len(texts))
        return vectors

    async def aclose(self) -> None:
        """Close this event loop's connections. The next use opens new ones."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    def close(self) -> None:
        """Close the connections of ``embed_passages``. The next use opens new ones."""
        with self._lock:
            held, self._sync = self._sync, None
        if held is not None:
            held[1].close()

    async def _query(self, texts: Sequence[str]) -> list[array[float]]:
        body = request_body(texts, model=self._endpoint.model, dimensions=DIMENSIONS)
        attempts = Attempts(_QUERY_ATTEMPTS, seconds=self._endpoint.timeout)
        pool = self._pool()
        while True:
            try:
                # Made directly: merging a client's defaults into each request costs a third of a millisecond.
                request = httpx2.Request(
                    "POST", self._url, headers=self._headers, content=body, extensions=self._extensions
                )
                async with asyncio.timeout(attempts.left):
                    answer = await pool.send(request)
                return read_vectors(answer, count=len(texts), dimensions=DIMENSIONS)
            except (httpx2.HTTPError, TimeoutError, BadEmbeddingsAnswer) as error:
                await asyncio.sleep(attempts.pause_after(error))

    def _passages(self, texts: Sequence[str]) -> list[array[float]]:
        body = request_body(texts, model=self._endpoint.model, dimensions=DIMENSIONS)
        attempts = Attempts(_PASSAGE_ATTEMPTS, seconds=_PASSAGE_TIMEOUT_FACTOR * self._endpoint.timeout)
        client = self._blocking()
        while True:
            try:
                timeout = httpx2.Timeout(attempts.left, connect=_CONNECT_SECONDS)
                answer = client.post(self._url, content=body, headers=self._headers, timeout=timeout)
                return read_vectors(answer, count=len(texts), dimensions=DIMENSIONS)
            except (httpx2.HTTPError, BadEmbeddingsAnswer) as error:
                time.sleep(attempts.pause_after(error))

    def _pool(self) -> httpx2.AsyncClient:
        """This event loop's connections; they die with it."""
        loop = asyncio.get_running_loop()
        with self._lock:
            pool = self._pools.get(loop)
            if pool is None:
                # A pool's open connections hold on to their loop, so a closed loop does not go by itself.
                for closed in [known for known in self._pools if known.is_closed()]:
                    del self._pools[closed]
                pool = httpx2.AsyncClient(verify=trust(), limits=_LIMITS, trust_env=self._is_remote)
                self._pools[loop] = pool
        return pool

    def _blocking(self) -> httpx2.Client:
        """This process's connections: a forked worker does not share its parent's."""
        with self._lock:
            if self._sync is None or self._sync[0] != os.getpid():
                self._sync = (os.getpid(), httpx2.Client(verify=trust(), limits=_LIMITS, trust_env=self._is_remote))
            return self._sync[1]

    @property
    def _is_remote(self) -> bool:
        """Whether a proxy named in the environment may stand in between."""
        return self._url.host not in _LOOPBACK

    def _recall(self, key: tuple[str, bytes]) -> list[float] | None:
        with self._lock:
            vector = self._cache.get(key)
            if vector is None:
                return None
            self._cache.move_to_end(key)
        return vector.tolist()

    def _remember(self, key: tuple[str, bytes], vector: array[float]) -> None:
        with self._lock:
            self._cache[key] = vector
            if len(self._cache) > _CACHED_QUERIES:
                self._cache.popitem(last=False)
