from __future__ import annotations

import uuid

from celery import shared_task

from knowledge.domain import ingestion


@shared_task(name="knowledge.ingest_document")
def ingest_document(document_id: str) -> None:
    """Thin: see knowledge.domain.ingestion."""
    ingestion.ingest(document_id=uuid.UUID(document_id))
