"""What is expected of an answer, judged over events made by hand: each kind both ways, and why."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import TypeAdapter

from agents.content.patterns import PatternRefused, check_pattern, is_found
from agents.content.testcase import Expectation, in_words
from agents.engine import events
from agents.engine.events import Citation, Event
from agents.expectations import Outcome, evaluate, hear

EXPECTATION: TypeAdapter[Any] = TypeAdapter(Expectation)
SPA = "0193a1b2-0000-7000-8000-000000000001"


def judged(happened: list[Event], kind: str, **fields: Any) -> Outcome:
    expectation = EXPECTATION.validate_python({"kind": kind, **fields})
    return evaluate(expectation, hear(happened), filenames={SPA: "spa.pdf"})


def said(*pieces: str) -> list[Event]:
    return [events.delta(piece) for piece in pieces]


def cited(title: str = "Salt & Stone Spa", page: int = 3) -> Event:
    return events.citation(Citation(1, SPA, title, page, "7 to 11", "/pages/3"))


@pytest.mark.parametrize(
    ("answer", "text", "verdict"),
    [
        ("Breakfast is from 7 to 11.", "from 7 to 11", "passed"),
        ("BREAKFAST is  from\n7 to 11.", "breakfast is from 7", "passed"),
        ("From 7 to 11 [1] every day.", "11 every day", "passed"),
        ("From 7 to 11 [1] every day.", "[1]", "passed"),
        ("Breakfast is from 8.", "from 7", "failed"),
        ("", "from 7", "failed"),
    ],
)
def test_contains_and_its_opposite(answer: str, text: str, verdict: str) -> None:
    opposite = {"passed": "failed", "failed": "passed"}[verdict]
    assert judged(said(answer), "contains", text=text).verdict == verdict
    assert judged(said(answer), "not_contains", text=text).verdict == opposite


def test_pieces_of_an_answer_are_one_text() -> None:
    assert judged(said("from 7", " to", " 11"), "contains", text="7 to 11").verdict == "passed"


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [(r"from \d+ to \d+", "passed"), (r"(?i)BREAKFAST", "passed"), (r"BREAKFAST", "failed"), (r"^\d", "failed")],
)
def test_matches(pattern: str, verdict: str) -> None:
    assert judged(said("Breakfast is from 7 to 11."), "matches", pattern=pattern).verdict == verdict


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"(x+x+)+y", r"(?:a{1,30}){1,30}b", ".*" * 200 + "z"])
def test_no_pattern_hangs(pattern: str) -> None:
    started = time.process_time()

    assert not is_found(pattern, "a" * 19_000 + "!")

    assert time.process_time() - started < 3


def test_a_pattern_that_people_need_is_taken() -> None:
    date = r"\b[12]\d{3}-(?:0?[1-9]|1[012])-[0-3]\d\b|(?i:tomorrow|next\s+(?:mon|fri)day)"
    assert is_found(date, "Come on 2027-02-14.")
    assert is_found(date, "Come Next Friday.")
    assert not is_found(date, "Come in 1 week.")
    assert is_found(r"£\s?\d{1,3}(?:,\d{3}){0,3}(?:\.\d{2})?", "It is £1,250.00.")
    assert is_found(r".{0,200}breakfast.{0,200}7", "When? breakfast is at 7")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("((", "unclosed group"),
        (r"a(?=b)", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"(?:(?:\w{1000}){1000}){1000}", "too large"),
        ("a" * 501, "500 characters"),
        (r"(?:(?:a?){300}){300}z", "too large"),
        (r"(?:[\]{]\p{Greek}\{){20}{30}", "too large"),
        (r"(?x)(?:a{100}) {100}", "flag x"),
    ],
)
def test_a_pattern_that_cannot_be_run_is_refused_with_a_reason(pattern: str, why: str) -> None:
    with pytest.raises(PatternRefused, match=why):
        check_pattern(pattern)


@pytest.mark.parametrize("document", ["Salt & Stone Spa", "salt & stone spa", "spa.pdf", SPA])
def test_a_document_is_cited_by_title_filename_or_id(document: str) -> None:
    assert judged([cited()], "cites", document=document).verdict == "passed"
    assert judged([cited()], "cites", document=document, page=3).verdict == "passed"


@pytest.mark.parametrize(
    ("happened", "wanted", "why"),
    [
        ([], {"document": "spa.pdf"}, "cites nothing"),
        ([cited()], {"document": "House Rules"}, "cites Salt & Stone Spa instead"),
        ([cited()], {"document": "spa.pdf", "page": 4}, "cites page 3 of it"),
        ([cited()], {"document": ""}, None),
    ],
)
def test_what_is_not_cited(happened: list[Event], wanted: dict[str, Any], why: str | None) -> None:
    if why is None:
        with pytest.raises(ValueError, match="document"):
            judged(happened, "cites", **wanted)
        return
    found = judged(happened, "cites", **wanted)
    assert found.verdict == "failed"
    assert why in found.why


CALL = events.tool_call("book-table", {"guests": 2, "at": {"day": "Sunday", "hour": 19}, "wishes": ["window"]})


@pytest.mark.parametrize(
    ("arguments", "exact", "why"),
    [
        (None, False, None),
        ({"guests": 2}, False, None),
        ({"guests": 2.0, "at": {"day": "Sunday"}}, False, None),
        ({"wishes": ["window"]}, False, None),
        ({"guests": 3}, False, "guests different"),
        ({"guests": True}, False, "guests different"),
        ({"wishes": []}, False, "wishes different"),
        ({"children": 1}, False, "children missing"),
        ({"guests": 2}, True, "at, wishes besides"),
        ({"guests": 2, "at": {"day": "Sunday", "hour": 19}, "wishes": ["window"]}, True, None),
    ],
)
def test_a_tool_is_called_with_arguments(arguments: Any, exact: bool, why: str | None) -> None:
    found = judged([CALL], "calls_tool", tool="book-table", arguments=arguments, exact=exact)
    assert found.verdict == ("passed" if why is None else "failed")
    assert why is None or why in found.why


def test_another_tool_and_no_tool() -> None:
    assert "called book-table instead" in judged([CALL], "calls_tool", tool="cancel").why
    assert judged([], "calls_tool", tool="cancel").why == "No tool was called."


def test_one_of_several_calls_suffices() -> None:
    calls = [events.tool_call("book-table", {"guests": 9}), CALL]
    assert judged(calls, "calls_tool", tool="book-table", arguments={"guests": 2}).verdict == "passed"


def test_routes() -> None:
    happened = [events.route("reservations"), *said("Gladly.")]
    assert judged(happened, "routes_to", agent="reservations").verdict == "passed"
    other = judged(happened, "routes_to", agent="spa")
    assert (other.verdict, other.why) == ("failed", "It was handed to reservations.")
    assert judged(said("Hm."), "routes_to", agent="spa").why == "It was handed to nobody."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "contains", "text": "7"}, "says “7”"),
        ({"kind": "not_contains", "text": "7"}, "doesn't say “7”"),
        ({"kind": "cites", "document": "spa.pdf", "page": 2}, "cites spa.pdf, page 2"),
        (
            {"kind": "calls_tool", "tool": "t", "arguments": {"a": 1}, "exact": True},
            'calls the tool t with exactly {"a": 1}',
        ),
        ({"kind": "judge", "rubric": "It is kind."}, "is judged to meet: It is kind."),
    ],
)
def test_an_expectation_in_words(fields: dict[str, Any], words: str) -> None:
    assert in_words(EXPECTATION.validate_python(fields)) == words
