"""Vectors of the candidates, made once for a release's candidates and kept.

A candidate has one for its description and its English examples, and one for its examples in each other language: the
embedding model knows little but English, and puts a German question nearer to any German sentence than to what it asks.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from agents.engine.routing.values import Candidate
from agents.engine.slots import language_of
from knowledge.endpoint import embeddings
from tenants.context import current_tenant

Vectors = npt.NDArray[np.float32]
Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class CandidateVectors:
    """Rows of length 1, and the number of the candidate that each belongs to."""

    rows: Vectors
    owners: npt.NDArray[np.intp]

    def similarities(self, texts: Vectors) -> Vectors:
        """Of each text with each candidate: its nearest row's."""
        found = np.full((len(texts), int(self.owners.max()) + 1), -1.0, dtype=np.float32)
        for row, owner in zip((texts @ self.rows.T).T, self.owners, strict=True):
            found[:, owner] = np.maximum(found[:, owner], row)
        return found


# Of a candidate's English vector, the part that is its description; the examples share the rest.
_DESCRIPTION_SHARE: Final = 0.5
_MOST_EXAMPLES: Final = 50
_KEPT: Final = 512

_known: OrderedDict[Key, CandidateVectors] = OrderedDict()
# What is being made: a release that has just gone live is embedded once, not by every turn of its first second.
_making: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, asyncio.Task[CandidateVectors]]] = WeakKeyDictionary()


async def candidate_vectors(candidates: Sequence[Candidate]) -> CandidateVectors:
    """The candidates' vectors.

    Raises:
        EmbeddingsUnavailable: the embedding service can't be reached.
    """
    texts = [_texts(candidate) for candidate in candidates]
    digest = hashlib.blake2b(json.dumps(texts).encode(), digest_size=16).digest()
    # By tenant too: how fast an answer comes tells nobody what another tenant's agents are.
    key = (current_tenant().schema_name, digest)
    if (known := _known.get(key)) is not None:
        _known.move_to_end(key)
        return known
    tasks = _making.setdefault(asyncio.get_running_loop(), {})
    task = tasks.get(key)
    if task is None:
        task = tasks[key] = asyncio.create_task(asyncio.to_thread(_make, texts))
        task.add_done_callback(lambda done: _keep(tasks, key, done))
    # A turn that is cancelled takes nothing away from the others that wait.
    return await asyncio.shield(task)


async def text_vectors(texts: Sequence[str]) -> Vectors:
    """One vector of length 1 for each text.

    Raises:
        EmbeddingsUnavailable: the embedding service can't be reached.
    """
    namespace = current_tenant().schema_name
    client = embeddings()
    found = await asyncio.gather(*(client.embed_query(text, namespace=namespace) for text in texts))
    return _unit(np.asarray(found, dtype=np.float32))


def forget() -> None:
    """Forget all vectors."""
    _known.clear()


def _texts(candidate: Candidate) -> list[str]:
    about = f"{candidate.name}. {candidate.description}".strip()
    return [about, *(example for example in candidate.examples[:_MOST_EXAMPLES] if example.strip())]


def _make(texts: list[list[str]]) -> CandidateVectors:
    flat = embeddings().embed_passages([text for own in texts for text in own])
    vectors = iter(_unit(np.asarray(flat, dtype=np.float32)))
    rows, owners = [], []
    for owner, own in enumerate(texts):
        about = next(vectors)
        examples: dict[str, list[Vectors]] = {"en": []}
        for text in own[1:]:
            examples.setdefault(language_of(text), []).append(next(vectors))
        for language, found in examples.items():
            mean = np.mean(found, axis=0) if found else about
            share = _DESCRIPTION_SHARE if language == "en" else 0.0
            rows.append(share * about + (1 - share) * mean)
            owners.append(owner)
    return CandidateVectors(_unit(np.stack(rows)), np.asarray(owners))


def _keep(tasks: dict[Key, asyncio.Task[CandidateVectors]], key: Key, task: asyncio.Task[CandidateVectors]) -> None:
    tasks.pop(key, None)
    if task.cancelled() or task.exception() is not None:
        return  # whoever waits is told; the next turn tries again
    _known[key] = task.result()
    while len(_known) > _KEPT:
        _known.popitem(last=False)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled
