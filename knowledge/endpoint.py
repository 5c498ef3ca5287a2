"""The process's embeddings client, as the configuration says."""

from __future__ import annotations

import functools

from django.conf import settings

from knowledge.embeddings import EmbeddingsClient, EmbeddingsEndpoint


@functools.cache
def embeddings() -> EmbeddingsClient:
    """One client for the process; it pools its connections."""
    return EmbeddingsClient(
        EmbeddingsEndpoint(
            url=settings.EMBEDDINGS_URL, api_key=settings.EMBEDDINGS_API_KEY, model=settings.EMBEDDINGS_MODEL
        )
    )
