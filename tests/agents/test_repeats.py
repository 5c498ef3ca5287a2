"""What another model repeats of the words already shown is cut, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.gateway.repeats import RepeatCutter


def continued(shown: str, *pieces: str) -> str:
    cutter = RepeatCutter(shown)
    return shown + "".join(cutter.feed(piece) for piece in pieces) + cutter.end()


@pytest.mark.parametrize(
    ("shown", "goes_on", "whole"),
    [
        ("Breakfast is at", " seven.", "Breakfast is at seven."),
        ("Breakfast is at", "at seven.", "Breakfast is at seven."),
        ("Breakfast is at ", " seven.", "Breakfast is at seven."),
        ("Breakfast is at sev", "seven.", "Breakfast is at seven."),
        ("Breakf", "ast is at seven.", "Breakfast is at seven."),
        ("Hello. Breakfast is at", "Breakfast is at seven.", "Hello. Breakfast is at seven."),
        ("Hello. Breakfast is at", "Hello.\nBreakfast is  at seven.", "Hello. Breakfast is at seven."),
        ("Hello. Breakfast is at seven.", "Hello. Breakfast is at seven.", "Hello. Breakfast is at seven."),
        ("See page two [1]", "[1], and page five [2].", "See page two [1], and page five [2]."),
        ("The spa is by the", "pool", "The spa is by thepool"),
        ("The pool is by the", " pool bar", "The pool is by the pool bar"),
        ("朝食は七時", "七時からです", "朝食は七時からです"),
        ("Done.", "", "Done."),
    ],
)
def test_the_join_shows_no_word_twice(shown: str, goes_on: str, whole: str) -> None:
    assert continued(shown, goes_on) == whole
    assert continued(shown, *goes_on) == whole


@given(st.text("ab .", max_size=30), st.text("ab .", max_size=30))
def test_what_is_left_is_the_end_of_what_came(shown: str, goes_on: str) -> None:
    whole = continued(shown, *goes_on)

    assert whole == continued(shown, goes_on)
    assert whole.startswith(shown)
    assert goes_on.endswith(whole[len(shown) :])
