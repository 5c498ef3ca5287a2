"""The built-in model quotes what answers, and says plainly when nothing does."""

from __future__ import annotations

import asyncio
import re
import uuid

import pytest

from agents.engine import local
from knowledge.models import Collection
from knowledge.search import AskedWord, Hit, search
from tenants.context import use_tenant
from tests import database


def ask(slug: str, question: str) -> tuple[str, list[Hit]]:
    """The answer and what it quotes."""

    async def turn() -> tuple[str, list[Hit]]:
        hits = local.relevant(question, await search(query=question, collection_ids=collections))
        words = [word async for word in local.stream_answer(question=question, hits=hits, has_documents=True)]
        return "".join(words), hits

    with use_tenant(database.tenant(slug)):
        collections = list(Collection.objects.values_list("id", flat=True))
        return asyncio.run(turn())


def hit(text: str, *, similarity: float = 0.6, page: int = 1, start: int = 0, words: tuple[AskedWord, ...] = ()) -> Hit:
    return Hit(
        document_id=uuid.uuid4(),
        title="House Rules",
        page=page,
        start=start,
        end=start + len(text),
        heading="",
        text=text,
        similarity=similarity,
        score=similarity,
        words=words,
    )


@pytest.mark.parametrize(
    "question",
    [
        "when is the pool open on sundays?",
        "what does a room with a harbour view cost in july",
        "can I cancel my regatta week booking",
        "how much is a massage",
        "what time is breakfast",
        "When is breakfast served?",
        "can we get married in the sail loft",
        "do i need a swimsuit for the sauna",
        "who won the 1998 world cup",
    ],
)
def test_the_agency_s_agent_knows_nothing_of_the_hotel(companies: None, question: str) -> None:
    assert ask("agency", question) == (local.NOTHING_FOUND, [])


@pytest.mark.parametrize(
    "question",
    [
        "Is 14 Lock Row at risk of flooding?",
        "when is the lido open",
        "what commission do you charge for selling a house?",
    ],
)
def test_the_hotel_s_agent_knows_nothing_of_the_agency(companies: None, question: str) -> None:
    assert ask("harbour", question) == (local.NOTHING_FOUND, [])


@pytest.mark.parametrize(
    ("slug", "question", "words"),
    [
        ("harbour", "When is breakfast served?", "Breakfast 07:00\u201310:00"),
        ("harbour", "can i bring my own bottle of wine to dinner", "Corkage"),
        ("harbour", "whats the charge for a second dog", "Second dog (the most we allow) \u00a310 a night"),
        ("agency", "how many nails can i put in the wall", "ten nails"),
        ("agency", "how often can the rent go up", "once every 12 months"),
        ("agency", "can i view a house on a sunday", "11:00\u201314:00"),
        ("agency", "my house will go for a lot, is the comission lower above 750,000?", "0.90%"),
    ],
)
def test_an_answer_quotes_the_words_that_answer(companies: None, slug: str, question: str, words: str) -> None:
    answer, _ = ask(slug, question)
    assert words in answer


@pytest.mark.parametrize("question", ["When is breakfast served?", "How much is parking?", "are dogs allowed"])
def test_an_answer_says_who_speaks_and_cites_each_quote_in_order(companies: None, question: str) -> None:
    answer, hits = ask("harbour", question)
    assert answer.startswith(local.INTRODUCTION)
    assert "local model" in local.INTRODUCTION
    assert re.findall(r"\[(\d)\]", answer) == [str(number) for number in range(1, len(hits) + 1)]
    assert 1 <= len(hits) <= 3
    for found in hits:
        assert f"{found.title}, page {found.page}: \u201c" in answer


def test_quotes_are_words_of_their_passages(companies: None) -> None:
    question = "How much is a room with a view of the harbour?"
    _, hits = ask("harbour", question)
    for found, quote in zip(hits, local.quotes(question, hits), strict=True):
        assert quote.text in " ".join(found.text.split())


def test_the_same_words_are_quoted_once() -> None:
    overlap = "Breakfast is served from 07:00 to 10:00 in the Long Room."
    hits = [hit(overlap), hit(f"Meals.\n{overlap}", start=40), hit("Breakfast in bed is served from 08:00 for guests.")]
    assert len(local.relevant("When is breakfast served?", hits)) == 2


def test_what_is_clearly_weaker_than_the_first_is_left_out() -> None:
    hits = [hit("Breakfast is served from 07:00 to 10:00."), hit("The flag is raised each morning.", similarity=0.33)]
    assert local.relevant("When is breakfast served?", hits) == hits[:1]


def test_words_that_no_document_holds_weigh_against_an_answer() -> None:
    def asked(*, is_known: bool) -> tuple[AskedWord, ...]:
        return AskedWord("pool", 4.0, is_known, 1.0 if is_known else 0.0), AskedWord("open", 1.0, True, 1.0)

    text = "We are open on Sundays."
    question = "When is the pool open?"
    assert local.relevant(question, [hit(text, similarity=0.4, words=asked(is_known=True))])
    assert not local.relevant(question, [hit(text, similarity=0.4, words=asked(is_known=False))])


def test_a_word_that_is_nearly_spelt_like_one_in_the_passage_is_no_unknown_word() -> None:
    def asked(stem: str) -> tuple[AskedWord, ...]:
        return AskedWord(stem, 4.0, False, 0.0), AskedWord("rate", 1.0, True, 1.0)

    text = "The lower rates are for January and February."
    assert local.relevant("rates in febuary", [hit(text, similarity=0.3, words=asked("febuari"))])
    assert not local.relevant("rates in freiburg", [hit(text, similarity=0.3, words=asked("freiburg"))])


def test_an_agent_without_documents_says_so() -> None:
    async def answer() -> str:
        stream = local.stream_answer(question="When is breakfast?", hits=[], has_documents=False)
        return "".join([word async for word in stream])

    assert asyncio.run(answer()) == local.NO_DOCUMENTS


def test_the_answer_comes_word_by_word() -> None:
    async def words() -> list[str]:
        stream = local.stream_answer(
            question="When is breakfast?", hits=[hit("Breakfast is at 7:00.\nSupper is at 18:00.")], has_documents=True
        )
        return [word async for word in stream]

    pieces = asyncio.run(words())
    assert len(pieces) > 10
    assert all(len(piece.split()) == 1 for piece in pieces)
