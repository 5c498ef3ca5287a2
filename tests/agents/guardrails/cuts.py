"""Texts cut at any places, as models cut theirs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import strategies as st


def cut(text: str, places: Sequence[int]) -> list[str]:
    """A text in pieces; together they are the text."""
    ends = [0, *sorted(place for place in places if place < len(text)), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def pieces_of(texts: Sequence[str]) -> st.SearchStrategy[str]:
    """Texts put together of given ones, pieces of these, and anything."""
    given = st.sampled_from(texts)
    torn = st.builds(
        lambda text, start, length: text[start : start + length], given, st.integers(0, 60), st.integers(1, 40)
    )
    glue = st.sampled_from([" ", "", "\n", ". ", "-", "(", "["])
    return st.lists(st.one_of(given, torn, glue, st.text(max_size=12)), max_size=8).map("".join)
