"""Hybrid search: by meaning (cosine over half-precision vectors) and by words (full text), fused by reciprocal rank.

One SQL round trip. Up to `EXACT_UP_TO` passages every vector is compared, which at that size is as fast as an index and misses
nothing; above, the HNSW index is scanned iteratively (`hnsw.iterative_scan`, set on the connection), for a plain scan
with a filter finds next to nothing (pgvector README, "Iterative Index Scans"). Reciprocal rank fusion: Cormack, Clarke and
Büttcher, SIGIR 2009, with their constant of 60.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from knowledge.endpoint import embeddings
from knowledge.models import Chunk
from switchboard.kernel.database import in_database
from tenants.context import current_tenant

EXACT_UP_TO: Final = 20_000
_CANDIDATES: Final = 40
_RRF_CONSTANT: Final = 60
_SIZE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Args:
        similarity: cosine of question and passage, -1 to 1.
        words_matched: whether the passage holds every content word of the question.
        score: fused rank; comparable within one search only.
    """

    document_id: uuid.UUID
    title: str
    page: int
    start: int
    end: int
    heading: str
    text: str
    similarity: float
    words_matched: bool
    score: float


async def search(*, query: str, collection_ids: Sequence[uuid.UUID], limit: int = 6) -> list[Hit]:
    """The passages of some collections that answer a question best, best first.

    Raises:
        EmbeddingsUnavailable: the embedding service can't be reached.
    """
    if not collection_ids:
        return []
    vector = await embeddings().embed_query(query, namespace=current_tenant().schema_name)
    return await in_database(find, query, vector, list(collection_ids), limit)


def find(query: str, vector: Sequence[float], collection_ids: list[uuid.UUID], limit: int) -> list[Hit]:
    """The same for a question that is embedded already; queries the database."""
    near = _NEAR_EXACT if _size(collection_ids) <= EXACT_UP_TO else _NEAR_INDEXED
    parameters = {
        "vector": "[" + ",".join(f"{value:.6g}" for value in vector) + "]",
        "query": query,
        "collections": collection_ids,
        "limit": limit,
        "candidates": _CANDIDATES,
        "constant": _RRF_CONSTANT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH.format(near=near), parameters)
        return [Hit(*row) for row in cursor.fetchall()]


_sizes: dict[tuple[str, tuple[uuid.UUID, ...]], tuple[float, int]] = {}


def _size(collection_ids: list[uuid.UUID]) -> int:
    """About how many passages there are to compare; counted anew twice a minute."""
    name = (current_tenant().schema_name, tuple(collection_ids))
    known = _sizes.get(name)
    if known is None or known[0] < time.monotonic():
        if len(_sizes) > 10_000:
            _sizes.clear()
        size = Chunk.objects.filter(collection_id__in=collection_ids)[: EXACT_UP_TO + 1].count()
        known = _sizes[name] = (time.monotonic() + _SIZE_SECONDS, size)
    return known[1]


_NEAR_EXACT = """
    SELECT id, 1 - (embedding <=> question.vector) AS similarity
    FROM within, question ORDER BY embedding <=> question.vector LIMIT %(candidates)s
"""
# The planner uses the index only for a constant, so the vector stands here a second time.
_NEAR_INDEXED = """
    SELECT id, 1 - (embedding <=> %(vector)s::halfvec(384)) AS similarity
    FROM knowledge_chunk WHERE collection_id = ANY(%(collections)s)
    ORDER BY embedding <=> %(vector)s::halfvec(384) LIMIT %(candidates)s
"""
# Passages with all words first; with any of the words only where those come up short, for an OR over a large table is slow.
_SEARCH = """
WITH question AS (
    SELECT %(vector)s::halfvec(384) AS vector,
           plainto_tsquery('english', %(query)s) AS all_words,
           nullif(replace(plainto_tsquery('english', %(query)s)::text, '&', '|'), '')::tsquery AS any_word
), within AS NOT MATERIALIZED (
    SELECT id, embedding, words FROM knowledge_chunk WHERE collection_id = ANY(%(collections)s)
), near AS MATERIALIZED ({near}), near_ranked AS (
    SELECT id, row_number() OVER (ORDER BY similarity DESC) AS rank FROM near
), said_all AS MATERIALIZED (
    SELECT id, ts_rank_cd(words, all_words, 1) AS weight FROM within, question
    WHERE words @@ all_words ORDER BY weight DESC LIMIT %(candidates)s
), said_any AS MATERIALIZED (
    SELECT id, ts_rank_cd(words, any_word, 1) AS weight FROM within, question
    WHERE (SELECT count(*) FROM said_all) < %(limit)s AND words @@ any_word ORDER BY weight DESC LIMIT %(candidates)s
), said_ranked AS (
    SELECT id, row_number() OVER (ORDER BY complete DESC, weight DESC) AS rank, complete
    FROM (SELECT id, weight, true AS complete FROM said_all
          UNION ALL SELECT id, weight, false FROM said_any WHERE id NOT IN (SELECT id FROM said_all)) AS said
), fused AS (
    SELECT id, sum(1.0 / (%(constant)s + rank)) AS score, bool_or(complete) AS complete
    FROM (SELECT id, rank, false AS complete FROM near_ranked UNION ALL SELECT id, rank, complete FROM said_ranked) AS ranks
    GROUP BY id ORDER BY score DESC LIMIT %(limit)s
)
SELECT chunk.document_id, document.title, chunk.page, chunk.start, chunk."end", chunk.heading, chunk.text,
       (1 - (chunk.embedding <=> question.vector))::float8, fused.complete, fused.score::float8
FROM fused JOIN knowledge_chunk chunk USING (id) JOIN knowledge_document document ON document.id = chunk.document_id, question
ORDER BY fused.score DESC, chunk.id
"""
