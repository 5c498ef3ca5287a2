"""A page's text is put together from its passages, and the quote found in it."""

from knowledge.pages import mark, page_text
from tests.factories import ChunkFactory, DocumentFactory

PAGE = "Breakfast is from 7 to 11. Dogs are welcome.\n\nThe spa closes at nine."


def passage(document, start, end, page=1):
    ChunkFactory(document=document, page=page, start=start, end=end, text=PAGE[start:end])


def test_overlapping_passages_give_the_page_once(in_harbour):
    document = DocumentFactory()
    passage(document, 0, 44)
    passage(document, 27, len(PAGE))
    passage(document, 0, 10, page=2)
    assert page_text(document, 1) == PAGE


def test_a_passage_within_another_adds_nothing(in_harbour):
    document = DocumentFactory()
    passage(document, 0, len(PAGE))
    passage(document, 5, 20)
    assert page_text(document, 1) == PAGE


def test_passages_apart_are_kept_apart(in_harbour):
    document = DocumentFactory()
    passage(document, 0, 26)
    passage(document, 46, len(PAGE))
    assert page_text(document, 1) == "Breakfast is from 7 to 11.\n\nThe spa closes at nine."


def test_a_page_without_passages_has_no_text(in_harbour):
    assert page_text(DocumentFactory(), 1) == ""


def test_a_quote_is_found_over_line_ends():
    marked = mark(PAGE, "Dogs are welcome. The spa")
    assert (marked.before, marked.quote) == ("Breakfast is from 7 to 11. ", "Dogs are welcome.\n\nThe spa")
    assert marked.before + marked.quote + marked.after == PAGE


def test_a_quote_whose_tail_was_cut_is_found_as_far_as_it_goes():
    assert mark(PAGE, "Breakfast is from 7 to 11. Dogs are welc and more…").quote.startswith(
        "Breakfast is from 7 to 11."
    )


def test_a_quote_that_isnt_there_marks_nothing():
    assert mark(PAGE, "Cats are not").quote == ""
    assert mark(PAGE, "").quote == ""
    assert mark(PAGE, "(a|b)*+[").before == PAGE
