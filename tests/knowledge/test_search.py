"""Search finds the passage that answers, in the tenant and the collections asked, in one query."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from knowledge import search as search_module
from knowledge.models import Chunk, Collection
from knowledge.search import Hit, find, search
from tenants.context import use_tenant
from tenants.models import Tenant
from tests import database
from tests.factories import ChunkFactory, CollectionFactory, DocumentFactory, vector_of


def ask(slug: str, question: str, limit: int = 3) -> list[Hit]:
    with use_tenant(database.tenant(slug)):
        collections = list(Collection.objects.values_list("id", flat=True))
        return asyncio.run(search(query=question, collection_ids=collections, limit=limit))


@pytest.mark.parametrize(
    ("slug", "question", "title", "page", "words"),
    [
        ("harbour", "When is breakfast served?", "The Long Room Menu", 1, "Breakfast 07:00\u201310:00"),
        ("harbour", "can I take my dog to room 25", "House Rules", 2, "rooms 1 to 8"),
        ("harbour", "i have a nut allergy are your massage oils ok", "Salt & Stone Spa", 3, "sweet almond"),
        ("harbour", "How much is a Harbour View room in July?", "Rooms & Rates 2026/27", 2, "£212 / £246"),
        ("harbour", "my van is 2.4m high where do i unload", "Finding Us", 1, "2.15 metres high"),
        ("harbour", "which bedrooms have a ceiling hoist", "Access at Harbour House", 1, "ceiling-track hoist"),
        ("agency", "what % do you take for selling my house as sole agent", "Fees & Commissions", 1, "1.44%"),
        ("agency", "Can I view a house on a Sunday?", "Viewing Policy", 1, "11:00\u201314:00"),
        ("agency", "how many nails can i put in the wall", "Tenant Guide", 3, "ten nails"),
        ("agency", "how often can the rent go up", "Tenant Guide", 2, "once every 12 months"),
        ("agency", "when will the new footbridge at ferry road open", "Alderwick by Quarter", 2, "spring 2028"),
        ("agency", "why can't i get a mortgage on 19 ferry road at the auction", "Public Auction", 1, "Cash buyers"),
    ],
)
def test_the_page_that_answers_is_among_the_first_three(
    companies: None, slug: str, question: str, title: str, page: int, words: str
) -> None:
    hits = ask(slug, question)
    right = [hit for hit in hits if hit.title.startswith(title) and hit.page == page]
    assert any(words in " ".join(hit.text.split()) for hit in right), [(hit.title, hit.page) for hit in hits]


def test_a_word_that_few_passages_hold_outweighs_those_that_many_do(companies: None) -> None:
    [hit] = ask("harbour", "what about the telescope in that room", limit=1)
    assert "telescope" in hit.text


def test_what_is_found_stands_where_it_says(companies: None) -> None:
    for hit in ask("harbour", "parking for electric cars", limit=6):
        with use_tenant(database.tenant("harbour")):
            chunk = Chunk.objects.get(document_id=hit.document_id, page=hit.page, start=hit.start)
        assert (hit.text, hit.end, hit.heading) == (chunk.text, chunk.end, chunk.heading)
        assert -1 <= hit.similarity <= 1


def test_hits_come_best_first_and_no_more_than_asked_for(companies: None) -> None:
    hits = ask("agency", "deposit for a flat", limit=5)
    assert len(hits) == 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_another_tenant_s_passages_never_appear(companies: None) -> None:
    """Not even when its collections are asked for."""
    with use_tenant(database.tenant("harbour")):
        theirs = list(Collection.objects.values_list("id", flat=True))
    with use_tenant(database.tenant("agency")):
        assert asyncio.run(search(query="When is breakfast served?", collection_ids=theirs)) == []
        own = set(Chunk.objects.values_list("document_id", flat=True))
        both = [*theirs, *Collection.objects.values_list("id", flat=True)]
        hits = asyncio.run(search(query="When is breakfast served?", collection_ids=both))
    assert {hit.document_id for hit in hits} <= own


def test_a_search_is_one_query_and_the_size_is_looked_up_once(companies: None) -> None:
    with use_tenant(database.tenant("harbour")):
        collections = list(Collection.objects.values_list("id", flat=True))
        search_module.sizes.forget()
        with CaptureQueriesContext(connection) as first:
            find("When is breakfast served?", vector_of("breakfast"), collections, 6)
        with CaptureQueriesContext(connection) as second:
            find("What does parking cost?", vector_of("parking"), collections, 6)
    assert (len(first), len(second)) == (2, 1)


def test_the_words_of_the_question_come_along(companies: None) -> None:
    [hit] = ask("agency", "is the swimming pool of Alder Lodge heated on Sundays", limit=1)
    words = {word.stem: word for word in hit.words}
    assert not words["swim"].is_known
    assert words["lodg"].is_known
    assert words["swim"].weight > words["lodg"].weight > 0


@pytest.mark.parametrize(
    "question",
    ["the of and", "???", "o'neil's \\ \"quoted\" & | ! <-> :* (", "%s %(query)s {near}", "a" * 5_000, "wort " * 1_500],
    ids=["stop words", "no word", "operators", "placeholders", "one long word", "many words"],
)
def test_any_text_may_be_asked(in_harbour: Tenant, question: str) -> None:
    chunk = ChunkFactory()
    [hit] = find(question, vector_of("anything"), [chunk.collection_id], 6)
    assert hit.text == chunk.text


def test_only_the_collections_asked_for_are_searched(in_harbour: Tenant) -> None:
    wanted = ChunkFactory(text="The sauna is hot.")
    ChunkFactory(text="The sauna is cold.")
    hits = find("sauna", vector_of("The sauna is cold."), [wanted.collection_id], 6)
    assert [hit.text for hit in hits] == ["The sauna is hot."]
    assert asyncio.run(search(query="sauna", collection_ids=[])) == []


def test_an_empty_collection_holds_nothing(in_harbour: Tenant) -> None:
    assert find("sauna", vector_of("sauna"), [CollectionFactory().id], 6) == []


def test_a_document_s_title_counts_for_its_passages(in_harbour: Tenant) -> None:
    collection = CollectionFactory()
    for title in ("Model X100", "Model X200", "Model X300"):
        ChunkFactory(document=DocumentFactory(collection=collection, title=title), text=f"Weight: {len(title)} kg.")
    hits = find("weight of the X200", vector_of("weight"), [collection.id], 3)
    assert max(hits, key=lambda hit: sum(word.held for word in hit.words)).title == "Model X200"


def test_above_the_exact_limit_the_index_finds_the_same(in_harbour: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = CollectionFactory()
    document = DocumentFactory(collection=collection)
    other = DocumentFactory()
    for number in range(60):
        ChunkFactory(document=document, text=f"Passage {number} of the house rules.", ordinal=number)
        ChunkFactory(document=other, text=f"Passage {number} of another book.", ordinal=number)
    question, vector = "house rules 17", vector_of("Passage 17 of the house rules.")
    exact = find(question, vector, [collection.id], 6)
    monkeypatch.setattr(search_module, "EXACT_UP_TO", 10)
    search_module.sizes.forget()
    indexed = find(question, vector, [collection.id], 6)
    assert indexed[0].text == exact[0].text == "Passage 17 of the house rules."
    assert len(indexed) == 6
    assert all("house rules" in hit.text for hit in indexed)


def test_pooled_connections_scan_the_vector_index_iteratively(in_harbour: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW hnsw.iterative_scan")
        assert cursor.fetchone() == ("relaxed_order",)
        cursor.execute("SHOW hnsw.ef_search")
        assert re.fullmatch(r"\d{3}", cursor.fetchone()[0])
