"""The embedder: one small process that turns texts into vectors for every other process of the platform.

It speaks ``POST /v1/embeddings`` as OpenAI's API does, so the same client reaches it and any hosted or self-hosted
embedding service: set ``EMBEDDINGS_URL`` (with ``EMBEDDINGS_API_KEY`` and ``EMBEDDINGS_MODEL`` where needed) to an
OpenAI-compatible endpoint whose vectors have 384 dimensions, and this process is not started at all. Where a model
hub can be reached, any sentence-transformers or fastembed model behind such an endpoint will do. Vectors of different
models do not mix: documents are embedded anew after a change.

Start it by hand with ``python -m knowledge.embedder --host 127.0.0.1 --port 8090 --cache .data/models``.
"""
