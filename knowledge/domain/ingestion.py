"""From a stored file to passages that can be found: read, split, embed, and put in place in one transaction."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.db import transaction
from django.utils import timezone

from knowledge.domain.documents import LEASE_KIND
from knowledge.embeddings import EmbeddingsUnavailable
from knowledge.endpoint import embeddings
from knowledge.models import Chunk, Document
from knowledge.parsing import DocumentUnreadable, parse_document
from knowledge.splitting import Passage, split_pages
from tenants.domain import leases

logger = logging.getLogger(__name__)

# A document that has taken its worker down this often is given up, with a reason that says so.
MOST_ATTEMPTS: Final = 4
_READ_SHARE = 25  # percent of the way when the text is there; embedding is the rest
_REPORT_EVERY = 0.4  # seconds


class _Lost(Exception):
    """The document was deleted meanwhile, or another worker has taken over."""


def ingest(*, document_id: uuid.UUID) -> None:
    """Make a document ready, or mark it failed with a reason. Safe to call twice, at once or after a crash."""
    attempt = leases.claim(kind=LEASE_KIND, object_id=document_id)
    if not attempt:
        return
    document = Document.objects.filter(pk=document_id).first()
    if document is None:
        leases.close(kind=LEASE_KIND, object_id=document_id)
        return
    if attempt > MOST_ATTEMPTS:
        _fail(document, "document_unreadable", "Reading this document failed again and again.")
        return
    try:
        with leases.kept_alive(kind=LEASE_KIND, object_id=document_id):
            _read(document)
    except DocumentUnreadable as error:
        _fail(document, error.code, error.detail)
    except EmbeddingsUnavailable as error:
        # Not the document's fault: the lease lapses, and it is tried again.
        logger.warning("embeddings are unavailable: %s", error)
        if attempt == MOST_ATTEMPTS:
            _fail(document, "embeddings_unavailable", "The embedding service can't be reached. Try again later.")
        else:
            leases.release(kind=LEASE_KIND, object_id=document_id, seconds=5.0 * attempt)
    except _Lost:
        logger.info("document %s was taken over or deleted", document_id)


def _read(document: Document) -> None:
    report = _reporter(document)
    report(Document.Status.READING, 1)
    with tempfile.NamedTemporaryFile(prefix="document-") as copy:
        with document.file.open("rb") as stored:
            shutil.copyfileobj(stored, copy)
        copy.flush()
        parsed = parse_document(
            Path(copy.name),
            filename=document.filename,
            on_page=lambda page, pages: report(Document.Status.READING, _READ_SHARE * page // max(pages, 1)),
        )
    passages = split_pages(parsed.pages, media_type=parsed.media_type)
    report(Document.Status.EMBEDDING, _READ_SHARE)
    vectors = embeddings().embed_passages(
        [passage.embedded_text for passage in passages],
        on_progress=lambda done, of: report(
            Document.Status.EMBEDDING, _READ_SHARE + (99 - _READ_SHARE) * done // max(of, 1)
        ),
    )
    _put_in_place(document, passages, vectors, pages=len(parsed.pages))


def _put_in_place(document: Document, passages: list[Passage], vectors: list[list[float]], *, pages: int) -> None:
    rows = [
        Chunk(
            document=document,
            collection_id=document.collection_id,
            ordinal=passage.ordinal,
            page=passage.page,
            start=passage.start,
            end=passage.end,
            heading=passage.heading[:300],
            text=passage.text,
            embedding=vector,
        )
        for passage, vector in zip(passages, vectors, strict=True)
    ]
    with transaction.atomic():
        if not leases.close(kind=LEASE_KIND, object_id=document.pk):
            raise _Lost
        Chunk.objects.filter(document=document).delete()
        Chunk.objects.bulk_create(rows, batch_size=500)
        Document.objects.filter(pk=document.pk).update(
            status=Document.Status.READY,
            progress=100,
            pages=pages,
            passages=len(rows),
            ready_at=timezone.now(),
            error_code="",
            error_detail="",
        )


def _fail(document: Document, code: str, detail: str) -> None:
    with transaction.atomic():
        if leases.close(kind=LEASE_KIND, object_id=document.pk):
            Document.objects.filter(pk=document.pk).update(
                status=Document.Status.FAILED, error_code=code, error_detail=detail
            )


def _reporter(document: Document) -> Callable[[str, int], None]:
    """Writes status and percentage where staff see them; not more often than anybody could read."""
    last_status, last_time = "", 0.0

    def report(status: str, progress: int) -> None:
        nonlocal last_status, last_time
        now = time.monotonic()
        if status == last_status and now - last_time < _REPORT_EVERY:
            return
        last_status, last_time = status, now
        if not Document.objects.filter(pk=document.pk).update(status=status, progress=progress):
            raise _Lost

    return report
