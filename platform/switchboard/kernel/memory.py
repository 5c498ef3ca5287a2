"""Answers of the database that a process remembers for a moment."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from switchboard.kernel.database import OUTAGES, in_database

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Remembers what `load` answered. Bounded, so that made-up names can't fill a process.

    Args:
        load: queries the database; what it raises is not remembered.
        seconds: how long an answer is believed; `inf` for what never changes.
        most: answers kept; the oldest go first.
        outage_seconds: how long an answer is believed while the database is away; 0: no longer than ever.
    """

    def __init__(
        self, load: Callable[[K], V], *, seconds: float, most: int = 10_000, outage_seconds: float = 0.0
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._most = most
        self._outage_seconds = outage_seconds
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def find(self, name: K) -> V:
        """The answer, from memory or the database."""
        known = self._answers.get(name)
        return known[1] if known and known[0] >= time.monotonic() else self._ask(name)

    async def find_async(self, name: K) -> V:
        """The same from async code: no thread is troubled for what is known."""
        known = self._answers.get(name)
        return known[1] if known and known[0] >= time.monotonic() else await in_database(self._ask, name)

    def recall(self, name: K) -> V | None:
        """The answer, where it is known and still believed; never asks."""
        known = self._answers.get(name)
        return known[1] if known and known[0] >= time.monotonic() else None

    def forget(self) -> None:
        """Ask the database again from here on."""
        self._answers.clear()

    def _ask(self, name: K) -> V:
        try:
            value = self._load(name)
        except OUTAGES:
            known = self._answers.get(name)
            if known is None or time.monotonic() - known[0] > self._outage_seconds:
                raise
            return known[1]
        self._answers[name] = (time.monotonic() + self._seconds, value)
        self._answers.move_to_end(name)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return value
