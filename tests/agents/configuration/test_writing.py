"""Documents as text: what was written is read again, to the letter, by us and by others."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.configuration.reading import read_text
from agents.configuration.writing import as_yaml

ODD = [
    *("yes", "no", "null", "~", "", "=", "<<", "1:30", "2024-01-01", "0x1f", "0o7", "1_0", "1e3", ".5", "NaN", ".inf"),
    *("- a", "a: b", "a #b", "a:", "#a", "|", ">", "!x", "&a", "*a", "%a", "@a", "`a", "'a'", '"a"', "[a", "{a", "? a"),
    *("x" * 120, "a\r\nb", "\n\n", "a\n\n", "a\n", " a\nb", "\ta\nb", "a\n \n  b", "ends \nso", "😀\nb", "\u2028a\nb"),
    *("\x85", "\x7f\n", "\ufeff", "\ufffe", "---\na", "a\n---\nb", "a\tb", "\x1b[31m", "é", "中文: 中", "a\\nb"),
]
TEXTS = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_what_was_written_is_read_again(data):
    text = as_yaml(data)
    found = read_text(text.encode()).data
    assert repr(found) == repr(data)
    assert as_yaml(found) == text


@pytest.mark.parametrize("text", ODD)
def test_other_readers_of_yaml_agree(text):
    written = as_yaml({"a": text, "b": [text, {"c": text}]})
    assert yaml.safe_load(written) == {"a": text, "b": [text, {"c": text}]}
    assert yaml.safe_load(as_yaml({text: 1})) == {text: 1}


def test_long_texts_stand_in_blocks():
    data = {
        "a": "One line.\n\n  Another, with a space at its end: \n😀 # and",
        "b": ["x " * 80 + "y"],
        "c": {},
        "d": [],
    }
    assert as_yaml(data) == (
        "a: |-\n  One line.\n\n    Another, with a space at its end: \n  😀 # and\n"
        f"b:\n  - |-\n    {'x ' * 80}y\nc: {{}}\nd: []\n"
    )
