"""Hybrid search: by meaning (cosine over half-precision vectors) and by words (full text), blended into one score.

One SQL round trip. Up to `EXACT_UP_TO` passages every vector is compared, which at that size is as fast as an index
and misses nothing; above, the HNSW index is scanned iteratively (`hnsw.iterative_scan`, set on the connection), for a
plain scan with a filter finds next to nothing (pgvector README, "Iterative Index Scans").

Each word of the question weighs what it tells apart: its inverse document frequency among the passages searched
(Robertson and Spärck Jones, 1976), which PostgreSQL's own ranking functions leave out. A passage's score is its
cosine, relative to the best one found, plus `_WORDS_WEIGHT` times the share of that weight it holds. Such a convex
combination keeps how far apart two passages are, where reciprocal rank fusion sees only their order (Bruch, Gai and
Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023). On the demo companies' questions
(`bench/retrieval`; both halves were looked at while choosing), the right passage's mean reciprocal rank is 0.84 so,
0.79 with reciprocal rank fusion of the same two rankings, 0.74 by words and 0.66 by meaning alone. A bonus for words
in headings, and leaving out filler words, changed nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from knowledge.endpoint import embeddings
from knowledge.models import Chunk
from switchboard.kernel.database import in_database
from switchboard.kernel.memory import Memory
from tenants.context import current_tenant

EXACT_UP_TO: Final = 20_000
_CANDIDATES: Final = 40
_WORDS_WEIGHT: Final = 0.75
# Words of a question that are looked up, the longest first: a page-long question is found by its meaning.
_MOST_WORDS: Final = 24
# A word in this many passages is common, and is counted no further.
_COMMON: Final = 1_000
# Passages looked at because of a question's rarest words, at most about so many.
_SCORED: Final = 3_000


@dataclass(frozen=True, slots=True)
class AskedWord:
    """A word of the question, beside a passage.

    Args:
        stem: the word as the English dictionary cuts it.
        weight: how telling it is, its inverse document frequency; the higher, the rarer.
        is_known: whether any passage searched holds it.
        held: 1 where this passage or its heading holds it, 0.5 where only its document's title does, else 0.
    """

    stem: str
    weight: float
    is_known: bool
    held: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Args:
        similarity: cosine of question and passage, -1 to 1.
        score: what the passages are ranked by; comparable within one search only.
        words: the question's words, stop words left out, the longest first.
    """

    document_id: uuid.UUID
    title: str
    page: int
    start: int
    end: int
    heading: str
    text: str
    similarity: float
    score: float
    words: tuple[AskedWord, ...] = ()


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
    size = _size(collection_ids)
    parameters: dict[str, Any] = {
        "vector": "[" + ",".join(f"{value:.6g}" for value in vector) + "]",
        "query": query,
        "collections": collection_ids,
        "limit": limit,
        "size": size,
        "candidates": max(_CANDIDATES, limit),
        "words_weight": _WORDS_WEIGHT,
        "most_words": _MOST_WORDS,
        "common": _COMMON,
        "scored": _SCORED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH.format(near=_NEAR_EXACT if size <= EXACT_UP_TO else _NEAR_INDEXED), parameters)
        rows = cursor.fetchall()
    return [_hit(row) for row in rows]


def _hit(row: tuple[Any, ...]) -> Hit:
    *found, stems, weights, known, held = row
    fields = [*found, tuple(map(AskedWord, stems, weights, known, held))]
    return Hit(*fields)


def _size(collection_ids: list[uuid.UUID]) -> int:
    """About how many passages there are to compare; counted anew twice a minute."""
    return sizes.find((current_tenant().schema_name, tuple(sorted(collection_ids))))


def _count(name: tuple[str, tuple[uuid.UUID, ...]]) -> int:
    return Chunk.objects.filter(collection_id__in=name[1])[: EXACT_UP_TO + 1].count()


sizes: Memory[tuple[str, tuple[uuid.UUID, ...]], int] = Memory(_count, seconds=30.0, most=1_000)


