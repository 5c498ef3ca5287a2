"""A document's pages as people see them: the text put together from its passages, and the rendered image, kept."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

from knowledge.models import Chunk, Document
from knowledge.parsing import render_page
from knowledge.parsing.document import PDF
from switchboard.kernel.database import release_connections
from switchboard.kernel.problems import Problem
from tenants.context import current_tenant

# Each rendering is a process of its own; more at once than this wait for their turn.
_RENDERINGS: Final = threading.BoundedSemaphore(2)
_WAIT_SECONDS: Final = 30.0
# A quote that was cut may end in half a word, and a page may hold it over other line ends.
# Characters; the search goes back and forth, and a page of a million repeated words would hold the process.
_LONGEST_SEARCHED: Final = 200_000
_SHORTEST_MATCH: Final = 4  # words


@dataclass(frozen=True, slots=True)
class Marked:
    """A page's text around a quote as it stands there. All of it is in `before` if the quote wasn't found."""

    before: str
    quote: str = ""
    after: str = ""


def has_image(document: Document) -> bool:
    """Whether its pages can be shown as they were laid out."""
    return document.media_type == PDF


def page_text(document: Document, page: int) -> str:
    """A page's text, from its passages: what two of them share is taken once."""
    parts: list[str] = []
    reached = 0
    rows = (
        Chunk.objects.filter(document=document, page=page).order_by("start", "-end").values_list("start", "end", "text")
    )
    for start, end, text in rows:
        if end <= reached:
            continue
        if parts and start > reached:
            # Passages are trimmed, so what lies between two is white space, or a line without a letter in it.
            parts.append("\n" if start - reached == 1 else "\n\n")
        parts.append(text[max(reached - start, 0) :])
        reached = end
    return "".join(parts)


def mark(text: str, quote: str) -> Marked:
    """Find a quote in a page's text, whatever its line ends; where its tail was cut, as much of it as is there."""
    words = quote.replace("…", " ").split()
    while words and len(text) <= _LONGEST_SEARCHED:
        found = re.search(r"\s+".join(map(re.escape, words)), text)
        if found:
            return Marked(text[: found.start()], found[0], text[found.end() :])
        keep = len(words) * 3 // 4
        if keep < _SHORTEST_MATCH:
            break
        words = words[:keep]
    return Marked(text)


def page_image(document: Document, page: int) -> bytes:
    """A page as a PNG; rendered once, then kept in the tenant's folder.

    Raises:
        DocumentUnreadable: it can't be rendered.
        Problem: 503 `busy`, where too many pages are being rendered.
    """
    name = f"{_folder(document.pk)}/{page}.png"
    storage: Storage = default_storage
    if storage.exists(name):
        with storage.open(name) as kept:
            return bytes(kept.read())
    release_connections()
    if not _RENDERINGS.acquire(timeout=_WAIT_SECONDS):
        raise Problem("busy", "Too many pages are being drawn. Try again in a moment.", status=503)
    try:
        with tempfile.NamedTemporaryFile(prefix="page-") as copy:
            with document.file.open("rb") as stored:
                shutil.copyfileobj(stored, copy)
            copy.flush()
            image = render_page(Path(copy.name), page)
    finally:
        _RENDERINGS.release()
    storage.save(name, ContentFile(image))
    return image


def forget_images(document_id: uuid.UUID) -> None:
    """Delete a document's rendered pages."""
    folder = _folder(document_id)
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        default_storage.delete(f"{folder}/{name}")


def _folder(document_id: uuid.UUID) -> str:
    return f"{current_tenant().schema_name}/pages/{document_id}"
