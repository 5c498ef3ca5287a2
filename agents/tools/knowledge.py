"""Search in the collections of the release, as a tool."""

from __future__ import annotations

from typing import Final

from agents.releases import resolve_async
from agents.tools.calls import Call
from agents.tools.results import ToolFailed, ToolResult
from knowledge.embeddings import EmbeddingsUnavailable
from knowledge.links import page_url
from knowledge.search import search

_PASSAGES: Final = 6


async def carry_out(call: Call) -> ToolResult:
    """Look something up.

    Raises:
        ToolFailed: `embeddings_unavailable`; `tool_timeout`.
    """
    release = await resolve_async(call.context.release_id)
    query = " ".join(str(value) for value in call.arguments.values() if isinstance(value, str)).strip()
    if not query:
        raise ToolFailed("tool_arguments_invalid", "There is nothing to look for.")
    if not release.collection_ids:
        return call.result({"passages": []}, is_untrusted=False)
    try:
        hits = await search(query=query, collection_ids=release.collection_ids, limit=_PASSAGES)
    except EmbeddingsUnavailable:
        raise ToolFailed("embeddings_unavailable", "The documents can't be searched at the moment.") from None
    passages = [
        {
            "document": str(hit.document_id),
            "title": hit.title,
            "page": hit.page,
            "text": hit.text,
            "url": page_url(hit.document_id, hit.page, ""),
        }
        for hit in hits
    ]
    return call.result({"passages": passages}, is_untrusted=True)
