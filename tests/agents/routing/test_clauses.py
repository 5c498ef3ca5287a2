"""Where a message is cut, and what is known without its meaning."""

from __future__ import annotations

import pytest

from agents.engine.routing.clauses import clauses_of
from agents.engine.routing.phrases import is_small_talk, is_vague, wants_a_person


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (
            "Is the spa open on Sunday, and book me a table for two at eight",
            ["Is the spa open on Sunday", "book me a table for two at eight"],
        ),
        ("Can I bring my dog? And do you have parking?", ["Can I bring my dog?", "do you have parking?"]),
        ("A room please; also, what does parking cost", ["A room please", "what does parking cost"]),
        ("Wann ist Frühstück und gibt es Parkplätze?", ["Wann ist Frühstück", "gibt es Parkplätze?"]),
        ("a table for two and a baby chair", ["a table for two and a baby chair"]),
        ("at 8 p.m. for two", ["at 8 p.m. for two"]),
        ("am 3. Mai um acht", ["am 3. Mai um acht"]),
        ("Do you have bread and butter?", ["Do you have bread and butter?"]),
        ("", [""]),
        ("? ! ;", ["? ! ;"]),
    ],
)  # fmt: skip
def test_a_message_is_cut_where_another_wish_begins(text: str, clauses: list[str]) -> None:
    assert clauses_of(text) == clauses


def test_a_message_of_very_many_clauses_is_one() -> None:
    text = "what is this? " * 50
    assert clauses_of(text) == [text.strip()]


@pytest.mark.parametrize(
    "text",
    ["I want to talk to a human", "get me your manager please, a real person", "agent please", "This is outrageous!",
     "Ich möchte mit einem Mitarbeiter sprechen", "Je veux parler à quelqu'un", "can someone call me back?",
     "THIS IS THE THIRD TIME I ASK!!!", "Quiero hablar con una persona"],
)  # fmt: skip
def test_who_wants_a_person_is_heard(text: str) -> None:
    assert wants_a_person(text)


@pytest.mark.parametrize(
    "text",
    ["Is the spa open?", "a table for two people", "Can I talk about prices?",
     "Do you have a person of contact for weddings?",
     "I need a room for one person", "WIFI?", "book a table for 3 people please"],
)  # fmt: skip
def test_other_people_are_no_wish_for_a_person(text: str) -> None:
    assert not wants_a_person(text)


@pytest.mark.parametrize(
    "text", ["Hello!", "thanks a lot", "How are you?", "Guten Tag", "are you a robot?", "Merci beaucoup"]
)
def test_small_talk(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize("text", ["", "8", "Hello, is the spa open?", "Are you open?", "a table", "Anna"])
def test_no_small_talk(text: str) -> None:
    assert not is_small_talk(text)


def test_what_names_no_matter_is_vague() -> None:
    assert is_vague("I have a question")
    assert is_vague("How much is it?")
    assert not is_vague("How much is a room?")
    assert not is_vague("")
