"""Passages: exact offsets, bounded size, headings that stay with what they announce."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from knowledge.embedder.weights import MAX_TOKENS, tokenizer_file
from knowledge.parsing.document import MARKDOWN, TEXT, ParsedPage
from knowledge.splitting import Passage, split_pages

_TOKENIZER = Tokenizer.from_file(str(tokenizer_file()))
_TOKENIZER.no_truncation()
_TOKENIZER.no_padding()
_SENTENCE = "Guests may borrow bicycles from the shed behind the kitchen until sunset. "
_WORDS = st.sampled_from(
    ["Rooms", "the", "sea. ", "\n", "\n\n", "# Pets\n", "## Fees", "- ", "Größe", "宿泊", "🏨", "  ", "x" * 150]
)


def _split(*texts: str, media_type: str = TEXT) -> list[Passage]:
    return split_pages([ParsedPage(number, text) for number, text in enumerate(texts, 1)], media_type=media_type)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=300), st.lists(_WORDS, min_size=100, max_size=400).map(" ".join)), max_size=3),
    st.sampled_from([TEXT, MARKDOWN]),
)
def test_every_passage_is_found_at_its_offsets_and_fits_the_model(texts: list[str], media_type: str) -> None:
    passages = _split(*texts, media_type=media_type)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    for passage in passages:
        assert texts[passage.page - 1][passage.start : passage.end] == passage.text
        assert passage.text.strip() == passage.text
        assert any(character.isalnum() for character in passage.text)
        assert len(_TOKENIZER.encode(passage.embedded_text).ids) <= MAX_TOKENS
    places = [(passage.page, passage.start) for passage in passages]
    assert places == sorted(places)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["alpha", "Beta", "gamma.", "\n\n", "# Delta\n", "omega"]), min_size=150, max_size=600
    ).map(" ".join)
)
def test_no_word_is_lost(text: str) -> None:
    for media_type in (TEXT, MARKDOWN):
        kept = " ".join(passage.embedded_text for passage in _split(text, media_type=media_type))
        assert {word for word in text.split() if word != "#"} <= set(kept.split())


def test_pages_are_never_joined() -> None:
    assert [(passage.page, passage.text) for passage in _split("First.", "Second.")] == [(1, "First."), (2, "Second.")]


def test_neighbouring_passages_overlap() -> None:
    passages = _split(_SENTENCE * 60)
    assert len(passages) > 3
    for one, other in pairwise(passages):
        assert one.start < other.start < one.end


@pytest.mark.parametrize("length", range(8, 16))
def test_a_heading_is_never_left_alone_or_last(length: int) -> None:
    text = f"# House\n\n{_SENTENCE * length}\n\n## Bicycles\n\n{_SENTENCE * 30}"
    passages = _split(text, media_type=MARKDOWN)
    assert all(not passage.text.splitlines()[-1].startswith("#") for passage in passages)
    assert sum(passage.text.startswith("## Bicycles\n") for passage in passages) == 1
    assert passages[-1].heading == "House > Bicycles"


def test_a_heading_is_carried_to_the_passages_that_follow_even_on_the_next_page() -> None:
    passages = _split("Bicycles and boats\n" + _SENTENCE * 30, _SENTENCE * 2)
    assert passages[0].heading == ""
    assert passages[0].text.startswith("Bicycles and boats\n")
    assert {passage.heading for passage in passages[1:]} == {"Bicycles and boats"}
    assert passages[-1].page == 2
    assert passages[-1].embedded_text.startswith("Bicycles and boats\nGuests may")


def test_a_comment_in_a_code_block_is_no_heading() -> None:
    text = f"# Setup\n\n```\n# not a heading\n```\n\n{_SENTENCE * 30}"
    assert {passage.heading for passage in _split(text, media_type=MARKDOWN)[1:]} == {"Setup"}


def test_a_document_of_one_line_is_one_passage() -> None:
    assert [passage.text for passage in _split("Quay 1, 20457 Hamburg")] == ["Quay 1, 20457 Hamburg"]


def test_a_word_without_end_is_cut() -> None:
    passages = _split("A" * 20_000)
    assert len(passages) > 10
    assert max(len(passage.text) for passage in passages) <= 1_600


def test_rules_and_blanks_are_no_passages() -> None:
    assert _split("-----\n\n*****", "", "  \n ") == []
