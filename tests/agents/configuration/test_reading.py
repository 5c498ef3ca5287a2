"""Documents from outside: what they mean, and that nothing in them can hurt."""

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.configuration.reading import DEEPEST, MOST_BYTES, MOST_VALUES, DocumentInvalid, line_of, read_text
from switchboard.kernel.problems import Problem


def refused(text):
    with pytest.raises(DocumentInvalid) as caught:
        read_text(text if isinstance(text, bytes) else text.encode())
    assert caught.value.status == 422
    return caught.value.errors[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("2026-11-21", "2026-11-21"),
        ("12:30", "12:30"),
        ("0x1f", "0x1f"),
        ("007", "007"),
        (".inf", ".inf"),
        ("=", "="),
        ("true", True),
        ("null", None),
        ("", None),
        ("12", 12),
        ("-1.5e3", -1500.0),
        ("'12'", "12"),
    ],
)
def test_a_word_means_what_it_looks_like(written, meant):
    found = read_text(f"a: {written}\n".encode()).data["a"]
    assert (found, type(found)) == (meant, type(meant))


def test_a_key_is_the_text_it_is_written_as():
    assert read_text(b"3: a\ntrue: b\n~: c\n").data == {"3": "a", "true": "b", "~": "c"}


def test_a_byte_order_mark_is_no_part_of_it():
    assert read_text("\ufeffa: 1\n".encode()).data == {"a": 1}


def test_json_means_the_same():
    data = {"switchboard": 1, "prompts": {"a": {"content": {"template": "😀\n{{ b }}", "n": [1.5, None, True]}}}}
    assert read_text(json.dumps(data).encode()).data == data


def test_yaml_may_begin_with_a_brace():
    assert read_text(b"{a: [1, b]}").data == {"a": [1, "b"]}


def test_values_know_their_line():
    source = read_text(b"a:\n  b:\n  - 1\n  - c: 2\n")
    assert line_of(("a", "b", 1, "c"), source.lines) == 4
    assert line_of(("a", "b", 1, "gone", "too"), source.lines) == 4
    assert line_of(("elsewhere",), source.lines) == 1


BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BOMB, "1", "Anchors"),
        ("a: 1\nb: *a\n", "2", "Anchors"),
        ("a: &x 1\n", "1", "Anchors"),
        ("a: 1\n<<: {b: 2}\nb: !!python/object/apply:os.system ['true']\n", "3", "Tags"),
        ("a: !!python/name:os.system\n", "1", "Tags"),
        ("a: !!binary aGk=\n", "1", "Tags"),
        ("a: !!str 1\n", "1", "Tags"),
        ("a: ! 1\n", "1", "Tags"),
        ("!!map {a: 1}\n", "1", "Tags"),
        ("a: 1\nb: 2\na: 3\n", "3", "twice"),
        ("a:\n  b: 1\n  'b': 2\n", "3", "twice"),
        ('a: "x\\0y"\n', "1", "NUL"),
        ("a: 1\n---\nb: 2\n", "2", "second document"),
        ("? [a]\n: 1\n", "1", "key"),
        ("? {a: 1}\n: 1\n", "1", "key"),
        (f"a: {'9' * 50}\n", "1", "40 characters"),
        ("a: 1e999\n", "1", "too large"),
        ("a: [1\nb: 2", "2", "no YAML"),
        ("a:\n\t- 1", "2", "no YAML"),
        ("a: b: c", "1", "no YAML"),
    ],
)
def test_a_fault_is_told_with_its_line(text, line, words):
    fault = refused(text)
    assert words in fault["message"]
    assert fault["line"] == line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        (b"\xff\xfea\x00", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "UTF-8"),
        (b"\x1f\x8b\x08", "UTF-8"),
        (b"a: \x00\n", "no YAML"),
        (b"a: \x07\n", "no YAML"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"a\\u0000": 1}', "NUL"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"a": NaN}', "no number"),
        ('{"a": 1e999}', "too large"),
        ('{"a": %s}' % ("9" * 60), "40 characters"),
        ('{"a": ' * 100_000, "nested"),
        ('{"a":' * (DEEPEST + 2) + "1" + "}" * (DEEPEST + 2), "nested"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "nested"),
        ("[" * 100_000, "nested"),
        ("\n".join("  " * depth + "a:" for depth in range(DEEPEST + 2)), "nested"),
    ],
)
def test_what_cant_be_kept_is_refused(text, words):
    assert words in refused(text)["message"]


def test_a_large_document_is_refused_unread():
    with pytest.raises(Problem) as caught:
        read_text(b"a" * (MOST_BYTES + 1))
    assert (caught.value.status, caught.value.code) == (413, "too_large")


@pytest.mark.parametrize(
    "text",
    [
        "- \n" * (MOST_BYTES // 3 - 1),
        "[" + "0," * (MOST_BYTES // 2 - 2) + "]",
        '{"a":[%s0]}' % ("0," * (MOST_BYTES // 2 - 9)),
    ],
)
def test_many_values_are_refused_before_they_cost_much(text):
    begin = time.process_time()
    assert f"{MOST_VALUES:,}" in refused(text)["message"]
    assert time.process_time() - begin < 20


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="ignore")))
@settings(max_examples=500, deadline=None)
def test_whatever_comes_is_read_or_refused(raw):
    with contextlib.suppress(DocumentInvalid):
        read_text(raw)
