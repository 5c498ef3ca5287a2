"""Quotes are the words of a passage that answer, as they stand there."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from agents.engine.passages import units
from agents.engine.quoting import LONGEST_QUOTE, best_quote, choose_quote, quoted_in

MEALS = """HARBOUR HOUSE HOTEL
The Long Room
When we serve
Meal Monday to Thursday Friday and Saturday Sunday
Breakfast 07:00\u201310:00 07:00\u201310:30 07:30\u201310:30
Lunch 12:00\u201314:15 12:00\u201314:30 Sunday roast 12:30\u201316:00
Afternoon tea 15:00\u201317:00 15:00\u201317:00 not served
Supper, Long Room 18:00\u201320:45 18:00\u201321:30 closed
Breakfast is included in every room rate except the Room Only rate. We buy our eggs from the farm at Nether
Alder, and our bread comes from the bakery on the quay. For other visitors it is \u00a319.50; children under
12 pay \u00a39.
Harbour House Hotel \u00b7 1 Lantern Quay, Saltmere QX4 7HB Page 1 of 3"""

POLICY = """Booking, lateness and cancellation
Book at the spa desk or by telephone; the desk is staffed during the treatment rooms' hours.
\u2022 Cancel or move a treatment free of charge until 24 hours before. After that we charge half the price;
less than four hours before, or if you don't come, the whole price.
\u2022 For groups of four or more the limit is 72 hours.
What to bring, and what to leave
Bring swimwear: it is worn everywhere, the sauna included. Leave jewellery in your
room safe."""


def test_a_message_of_many_words_costs_no_more_than_a_question() -> None:
    letter = " ".join(f"word{number}" for number in range(4000)) + " When is breakfast served?"

    started = time.process_time()
    quote = best_quote(letter, MEALS)

    assert time.process_time() - started < 0.1
    assert "Breakfast" in quote


def plain(text: str) -> str:
    return " ".join(text.split())


def test_when_is_answered_with_the_row_that_tells_the_time_and_its_columns() -> None:
    quote = best_quote("When is breakfast served?", MEALS)
    assert "Breakfast 07:00\u201310:00 07:00\u201310:30 07:30\u201310:30" in quote
    assert "Monday to Thursday" in quote
    assert "eggs" not in quote


def test_how_much_is_answered_with_an_amount() -> None:
    assert "\u00a319.50" in best_quote("how much is breakfast for visitors", MEALS)


def test_a_row_far_below_the_names_of_its_columns_has_them_beside_it() -> None:
    quote = choose_quote("When is supper in the Long Room?", MEALS)
    assert quote.text.startswith("Supper, Long Room")
    assert quote.columns == "Meal Monday to Thursday Friday and Saturday Sunday"


def test_a_sentence_that_the_page_breaks_is_quoted_whole() -> None:
    assert best_quote("Where does my jewellery go?", POLICY) == "Leave jewellery in your room safe."


def test_the_heading_above_counts() -> None:
    assert "24 hours before" in best_quote("what is your cancellation policy, how long before", POLICY)


@pytest.mark.parametrize("passage", [MEALS, POLICY])
@pytest.mark.parametrize(
    "question", ["When is breakfast served?", "cancel", "four groups", "zebra", "", "How much is it?"]
)
def test_a_quote_stands_in_the_passage_up_to_white_space(passage: str, question: str) -> None:
    quote = best_quote(question, passage)
    assert quote
    assert quote in plain(passage)
    assert len(quote) <= LONGEST_QUOTE


def test_the_page_s_footer_is_never_quoted() -> None:
    assert "Page 1 of 3" not in best_quote("Harbour House Hotel, 1 Lantern Quay", MEALS)


def test_long_sentences_are_cut_between_words() -> None:
    passage = "The rule about parking is " + "that nobody parks " * 60 + "here."
    quote = best_quote("parking rule", passage)
    assert len(quote) <= LONGEST_QUOTE
    assert plain(passage).startswith(quote + " ")


def test_a_cut_ends_at_a_sentence_where_that_leaves_enough() -> None:
    passage = (
        "Parking costs \u00a39 a night, " + "and then some more, " * 9 + "in all. (" + "Parking is fun " * 40 + ")"
    )
    assert best_quote("parking price", passage).endswith(("in all.", "fun", "Parking", "is"))


@pytest.mark.parametrize("passage", ["", "  \n ", "word", "\u00a3", "Page 1 of 1", "a" * 2_000, "\u00a35\n" * 300])
def test_odd_passages_can_be_quoted(passage: str) -> None:
    quote = best_quote("How much is it?", passage)
    assert quote in plain(passage)
    assert len(quote) <= LONGEST_QUOTE


def test_parts_cover_all_words_once_and_in_order() -> None:
    for passage in (MEALS, POLICY):
        parts = units(passage)
        assert all(before.end <= after.start for before, after in pairwise(parts))
        words = " ".join(passage[part.start : part.end] for part in parts).split()
        assert words == [word for word in passage.split() if word != "\u2022"]


def test_what_an_answer_quotes_is_found_again() -> None:
    answer = "Menu, page 1: \u201cMeal Monday \u2026 Supper, Long Room 18:00\u201320:45\u201d "
    assert quoted_in(answer, MEALS) == "Supper, Long Room 18:00\u201320:45"
    assert quoted_in("It says \u201csupper is free\u201d ", MEALS) is None
    assert quoted_in("Supper is at six.", MEALS) is None
