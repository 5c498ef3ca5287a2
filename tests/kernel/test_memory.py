"""What a process remembers of the database."""

from __future__ import annotations

import math

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
