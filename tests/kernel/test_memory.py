"""What a process remembers of the database."""

from __future__ import annotations

import math

import pytest
from django.db import OperationalError

from switchboard.kernel.memory import Memory


class Asked:
    """A database that counts what it is asked."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def __call__(self, name: str) -> str | None:
        self.questions.append(name)
        return None if name == "nobody" else name.upper()


def test_an_answer_is_asked_for_once_and_nothing_is_an_answer_too() -> None:
    asked = Asked()
    memory = Memory(asked, seconds=math.inf)

    assert [memory.find("a"), memory.find("a"), memory.find("nobody"), memory.find("nobody")] == ["A", "A", None, None]
    assert asked.questions == ["a", "nobody"]


def test_an_answer_grows_old() -> None:
    asked = Asked()
    memory = Memory(asked, seconds=-1)

    memory.find("a")
    memory.find("a")

    assert asked.questions == ["a", "a"]


def test_made_up_names_cannot_fill_a_process() -> None:
    asked = Asked()
    memory = Memory(asked, seconds=math.inf, most=3)

    for name in ("a", "b", "c", "d", "d", "a"):
        memory.find(name)

    assert asked.questions == ["a", "b", "c", "d", "a"]


async def test_async_code_asks_the_same_memory() -> None:
    asked = Asked()
    memory = Memory(asked, seconds=math.inf)

    assert await memory.find_async("a") == memory.find("a") == "A"
    assert asked.questions == ["a"]


def test_what_is_known_is_believed_for_a_while_when_the_database_is_away() -> None:
    answers = iter(["first", OperationalError("away"), OperationalError("away"), "second"])

    def load(name: str) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    memory = Memory(load, seconds=0.0, outage_seconds=60.0)

    assert memory.find("a") == "first"
    assert memory.find("a") == "first"
    with pytest.raises(OperationalError):
        memory.find("b")
    assert memory.find("a") == "second"
