"""One model for all clients: requests wait in two lanes and are embedded in small batches.

Queries (few and short inputs: somebody is waiting for an answer) and bulk (passages of a document) have a lane and a
thread each, so a query starts at once, however much is being ingested. Whatever arrives in a lane while a batch runs is
joined into the next one. Batches are small, because a processor gains nothing from large ones: two passages at a time
are as fast per passage as sixteen. The bulk lane takes turns between its requests, so one large document does not hold
up the others.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.embedder.weights import DIMENSIONS

QUERY_INPUTS = 4
QUERY_CHARACTERS = 600
BATCH_TOKENS = 512
BATCH_INPUTS = 32
MAX_WAITING_INPUTS = 4096
_LONGEST_RETRY_SECONDS = 60

Vectors = npt.NDArray[np.float32]
Tokens = list[int]


class Embeds(Protocol):
    """What is batched: ``knowledge.embedder.model.EmbeddingModel``."""

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]: ...

    def embed(self, batch: Sequence[Sequence[int]]) -> Vectors: ...


class Overfull(Exception):
    """More inputs wait than may. ``retry_after`` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many inputs are waiting; try again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Request:
    """One client's inputs; ``pending`` holds the places not yet embedded, longest first, and is taken from its end."""

    tokens: list[Tokens]
    done: asyncio.Future[Vectors]
    vectors: Vectors = field(init=False)
    pending: list[int] = field(init=False)
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.vectors = np.empty((len(self.tokens), DIMENSIONS), dtype=np.float32)
        self.pending = sorted(range(len(self.tokens)), key=lambda place: len(self.tokens[place]), reverse=True)
        self.missing = len(self.tokens)


class Batcher:
    """The two lanes in front of one model. Use it from one event loop; ``close`` it there.

    Args:
        model: what embeds.
        max_waiting: inputs that may wait in each lane.
    """

    def __init__(self, model: Embeds, *, max_waiting: int = MAX_WAITING_INPUTS) -> None:
        self._model = model
        self._queries = _Lane(model, "queries", max_waiting)
        self._bulk = _Lane(model, "bulk", max_waiting)

    @property
    def waiting(self) -> int:
        """Inputs that are accepted and not yet embedded."""
        return self._queries.waiting + self._bulk.waiting

    async def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors of ``texts`` in order, and how many tokens were read. Cancelling it drops what has not begun.

        Raises:
            Overfull: too many inputs wait already.
        """
        if len(texts) <= QUERY_INPUTS and sum(map(len, texts)) <= QUERY_CHARACTERS:
            lane = self._queries
            lane.admit(len(texts))
            tokens = self._model.tokenize(texts)
        else:
            lane = self._bulk
            lane.admit(len(texts))
            try:
                tokens = await asyncio.to_thread(self._model.tokenize, texts)
            except BaseException:
                lane.waiting -= len(texts)
                raise
        return await lane.embed(tokens), sum(map(len, tokens))

    def close(self) -> None:
        """Stop both lanes; requests that still wait are cancelled."""
        self._queries.close()
        self._bulk.close()


class _Lane:
    """Requests in turn, one batch at a time on a thread of its own."""

    def __init__(self, model: Embeds, name: str, max_waiting: int) -> None:
        self.waiting = 0
        self._model = model
        self._max_waiting = max_waiting
        self._requests: deque[_Request] = deque()
        self._seconds_per_input = 0.03
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._runner: asyncio.Task[None] | None = None

    def admit(self, count: int) -> None:
        """Count inputs in, or refuse them. An empty lane takes any request."""
        if self.waiting and self.waiting + count > self._max_waiting:
            seconds = math.ceil(self.waiting * self._seconds_per_input)
            raise Overfull(max(1, min(seconds, _LONGEST_RETRY_SECONDS)))
        self.waiting += count

    async def embed(self, tokens: list[Tokens]) -> Vectors:
        request = _Request(tokens, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        try:
            return await request.done
        finally:
            # What was never begun no longer counts; what is in a running batch is let go when that ends.
            self.waiting -= len(request.pending)
            request.pending.clear()

    def close(self) -> None:
        if self._runner is not None:
            self._runner.cancel()
        for request in self._requests:
            request.done.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            started = time.perf_counter()
            try:
                inputs = [request.tokens[place] for request, place in batch]
                vectors = await loop.run_in_executor(self._executor, self._model.embed, inputs)
            except Exception as error:
                for request, _ in batch:
                    if not request.done.done():
                        request.done.set_exception(error)
            else:
                for (request, place), vector in zip(batch, vectors, strict=True):
                    request.vectors[place] = vector
                    request.missing -= 1
                    if not request.missing and not request.done.done():
                        request.done.set_result(request.vectors)
            finally:
                self.waiting -= len(batch)
            spent = (time.perf_counter() - started) / len(batch)
            self._seconds_per_input += 0.1 * (spent - self._seconds_per_input)

    def _next_batch(self) -> list[tuple[_Request, int]]:
        """The next inputs: of the request whose turn it is, shortest first, then of the others while there is room."""
        batch: list[tuple[_Request, int]] = []
        longest = 0
        for _ in range(len(self._requests)):
            request = self._requests[0]
            while request.pending:
                length = max(longest, len(request.tokens[request.pending[-1]]))
                if batch and (len(batch) == BATCH_INPUTS or length * (len(batch) + 1) > BATCH_TOKENS):
                    self._requests.rotate(-1)
                    return batch
                batch.append((request, request.pending.pop()))
                longest = length
            self._requests.popleft()
        return batch
