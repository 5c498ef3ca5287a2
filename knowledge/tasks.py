from __future__ import annotations

import uuid

from celery import shared_task

from knowledge.domain import ingestion
from switchboard.kernel.database import OUTAGES


@shared_task(
    name="knowledge.ingest_document",
    # A database that restarts is back within seconds. Without this the document would wait until its lease lapses.
    autoretry_for=OUTAGES,
    retry_backoff=1,
    retry_backoff_max=8,
    max_retries=4,
)
def ingest_document(document_id: str) -> None:
    """Thin: see knowledge.domain.ingestion."""
    ingestion.ingest(document_id=uuid.UUID(document_id))