_NEAR_EXACT = """
    SELECT id FROM knowledge_chunk, question WHERE collection_id = ANY(%(collections)s)
    ORDER BY embedding <=> question.vector LIMIT %(candidates)s
"""
# The planner uses the index only for a constant, so the vector stands here a second time.
_NEAR_INDEXED = """
    SELECT id FROM knowledge_chunk WHERE collection_id = ANY(%(collections)s)
    ORDER BY embedding <=> %(vector)s::halfvec(384) LIMIT %(candidates)s
"""
# `asked` counts each word by the full-text index, up to where it is common. `rare` takes the rarest words until they
# stand for enough passages: an OR over all of them would score half of a large collection. `matching` adds what holds
# every word, for common words may be rare together.
_SEARCH = r"""
WITH question AS MATERIALIZED (
    SELECT %(vector)s::halfvec(384) AS vector, plainto_tsquery('english', %(query)s) AS every_word
), spoken AS (
    SELECT word, ('''' || replace(replace(word, '\', '\\'), '''', '''''') || '''')::tsquery AS query
    FROM unnest(tsvector_to_array(to_tsvector('english', %(query)s))) AS word
    ORDER BY length(word) DESC, word LIMIT %(most_words)s
), asked AS MATERIALIZED (
    SELECT word, query, seen, ln(1 + (greatest(%(size)s, seen) - seen + 0.5) / (seen + 0.5)) AS weight
    FROM spoken, LATERAL (
        SELECT count(*)::int AS seen FROM (
            SELECT FROM knowledge_chunk
            WHERE words @@ spoken.query AND collection_id = ANY(%(collections)s) LIMIT %(common)s
        ) AS holding
    ) AS counted
), rare AS MATERIALIZED (
    SELECT coalesce(string_agg(query::text, ' | ')::tsquery, ''::tsquery) AS query
    FROM (SELECT query, seen, sum(seen) OVER (ORDER BY seen, word) AS passages FROM asked WHERE seen > 0) AS rarest
    WHERE seen < %(common)s AND passages <= %(scored)s
), near AS MATERIALIZED ({near}), matching AS MATERIALIZED (
    SELECT id, words FROM knowledge_chunk
    WHERE words @@ ((SELECT query FROM rare) || (SELECT every_word FROM question))
      AND collection_id = ANY(%(collections)s)
    LIMIT %(scored)s
), said AS (
    SELECT id FROM matching ORDER BY (SELECT sum(weight) FROM asked WHERE matching.words @@ asked.query) DESC, id
    LIMIT %(candidates)s
), candidate AS MATERIALIZED (
    SELECT chunk.id, chunk.words, 1 - (chunk.embedding <=> question.vector) AS similarity,
           document.title, to_tsvector('english', document.title) AS title_words
    FROM (SELECT id FROM near UNION SELECT id FROM said) AS found
    JOIN knowledge_chunk chunk USING (id) JOIN knowledge_document document ON document.id = chunk.document_id, question
), best AS MATERIALIZED (
    SELECT id, similarity, title, held,
           similarity / greatest(max(similarity) OVER (), 0.05) + %(words_weight)s * coalesce(share, 0) AS score
    FROM candidate, LATERAL (
        SELECT array_agg(here ORDER BY length(word) DESC, word) AS held,
               sum(weight * here) / nullif(sum(weight), 0) AS share
        FROM (
            SELECT word, weight,
                   CASE WHEN candidate.words @@ query THEN 1.0 WHEN title_words @@ query THEN 0.5 ELSE 0.0 END AS here
            FROM asked
        ) AS beside
    ) AS holds
    ORDER BY score DESC, id LIMIT %(limit)s
), told AS (
    SELECT coalesce(array_agg(word ORDER BY length(word) DESC, word), '{{}}') AS words,
           coalesce(array_agg(weight::float8 ORDER BY length(word) DESC, word), '{{}}') AS weights,
           coalesce(array_agg(seen > 0 ORDER BY length(word) DESC, word), '{{}}') AS known
    FROM asked
)
SELECT chunk.document_id, best.title, chunk.page, chunk.start, chunk."end", chunk.heading, chunk.text,
       best.similarity::float8, best.score::float8,
       told.words, told.weights, told.known, coalesce(best.held, '{{}}')::float8[]
FROM best JOIN knowledge_chunk chunk USING (id), told
ORDER BY best.score DESC, chunk.id
"""
