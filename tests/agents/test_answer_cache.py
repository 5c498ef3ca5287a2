"""The answer cache: what is given again, and above all what is not."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from agents import releases
from agents.content.runtime import CachePolicy
from agents.domain.memory import purge
from agents.engine import cache
from agents.engine.cache import counting
from agents.engine.cache.wording import name_the_same, normalised
from agents.models import CachedAnswer
from knowledge.domain.documents import delete_document
from knowledge.models import Collection, Document
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.factories import AgentFactory, CollectionFactory, DocumentFactory

ON = CachePolicy(enabled=True)
EXACT = CachePolicy(enabled=True, similarity=1)
ANSWER = "From 7 to 11 [1]."


class House:
    """An agent with a collection of its own, and the cache as its turns use it."""

    def __init__(self, tenant: Any, policy: CachePolicy = EXACT) -> None:
        self.tenant, self.policy = tenant, policy
        with use_tenant(tenant):
            self.document = DocumentFactory.create()
            self.agent = AgentFactory.create(live__collection_ids=[self.document.collection_id])

    async def key(self) -> cache.CacheKey:
        return await cache.key_of(await releases.resolve_async(self.agent.live_release_id))

    def citation(self) -> dict[str, Any]:
        document = str(self.document.pk)
        return {"number": 1, "document": document, "title": "B", "page": 1, "quote": "7 to 11", "url": "/old?token=x"}

    async def keep(self, question: str = "When is breakfast?") -> None:
        key = await self.key()
        await cache.keep(key=key, question=question, answer=ANSWER, citations=[self.citation()], policy=self.policy)

    async def ask(self, question: str = "When is breakfast?") -> cache.CachedAnswer | None:
        return await cache.find(key=await self.key(), question=question, policy=self.policy)


@pytest.fixture
def house(live_tenants: None, harbour: Any) -> Any:
    made = House(harbour)
    with use_tenant(harbour):
        yield made


async def test_the_same_question_gets_the_same_answer_with_links_of_today(house: House) -> None:
    await house.keep()
    found = await house.ask("  when IS breakfast ")
    assert found is not None
    assert (found.answer, found.is_exact) == (ANSWER, True)
    assert found.citations[0]["quote"] == "7 to 11"
    assert found.citations[0]["url"].startswith(f"/documents/{house.document.pk}/pages/1?")
    row = await in_database(CachedAnswer.objects.get)
    assert "url" not in row.citations[0]


async def test_it_is_off_unless_the_release_says_otherwise(house: House) -> None:
    await house.keep()
    assert await cache.find(key=await house.key(), question="When is breakfast?", policy=CachePolicy()) is None
    await cache.keep(key=await house.key(), question="And?", answer="x", citations=(), policy=CachePolicy())
    assert await in_database(CachedAnswer.objects.count) == 1


async def test_an_answer_is_given_once_more_only_while_its_time_lasts(house: House) -> None:
    await house.keep()
    await in_database(CachedAnswer.objects.update, expires_at=timezone.now())
    assert await house.ask() is None
    assert await in_database(purge) == 1


@pytest.mark.parametrize("change", ["arrives", "changes", "moves", "goes", "goes in bulk"])
async def test_nothing_is_served_after_a_document_changed(house: House, change: str) -> None:
    await house.keep()
    document = house.document
    rows = Document.objects.filter(pk=document.pk)

    def make() -> None:
        match change:
            case "arrives":
                late = DocumentFactory.create(collection=document.collection, status="embedding")
                Document.objects.filter(pk=late.pk).update(status="ready")
            case "changes":
                rows.update(title="Breakfast, new hours")
            case "moves":
                rows.update(collection=CollectionFactory.create())
            case "goes":
                delete_document(document=document)
            case "goes in bulk":
                rows.delete()

    await in_database(make)
    assert await house.ask() is None


async def test_a_document_elsewhere_or_not_ready_changes_nothing(house: House) -> None:
    await house.keep()

    def make() -> None:
        DocumentFactory.create()
        DocumentFactory.create(collection=house.document.collection, status="queued", passages=0).delete()

    await in_database(make)
    assert await house.ask() is not None


async def test_an_answer_made_while_a_document_changed_is_found_by_nobody(house: House) -> None:
    before = await house.key()
    await in_database(Document.objects.filter(pk=house.document.pk).update, title="New")
    await cache.keep(key=before, question="When is breakfast?", answer=ANSWER, citations=(), policy=EXACT)
    assert await house.ask() is None


async def test_never_across_releases(house: House) -> None:
    await house.keep()

    def other() -> uuid.UUID:
        agent = AgentFactory.create(live__collection_ids=[house.document.collection_id])
        assert agent.live_release_id
        return agent.live_release_id

    release = await releases.resolve_async(await in_database(other))
    key = await cache.key_of(release)
    assert key.knowledge == (await house.key()).knowledge
    assert await cache.find(key=key, question="When is breakfast?", policy=EXACT) is None


async def test_never_across_tenants(house: House, agency: Any) -> None:
    await house.keep()
    key = await house.key()
    with use_tenant(agency):
        assert await cache.find(key=key, question="When is breakfast?", policy=EXACT) is None


async def test_a_prompt_that_tells_the_date_has_answers_for_one_day(live_tenants: None, in_harbour: Any) -> None:
    def make() -> Any:
        return AgentFactory.create(live__prompt="It is {{ today }}.").live_release_id

    release = await releases.resolve_async(await in_database(make))
    plain = await releases.resolve_async(await in_database(lambda: AgentFactory.create().live_release_id))
    assert (await cache.key_of(release)).knowledge != (await cache.key_of(plain)).knowledge


async def test_look_ups_are_counted(house: House) -> None:
    import asyncio

    await house.ask()
    await house.keep()
    await house.ask()
    for _ in range(100):
        found = await in_database(counting.counts, days=1)
        if found and found.asked == 2:
            break
        await asyncio.sleep(0.02)
    assert found == counting.Counts(exact=1, similar=0, misses=1)
    assert found.percent == 50


async def test_a_paraphrase_is_found_by_its_vector(live_tenants: None, harbour: Any, embedder: str) -> None:
    house = await in_database(House, harbour, ON)
    with use_tenant(harbour):
        await house.keep("When is breakfast served?")
        near = await house.ask("Could you please tell me when breakfast is served?")
        assert near is not None
        assert not near.is_exact
        for other in ("When is dinner served?", "When is breakfast not served?", "Where is breakfast served?"):
            assert await house.ask(other) is None, other


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("When is breakfast?", "What time is breakfast?", True),
        ("Hello, can you tell me when breakfast is?", "When is breakfast", True),
        ("Do you have parking?", "Have you got parking", False),
        ("Is the spa open on Sunday?", "Is the spa open on Saturday?", False),
        ("A room with breakfast?", "A room without breakfast?", False),
        ("A table for 2", "A table for 3", False),
        ("Check in at 3?", "Check out at 3?", False),
        ("From London to Paris", "From Paris to London", False),
        ("Can I call you?", "Can you call me?", False),
        ("Are dogs allowed?", "Are dogs not allowed?", False),
        ("?", "!", False),
    ],
)
def test_questions_are_the_same_only_where_they_name_the_same(one: str, other: str, same: bool) -> None:
    assert name_the_same(normalised(one), normalised(other)) is same


@pytest.mark.parametrize(
    "question",
    [
        "My booking is under sam@harbour.example, when is breakfast?",
        "Call me on +44 20 7946 0123 about parking",
        "I'm Sam, is the spa open?",
        "My name is Sam. Is the spa open?",
        "Where is my reservation?",
        "Is AB12C34 confirmed?",
        "Is a room free for Petra?",
    ],
)
def test_personal_questions_are_neither_asked_nor_kept(question: str) -> None:
    about = {"question": question, "history": (), "contact": "petra.lang"}
    assert not cache.may_ask(**about)  # type: ignore[arg-type]
    assert not cache.is_cacheable(answer="Yes.", used_tool=False, **about)  # type: ignore[arg-type]


def test_what_hangs_on_more_than_the_question_is_not_kept() -> None:
    plain: dict[str, Any] = {"question": "When is breakfast?", "answer": ANSWER, "history": (), "used_tool": False}
    assert cache.is_cacheable(**plain)
    assert cache.may_ask(question="When is breakfast?", history=())
    assert not cache.is_cacheable(**{**plain, "used_tool": True})
    assert not cache.is_cacheable(**{**plain, "history": [("contact", "Hello")]})
    assert not cache.is_cacheable(**plain, knew_contact=True)
    assert not cache.is_cacheable(**{**plain, "answer": "Certainly, Petra."}, contact="Petra")
    assert not cache.is_cacheable(**{**plain, "answer": ""})
    assert not cache.may_ask(question="And on Sunday?", history=[("contact", "When is breakfast?")])


def test_a_revision_is_nobody_s_deed(in_harbour: Any) -> None:
    from tenants.audit.models import AuditEvent

    document = DocumentFactory.create()
    before = Collection.objects.get(pk=document.collection_id).revision
    Document.objects.filter(pk=document.pk).update(title="New")
    assert Collection.objects.get(pk=document.collection_id).revision == before + 1
    assert not AuditEvent.objects.filter(action="collection.changed").exists()
