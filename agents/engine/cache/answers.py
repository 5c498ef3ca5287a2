"""Answers found and kept. Neither is ever in a turn's way: what fails here is a miss."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone
from pgvector.django import CosineDistance

from agents.content.runtime import CachePolicy
from agents.engine.cache import counting, wording
from agents.engine.cache.keys import CacheKey
from agents.models import CachedAnswer as Row
from knowledge.embeddings import EmbeddingsUnavailable
from knowledge.endpoint import embeddings
from knowledge.links import page_url
from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from tenants.context import current_tenant

logger = logging.getLogger(__name__)

# The nearest questions that are looked at: of those that a vector takes for near, not the first need be the same.
_LOOKED_AT: Final = 5
_KEPT_OF_CITATION: Final = ("number", "document", "title", "page", "quote")


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer as it was given before.

    Args:
        citations: the data of `citation` events, their links signed anew.
        is_exact: whether the question was the very same.
    """

    answer: str
    citations: tuple[dict[str, Any], ...]
    is_exact: bool


async def find(*, key: CacheKey, question: str, policy: CachePolicy) -> CachedAnswer | None:
    """The answer that was given to this question, or to one that is as good as the same.

    The very same question is looked up by its digest; else its vector, which the search for passages needs anyway,
    finds near ones under the same key, of which one counts that names the same things (`wording.name_the_same`).
    """
    if not policy.enabled:
        return None
    normal = wording.normalised(question)
    try:
        row = await in_database(_exact, key, normal)
        is_exact = row is not None
        if row is None and policy.similarity < 1:
            row = await _similar(key, normal, policy.similarity)
    except DatabaseError:
        logger.warning("the answer cache could not be read", exc_info=True)
        return None
    # Beside the turn: where Redis is away, nobody waits for a count.
    lifespan.spawn(
        counting.count("exact" if is_exact else "similar" if row is not None else "miss"), name="cache count"
    )
    if row is None:
        return None
    return CachedAnswer(row.answer, tuple(_signed(cited) for cited in row.citations), is_exact)


async def keep(
    *, key: CacheKey, question: str, answer: str, citations: Sequence[Mapping[str, Any]], policy: CachePolicy
) -> None:
    """Keep an answer that `is_cacheable` under the key that was asked for when its turn began."""
    if not policy.enabled:
        return
    normal = wording.normalised(question)
    if not normal or not answer.strip():
        return
    expires_at = timezone.now() + dt.timedelta(seconds=policy.ttl_seconds)
    kept = [{name: cited[name] for name in _KEPT_OF_CITATION} for cited in citations]
    try:
        vector = await _vector(normal) if policy.similarity < 1 else None
        await in_database(_write, key, normal, vector, answer, kept, expires_at)
    except DatabaseError:
        logger.warning("an answer could not be kept", exc_info=True)


def _exact(key: CacheKey, normal: str) -> Row | None:
    return _valid(key).filter(digest=wording.digest(normal)).only("answer", "citations").first()


async def _similar(key: CacheKey, normal: str, similarity: float) -> Row | None:
    vector = await _vector(normal)
    if vector is None:
        return None
    near = await in_database(_near, key, vector, similarity)
    return next((row for row in near if wording.name_the_same(row.question, normal)), None)


def _near(key: CacheKey, vector: list[float], similarity: float) -> list[Row]:
    rows = _valid(key).exclude(embedding=None).annotate(distance=CosineDistance("embedding", vector))
    return list(
        rows.filter(distance__lte=1 - similarity)
        .order_by("distance")
        .only("question", "answer", "citations")[:_LOOKED_AT]
    )


def _valid(key: CacheKey) -> QuerySet[Row]:
    return Row.objects.filter(release_id=key.release_id, knowledge=key.knowledge, expires_at__gt=timezone.now())


async def _vector(normal: str) -> list[float] | None:
    try:
        return await embeddings().embed_query(normal, namespace=current_tenant().schema_name)
    except (EmbeddingsUnavailable, ValueError):
        return None


def _write(
    key: CacheKey,
    normal: str,
    vector: list[float] | None,
    answer: str,
    citations: list[dict[str, Any]],
    expires_at: dt.datetime,
) -> None:
    Row.objects.update_or_create(
        release_id=key.release_id,
        knowledge=key.knowledge,
        digest=wording.digest(normal),
        defaults={
            "question": normal,
            "embedding": vector,
            "answer": answer,
            "citations": citations,
            "expires_at": expires_at,
        },
    )


def _signed(cited: Mapping[str, Any]) -> dict[str, Any]:
    return {**cited, "url": page_url(uuid.UUID(cited["document"]), cited["page"], cited["quote"])}
