"""Search in a tenant's documents."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from conversations.api import schemas
from conversations.api.callers import asks
from knowledge.embeddings import EmbeddingsUnavailable
from knowledge.links import page_url
from knowledge.search import search
from switchboard.kernel.problems import Problem
from switchboard.kernel.text import check_text
from tenants.permissions import Permission

router = Router()
_QUERY_LIMIT_BYTES = 8_192


@router.post(
    "",
    auth=asks(Permission.KNOWLEDGE_READ),
    response={200: schemas.SearchResult, frozenset({401, 413, 422, 503}): schemas.Problem},
    summary="Find the passages that answer a question",
)
async def search_documents(request: HttpRequest, payload: schemas.SearchRequest) -> schemas.SearchResult:
    """By meaning and by words at once, over the collections named, best first."""
    query = check_text(payload.query, field="query", max_bytes=_QUERY_LIMIT_BYTES)
    try:
        hits = await search(query=query, collection_ids=payload.collections, limit=payload.limit)
    except EmbeddingsUnavailable:
        raise Problem(
            "embeddings_unavailable", "Search is away for a moment.", status=503, headers={"Retry-After": "2"}
        ) from None
    passages = [
        schemas.Passage(
            document=hit.document_id,
            title=hit.title,
            page=hit.page,
            text=hit.text,
            similarity=hit.similarity,
            url=page_url(hit.document_id, hit.page, hit.text[:200]),
        )
        for hit in hits
    ]
    return schemas.SearchResult(passages=passages)
