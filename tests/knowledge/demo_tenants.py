"""The demo companies' documents in the tests' two tenants, read, split and embedded as the platform does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from knowledge.endpoint import embeddings
from knowledge.models import Chunk, Collection, Document
from knowledge.parsing import parse_document
from knowledge.splitting import Passage, split_pages
from switchboard.demo.companies import DemoCompany, DemoDocument, load_companies
from tenants.context import use_tenant
from tests import database


@contextmanager
def demo_documents() -> Iterator[None]:
    """Committed, so that other threads see them; gone afterwards."""
    try:
        for company in load_companies():
            with use_tenant(database.tenant(company.slug)):
                collection = Collection.objects.create(name=company.name, slug=company.slug)
                for entries in company.collections:
                    for entry in entries.documents:
                        _store(collection, entry, _read(company, entry))
        yield
    finally:
        database.clean_up()


def _store(collection: Collection, entry: DemoDocument, passages: list[tuple[Passage, list[float]]]) -> None:
    document = Document.objects.create(
        collection=collection, title=entry.title, filename=entry.file, size=1, sha256=entry.file, status="ready"
    )
    Chunk.objects.bulk_create(
        Chunk(
            document=document,
            collection=collection,
            ordinal=passage.ordinal,
            page=passage.page,
            start=passage.start,
            end=passage.end,
            heading=passage.heading,
            text=passage.text,
            embedding=vector,
        )
        for passage, vector in passages
    )


@cache
def _read(company: DemoCompany, entry: DemoDocument) -> list[tuple[Passage, list[float]]]:
    parsed = parse_document(company.path_of(entry), filename=entry.file, on_page=lambda page, pages: None)
    passages = split_pages(parsed.pages, media_type=parsed.media_type)
    vectors = embeddings().embed_passages([passage.embedded_text for passage in passages])
    return list(zip(passages, vectors, strict=True))
