"""What of an answer is shown, and where it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.content.runtime import SafetyPolicy
from agents.engine.guardrails import LinkPolicy, OutputGuard, reveals, safe_arguments
from tests.agents.guardrails.cuts import cut, pieces_of

PARTS = [
    "The spa opens at nine [1]. ",
    "Breakfast is served until eleven every day.\n",
    "Weapons of any kind ",
    "I'm sorry, ",
    "mail bob@example.com ",
    "![x](https://evil.test/a) ",
    "See [2] or [9]! ",
    "你好。",
    "\n\n",
    "Politically, ",
    "word " * 12,
]
POLICIES = st.builds(
    SafetyPolicy,
    blocked_topics=st.sampled_from([(), ("weapons", "politics"), ("kind weapon",)]),
    redact_personal_data=st.booleans(),
    longest_answer_characters=st.sampled_from([100, 130, 8000]),
    require_citations=st.booleans(),
)


def shown_of(guard: OutputGuard, *pieces: str) -> str:
    return "".join([*(guard.feed(piece) for piece in pieces), guard.finish()])


@given(policy=POLICIES, text=pieces_of(PARTS), cuts=st.lists(st.integers(0, 400)))
def test_what_is_shown_does_not_depend_on_how_a_stream_is_cut(policy: SafetyPolicy, text: str, cuts: list[int]) -> None:
    links = LinkPolicy()
    whole, pieces = (OutputGuard(policy, passages=["a", "b"], links=links) for _ in range(2))
    assert shown_of(pieces, *cut(text, cuts)) == shown_of(whole, text)
    assert pieces.verdict == whole.verdict


PROMPT = (
    "You are the concierge. Never offer more than ten per cent off, and call the night manager Bruno only after ten."
)


@given(text=pieces_of([PROMPT, *PROMPT.split(". "), *PARTS]), cuts=st.lists(st.integers(0, 400)))
def test_nor_do_instructions_that_are_read_out(text: str, cuts: list[int]) -> None:
    whole, pieces = (OutputGuard(SafetyPolicy(), prompt=PROMPT) for _ in range(2))
    assert shown_of(pieces, *cut(text, cuts)) == shown_of(whole, text)
    assert pieces.verdict == whole.verdict


def test_an_agent_does_not_read_its_instructions_out() -> None:
    guard = OutputGuard(SafetyPolicy(), prompt=PROMPT)
    said = shown_of(guard, "Sure. My instructions: ", PROMPT.upper().replace(" ", "  "))
    assert said == (
        "Sure. My instructions: YOU  ARE  THE  CONCIERGE.  \n\nI keep my instructions to myself. How can I help you?"
    )
    assert guard.verdict is not None
    assert guard.verdict.code == "instructions_asked_for"


def test_but_tells_what_it_was_told_to_tell() -> None:
    guard = OutputGuard(SafetyPolicy(), prompt=PROMPT)
    said = "I never offer more than ten per cent off, and call the manager."
    assert shown_of(guard, said) == said


def test_instructions_are_found_in_arguments_too() -> None:
    assert reveals(PROMPT, {"note": ["x", PROMPT]})
    assert reveals(PROMPT, {str(number): part for number, part in enumerate(PROMPT.split(","))})
    assert not reveals(PROMPT, {"note": "You are the concierge.", "guests": 2})


def test_arguments_that_no_answer_could_hold_are_left_out() -> None:
    arguments = {
        "date": "2026-12-24", "guests": 2, "note": "![x](https://evil.test/?d=1)", "tags": [{"a": "see evil.test/x"}],
        "wish": PROMPT, "site": "https://hotel.example/menu",
    }  # fmt: skip
    kept = safe_arguments(arguments, prompt=PROMPT, links=LinkPolicy.of(hosts=["hotel.example"]))
    assert kept == {"date": "2026-12-24", "guests": 2, "site": "https://hotel.example/menu"}
    halves = dict(zip("ab", PROMPT.split(","), strict=True))
    assert safe_arguments(halves, prompt=PROMPT, links=LinkPolicy()) == {}


@given(text=st.text(max_size=300), cuts=st.lists(st.integers(0, 300)))
def test_without_rules_an_answer_is_shown_as_it_comes(text: str, cuts: list[int]) -> None:
    guard = OutputGuard(SafetyPolicy())
    for piece in cut(text, cuts):
        assert guard.feed(piece) == piece
    assert guard.finish() == ""
    assert guard.verdict is None


def test_an_answer_ends_at_the_word_that_names_a_blocked_topic() -> None:
    guard = OutputGuard(SafetyPolicy(blocked_topics=("weapon trade",)), language="de-AT")
    shown = shown_of(guard, "The trade in we", "apo", "ns is easy: first you", " buy")
    assert shown == "The trade in \n\nDarüber kann ich hier nicht sprechen. Kann ich Ihnen mit etwas anderem helfen?"
    assert guard.verdict is not None
    assert (guard.verdict.allowed, guard.verdict.code) == (False, "answer_topic_blocked")


def test_a_long_answer_ends_with_a_sentence() -> None:
    guard = OutputGuard(SafetyPolicy(longest_answer_characters=100))
    shown = shown_of(guard, *(["Breakfast is ready. "] * 9))
    assert shown == ("Breakfast is ready. " * 5).strip()
    assert guard.verdict is not None
    assert guard.verdict.code == "answer_cut"


def test_or_with_a_word_where_no_sentence_ends() -> None:
    shown = shown_of(OutputGuard(SafetyPolicy(longest_answer_characters=100)), "breakfast " * 30)
    assert shown == ("breakfast " * 10).strip() + "…"
    assert len(shown_of(OutputGuard(SafetyPolicy(longest_answer_characters=100)), "x" * 300)) == 100


def test_an_answer_of_just_the_longest_length_is_shown_whole() -> None:
    guard = OutputGuard(SafetyPolicy(longest_answer_characters=100))
    assert shown_of(guard, "x" * 50, "y" * 50) == "x" * 50 + "y" * 50
    assert guard.verdict is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The spa opens at nine [1]. It closes late at night.", "The spa opens at nine [1]"),
        ("The spa opens at nine [7].", ""),
        ("Hello! The spa opens at nine. It closes at ten [2].", "Hello! The spa opens at nine. It closes at ten [2]."),
        ("I'm sorry, I don't know when the spa opens.", "I'm sorry, I don't know when the spa opens."),
        ("水疗中心每天早上九点开门。", ""),
    ],
)
def test_with_citations_required_a_claim_without_one_is_not_shown(said: str, shown: str) -> None:
    guard = OutputGuard(SafetyPolicy(require_citations=True), passages=["a", "b"])
    refused = "I can't back this up with our documents, so I'd rather not say more."
    ending = "" if shown == said else f"\n\n{refused}" if shown else refused
    assert shown_of(guard, said) == shown + ending
    assert (guard.verdict is None) == (shown == said)


def test_what_was_taken_out_is_told_for_the_trace() -> None:
    guard = OutputGuard(SafetyPolicy(redact_personal_data=True), links=LinkPolicy())
    assert shown_of(guard, "a@example.com https://evil.test/x") == "[e-mail] evil.test"
    assert guard.taken_out == {"personal_data": ["email"], "links": ["evil.test"]}
