"""Text from outside: whole or refused, never changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.kernel.problems import Problem
from switchboard.kernel.text import check_text


def refusal(value, max_bytes=100):
    with pytest.raises(Problem) as caught:
        check_text(value, field="content", max_bytes=max_bytes)
    return caught.value


@pytest.mark.parametrize("value", ["Grüß Gott", "😀", "a\nb\tc", "\ufeffBOM", "العربية"])
def test_good_text_passes_unchanged(value):
    assert check_text(value, field="content", max_bytes=100) == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a\x00b", "invalid_text"),
        ("\ud83d", "invalid_text"),
        ("a\udc00", "invalid_text"),
        ("", "blank_text"),
        (" \n", "blank_text"),
    ],
)
def test_text_that_cannot_be_kept_is_refused(value, code):
    problem = refusal(value)
    assert (problem.code, problem.status) == (code, 422)
    assert problem.errors[0]["field"] == "content"


def test_the_limit_counts_bytes():
    assert check_text("é" * 50, field="content", max_bytes=100)
    assert (refusal("é" * 51).code, refusal("é" * 51).status) == ("too_large", 413)


@given(st.text(alphabet=st.characters(codec=None)))
def test_whatever_passes_can_be_stored(value):
    try:
        kept = check_text(value, field="content", max_bytes=10_000)
    except Problem:
        return
    assert "\x00" not in kept.encode().decode()
