"""The proof of a trail: each event's hash computed anew, each event held against the one before, the end against the
head.

Whoever can write to the database past its triggers could also write a whole chain anew. What shows that is a
checkpoint, position and hash of some moment, kept where they can't reach it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from tenants.audit.triggers import HASH
from tenants.context import use_schema

_BATCH: Final = 2_000
_BEFORE_ALL: Final = -(2**63)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a trail stood at some moment."""

    trail: str
    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.trail}:{self.position}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """A checkpoint as it was printed. Raises ValueError for what is none."""
        trail, position, digest = text.strip().split(":")
        return cls(trail, int(position), digest)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where."""

    position: int
    what: str

    def __str__(self) -> str:
        return f"{self.position}: {self.what}"


@dataclass(slots=True)
class Verdict:
    """How far a trail was read, and how it ended."""

    events: int = 0
    end: Checkpoint | None = None


def verify_trail(trail: str, verdict: Verdict, *, since: Checkpoint | None = None) -> Iterator[Fault]:
    """Read a trail in batches and yield what is wrong with it.

    Args:
        trail: the schema it is the trail of.
        verdict: filled in on the way.
        since: begin behind this checkpoint, which the trail must still hold.
    """
    with use_schema(trail):
        yield from _disabled_triggers()
        # The hash that the next event has to name; None where the one before isn't there to be named.
        previous: str | None = ""
        last, expected = _BEFORE_ALL, 1
        if since is not None:
            yield from _kept(since)
            last, expected, previous = since.position, since.position + 1, since.hash
        while True:
            rows = _batch(last)
            for position, named, digest, computed in rows:
                if position < expected:
                    yield Fault(position, "was put in: the chain has no such place")
                elif position > expected:
                    yield Fault(expected, _missing(expected, position - 1))
                    previous = None
                if digest != computed:
                    yield Fault(position, "was changed: its hash isn't that of what it says")
                if previous is not None and named != previous:
                    yield Fault(position, "doesn't follow the event before it, which was changed or replaced")
                previous, last, expected = digest, position, max(expected, position + 1)
            verdict.events += len(rows)
            if len(rows) < _BATCH:
                # In one look, for others write meanwhile.
                head, newest = _end()
                if newest is None or newest <= last:
                    break
        yield from _judged_end(head, max(expected - 1, 0), previous)
        verdict.end = Checkpoint(trail, max(expected - 1, 0), previous or "")


def _kept(since: Checkpoint) -> Iterator[Fault]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT hash, {HASH} FROM audit_auditevent WHERE "position" = %s', [since.position])  # noqa: S608
        row = cursor.fetchone()
    if row is None and since.position > 0:
        yield Fault(since.position, "is missing, though a checkpoint was taken of it")
    elif row is not None and set(row) != {since.hash}:
        yield Fault(since.position, "was changed since a checkpoint was taken of it")


def _batch(after: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "position", previous_hash, hash, {HASH} FROM audit_auditevent '  # noqa: S608
            'WHERE "position" > %s ORDER BY "position" LIMIT %s',
            [after, _BATCH],
        )
        return list(cursor.fetchall())


def _end() -> tuple[tuple[int, str] | None, int | None]:
    """The head, and the newest event's position."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT h."position", h.hash, newest."position" FROM '
            '(SELECT max("position") AS "position" FROM audit_auditevent) newest '
            "LEFT JOIN audit_chainhead h ON h.id = 1"
        )
        position, digest, newest = cursor.fetchone()
    return (None if position is None else (position, digest)), newest


def _judged_end(head: tuple[int, str] | None, last: int, digest: str | None) -> Iterator[Fault]:
    if head is None:
        if last:
            yield Fault(last, "is the last event, and the record of where the chain ends is gone")
    elif head[0] > last:
        yield Fault(last + 1, _missing(last + 1, head[0]) + " at the end")
    elif head[0] < last:
        yield Fault(head[0] + 1, f"was put in behind the chain's end, which is {head[0]}")
    elif head[1] != (digest or ""):
        yield Fault(last, "is the last event, and not the one that the chain ended with")


def _disabled_triggers() -> Iterator[Fault]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE c.relnamespace = current_schema()::regnamespace AND t.tgenabled = 'D' "
            "AND (t.tgname LIKE 'audit%%' OR c.relname LIKE 'audit%%') ORDER BY 1, 2"
        )
        for table, name in cursor.fetchall():
            yield Fault(0, f"nothing is written down of {table}: its trigger {name} is disabled")


def _missing(first: int, last: int) -> str:
    return "is missing" if first == last else f"is missing, with all up to {last}"
