"""Search in a large collection, exact against indexed: `make bench-search_scale`, beside a running platform (`make
run`).

Fills a throwaway tenant with synthetic passages (unit vectors around cluster centres, words of a Zipf distribution),
asks each question both ways in turn, and deletes the tenant. Times are of `knowledge.search.find`: everything but the
embedding of the question. Recall is how many of the ten passages found exactly the indexed search finds too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

DIMENSIONS = 384
CLUSTERS = 150
VOCABULARY = 6_000
WORDS_PER_PASSAGE = 60
FOUND = 10
COLD = 5  # questions that fill the caches and don't count
BATCH = 2_000


def main() -> None:
    """Fill, measure, delete, and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--passages", type=int, default=30_000)
    parser.add_argument("--questions", type=int, default=100)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")
    import django

    django.setup()
    from tenants.context import use_public, use_tenant
    from tenants.domain.provision import create_tenant
    from tenants.domain.removal import remove_tenant

    slug = f"scale_{uuid.uuid4().hex[:8]}"
    with use_public():
        tenant = create_tenant(name="Search at scale", slug=slug, domains=["scale.invalid"])
    try:
        with use_tenant(tenant):
            corpus = Corpus(options.passages)
            corpus.fill()
            measure(corpus, options.questions)
    finally:
        with use_public():
            remove_tenant(tenant=tenant)


class Corpus:
    """Passages that resemble real ones in what search feels: clustered vectors, few common and many rare words."""

    def __init__(self, passages: int) -> None:
        self.random = np.random.default_rng(7)
        self.words = [f"{a}{b}{c}" for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES][:VOCABULARY]
        ranks = np.arange(1, VOCABULARY + 1)
        self.frequency = (1 / ranks) / (1 / ranks).sum()
        centres = _unit(self.random.normal(size=(CLUSTERS, DIMENSIONS)))
        self.vectors = _unit(
            centres[self.random.integers(CLUSTERS, size=passages)]
            + self.random.normal(size=(passages, DIMENSIONS)) / np.sqrt(DIMENSIONS)
        )
        self.spoken = self.random.choice(VOCABULARY, size=(passages, WORDS_PER_PASSAGE), p=self.frequency)

    def fill(self) -> None:
        """Store all passages in the tenant in force; the vector index is made afterwards, which is much faster."""
        from django.db import connection

        from knowledge.models import Chunk, Collection, Document

        started = time.perf_counter()
        self.collection = Collection.objects.create(name="Scale", slug="scale")
        document = Document.objects.create(
            collection=self.collection,
            title="Passages",
            filename="passages.txt",
            size=1,
            sha256="0" * 64,
            status="ready",
        )
        index = next(index for index in Chunk._meta.indexes if index.name == "chunk_embedding")
        with connection.schema_editor() as editor:
            editor.remove_index(Chunk, index)
        for start in range(0, len(self.vectors), BATCH):
            Chunk.objects.bulk_create(
                [
                    Chunk(
                        document=document,
                        collection=self.collection,
                        ordinal=number,
                        page=1,
                        start=0,
                        end=1,
                        text=" ".join(self.words[word] for word in self.spoken[number]),
                        embedding=self.vectors[number].tolist(),
                    )
                    for number in range(start, min(start + BATCH, len(self.vectors)))
                ]
            )
        stored = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '256MB'")
            with connection.schema_editor() as editor:
                editor.add_index(Chunk, index)
            cursor.execute("RESET maintenance_work_mem")
            cursor.execute("ANALYZE knowledge_chunk")
        seconds = stored - started, time.perf_counter() - stored
        print(f"{len(self.vectors)} passages: stored in {seconds[0]:.0f} s, indexed in {seconds[1]:.0f} s")

    def questions(self, count: int) -> Iterator[tuple[str, list[float]]]:
        """Five words of some passage, and a vector in its neighbourhood."""
        for number in self.random.choice(len(self.vectors), size=count, replace=False):
            words = self.random.choice(self.spoken[number], size=5, replace=False)
            near = _unit(self.vectors[number] + 0.7 * self.random.normal(size=DIMENSIONS) / np.sqrt(DIMENSIONS))
            yield " ".join(self.words[word] for word in words), near.tolist()


def measure(corpus: Corpus, count: int) -> None:
    """Ask every question both ways, in turn, and compare; then the same questions without their words."""
    print(f"{'':20}{'p50 ms':>8}{'p95 ms':>8}{'recall@10':>11}")
    questions = list(corpus.questions(count + COLD))
    _compare(corpus, "meaning and words", questions)
    _compare(corpus, "meaning alone", [("", vector) for _, vector in questions])


def _compare(corpus: Corpus, kind: str, questions: Sequence[tuple[str, list[float]]]) -> None:
    from knowledge import search

    seconds: dict[str, list[float]] = {"exact": [], "indexed": []}
    recalls = []
    for query, vector in questions:
        found: dict[str, set[str]] = {}
        for name, limit in (("exact", 10**9), ("indexed", 0)):
            search.EXACT_UP_TO = limit  # type: ignore[misc]
            search._size([corpus.collection.id])  # counted twice a minute, not with each question
            started = time.perf_counter()
            hits = search.find(query, vector, [corpus.collection.id], FOUND)
            seconds[name].append(time.perf_counter() - started)
            found[name] = {hit.text for hit in hits}
        recalls.append(len(found["exact"] & found["indexed"]) / len(found["exact"]))
    p50 = {name: 1000 * statistics.median(times[COLD:]) for name, times in seconds.items()}
    p95 = {name: 1000 * sorted(times[COLD:])[int(0.95 * len(times[COLD:]))] for name, times in seconds.items()}
    print(kind)
    for name in seconds:
        recall = 1.0 if name == "exact" else statistics.fmean(recalls)
        print(f"  {name:18}{p50[name]:8.1f}{p95[name]:8.1f}{recall:11.3f}")
    print(f"  {'indexed/exact':18}{p50['indexed'] / p50['exact']:8.2f}{p95['indexed'] / p95['exact']:8.2f}")


_SYLLABLES = [first + second for first in "bdfgklmnprtvz" for second in "aiou"]


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


if __name__ == "__main__":
    main()
