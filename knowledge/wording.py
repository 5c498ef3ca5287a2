"""What a document's state is called in front of people."""

from __future__ import annotations

from typing import Any, Final

from knowledge.models import Document

STATUS: Final = {
    Document.Status.QUEUED: "Waiting",
    Document.Status.READING: "Reading",
    Document.Status.EMBEDDING: "Indexing",
    Document.Status.READY: "Ready",
    Document.Status.FAILED: "Failed",
}
_REASONS: Final = {
    "document_empty": "The file is empty",
    "document_encrypted": "Protected by a password",
    "document_truncated": "The file is cut short",
    "document_damaged": "The file is damaged",
    "document_too_many_pages": "Too many pages",
    "document_too_large": "Too large",
    "document_type_unsupported": "Not a PDF, text or Markdown file",
    "document_parse_timeout": "Took too long to read",
    "document_parse_memory": "Needed too much memory",
    "document_no_text": "No text in it (a scan?)",
    "document_unreadable": "Reading failed again and again",
    "document_exists": "Already in this collection",
    "embeddings_unavailable": "The embedding service was away",
}


def reason(code: str) -> str:
    """A failure's code in words."""
    return _REASONS.get(code) or code.replace("_", " ").capitalize()


def progress_of(document: Document) -> dict[str, Any]:
    """A document's state as the list shows it and follows it."""
    failed = document.status == Document.Status.FAILED
    return {
        "id": str(document.pk),
        "status": document.status,
        "label": STATUS[Document.Status(document.status)],
        "progress": document.progress,
        "settled": document.is_settled,
        "reason": reason(document.error_code) if failed else "",
        "detail": document.error_detail if failed else "",
        "pages": document.pages,
        "passages": document.passages,
    }
