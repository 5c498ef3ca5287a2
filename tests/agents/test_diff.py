"""What is shown of two versions that differ."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.diff import diff_json, diff_words

PROSE = "You answer the guests of the harbour hotel, briefly and kindly."
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_what_is_the_same_says_nothing():
    assert diff_json({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) == []


def test_each_value_that_differs_is_named_by_its_path():
    old = {"llm": {"model": "a", "temperature": 0.2}, "judge": None}
    new = {"llm": {"model": "b", "temperature": 0.2}, "vision": {"enabled": True}}
    changes = {change.path: (change.kind, change.old, change.new) for change in diff_json(old, new)}
    assert changes == {
        "llm.model": ("changed", "a", "b"),
        "vision": ("added", None, {"enabled": True}),
        "judge": ("removed", None, None),
    }


def test_items_of_a_list_are_known_by_their_names():
    old = {"tools": [{"slug": "book", "version": 1}, {"slug": "ask", "version": 3}]}
    new = {"tools": [{"slug": "ask", "version": 4}, {"slug": "pay", "version": 1}]}
    changes = {change.path: change.kind for change in diff_json(old, new)}
    assert changes == {"tools.ask.version": "changed", "tools.pay": "added", "tools.book": "removed"}


def test_another_order_is_a_change():
    old = {"tools": [{"slug": "book"}, {"slug": "ask"}]}
    new = {"tools": [{"slug": "ask"}, {"slug": "book"}]}
    assert [change.path for change in diff_json(old, new)] == ["tools (order)"]


def test_a_number_and_a_truth_are_not_the_same():
    assert diff_json({"a": 1}, {"a": True})


def test_prose_is_shown_word_by_word():
    [change] = diff_json({"template": PROSE}, {"template": PROSE.replace("briefly and kindly", "kindly")})
    assert [segment.text for segment in change.segments if segment.side == "removed"] == ["briefly and "]


@given(st.text(max_size=400), st.text(max_size=400))
def test_the_segments_make_up_both_texts(old, new):
    segments = diff_words(old, new)
    assert "".join(segment.text for segment in segments if segment.side != "added") == old
    assert "".join(segment.text for segment in segments if segment.side != "removed") == new


@given(json_values, json_values)
def test_there_is_a_change_exactly_where_two_documents_differ(old, new):
    assert bool(diff_json({"x": old}, {"x": new})) == (
        json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True)
    )


def test_long_texts_are_compared_within_a_moment():
    old = "\n".join(f"Rule {n}: nobody swims after {n % 24} o'clock." for n in range(3_000))
    started = time.monotonic()
    segments = diff_words(old, old.replace("Rule 1500:", "Rule 1500 (new):"))
    assert any(segment.side == "added" and "(new)" in segment.text for segment in segments)
    assert time.monotonic() - started < 60, "this is a bound against minutes, not a measurement"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" ".join(str(number) for number in range(1499)), " ".join(str(number) for number in range(5000, 6499))),
        ("yes no " * 700, "no yes " * 700),
        ("a\n" * 50_000, "a\n" * 49_999 + "b"),
        ("a " * 50_000, "b a " * 25_000),
        ("x\n" * 50_000, "y\nx\n" * 25_000),
        (" ".join(map(str, range(15_000))), " ".join(map(str, range(15_000, 0, -1)))),
        ("", "a " * 50_000),
        ("ab\n\n" * 25_000, ""),
        ("a." * 50_000, "a," * 50_000),
    ],
)
def test_texts_with_little_or_nothing_in_common_are_compared_within_a_moment(old, new):
    begin = time.process_time()
    segments = diff_words(old, new)
    assert time.process_time() - begin < 3
    assert "".join(one.text for one in segments if one.side != "added") == old
    assert "".join(one.text for one in segments if one.side != "removed") == new
    assert all(one.text for one in segments)
