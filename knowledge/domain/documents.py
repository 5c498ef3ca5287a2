"""Documents: accepted, followed, removed."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction

from knowledge.models import Collection, Document
from knowledge.pages import forget_images
from knowledge.parsing import DocumentUnreadable, inspect_document
from switchboard.kernel.database import in_database, release_connections
from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.domain import leases

logger = logging.getLogger(__name__)

LEASE_KIND: Final = "document"
# How long accepted work may wait for a worker before it is announced again.
QUEUE_SECONDS: Final = 60.0


def accept_document(*, collection: Collection, upload: UploadedFile[bytes] | File[bytes], title: str = "") -> Document:
    """Take a file in: judged at the door, stored, and queued for reading.

    Args:
        title: as people read it; the file's name where absent.

    Raises:
        Problem: 413 `document_too_large`.
        Invalid: a file that can't be read, with the code of `knowledge.parsing.DocumentUnreadable`.
        Conflict: `document_exists`, where the collection has this very content.
    """
    filename = Path((upload.name or "document").replace("\\", "/")).name.replace("\x00", "")[:255] or "document"
    if (upload.size or 0) > settings.UPLOAD_LIMIT_BYTES:
        limit = settings.UPLOAD_LIMIT_BYTES // (1024 * 1024)
        raise Problem("document_too_large", f"The file is larger than {limit} MB.", status=413)
    with _on_disk(upload) as (path, sha256):
        release_connections()
        try:
            found = inspect_document(path, filename=filename)
        except DocumentUnreadable as error:
            raise Invalid(error.code, error.detail, field="file") from None
        document = Document(
            collection=collection,
            title=(title.strip() or Path(filename).stem)[:200],
            filename=filename,
            media_type=found.media_type,
            pages=found.pages,
            size=upload.size or path.stat().st_size,
            sha256=sha256,
        )
        if Document.objects.filter(collection=collection, sha256=sha256).exists():
            raise _exists()
        with path.open("rb") as stored:
            document.file.save(filename, File(stored), save=False)
    try:
        with transaction.atomic():
            document.save(force_insert=True)
            leases.open_lease(kind=LEASE_KIND, object_id=document.id, owner="", seconds=QUEUE_SECONDS)
            transaction.on_commit(lambda: announce(document.id))
    except IntegrityError:
        document.file.delete(save=False)
        raise _exists() from None
    except BaseException:
        document.file.delete(save=False)
        raise
    return document


def retry_document(*, document: Document) -> None:
    """Read a document that failed once more."""
    with transaction.atomic():
        changed = Document.objects.filter(pk=document.pk, status=Document.Status.FAILED).update(
            status=Document.Status.QUEUED, progress=0, error_code="", error_detail=""
        )
        if not changed:
            raise Conflict("document_not_failed", "Only a document that failed can be read again.")
        leases.open_lease(kind=LEASE_KIND, object_id=document.pk, owner="", seconds=QUEUE_SECONDS)
        transaction.on_commit(lambda: announce(document.pk))


def delete_document(*, document: Document) -> None:
    """Remove a document, its passages, its file and its pages' pictures; reading it, if under way, comes to nothing."""
    with transaction.atomic():
        leases.close(kind=LEASE_KIND, object_id=document.pk, owner=None)
        storage, name, document_id = document.file.storage, document.file.name, document.pk
        document.delete()
        transaction.on_commit(lambda: storage.delete(name or ""))
        transaction.on_commit(lambda: forget_images(document_id))


def announce(document_id: uuid.UUID) -> None:
    """Tell the workers. If the broker is away, the lease lapses and the document is announced again."""
    from knowledge.tasks import ingest_document

    try:
        ingest_document.apply_async((str(document_id),), retry=False)
    except Exception:
        logger.warning("the broker is away; document %s will be announced again", document_id)


async def recover(work: leases.Abandoned) -> None:
    """Announce a document again whose worker died, or whose announcement was lost."""

    def announce_again() -> None:
        leases.postpone(kind=work.kind, object_id=work.object_id, seconds=QUEUE_SECONDS)
        announce(work.object_id)

    await in_database(announce_again)


def _exists() -> Conflict:
    return Conflict("document_exists", "The collection already has a document with this content.")


@contextmanager
def _on_disk(upload: UploadedFile[bytes] | File[bytes]) -> Iterator[tuple[Path, str]]:
    """The upload as a file that a child process can open, and its SHA-256."""
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(prefix="upload-") as copy:
        for block in upload.chunks():
            digest.update(block)
            copy.write(block)
        copy.flush()
        yield Path(copy.name), digest.hexdigest()
