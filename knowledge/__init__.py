"""Collections, documents, ingestion, embeddings and hybrid search."""
