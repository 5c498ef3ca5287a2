"""What is put on a session's time axis, and what is kept of it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from tests.query_count import queries_of
from tests.voice_worker.timeline.factories import VoiceSessionFactory
from voice_worker.domain.timeline import MOST_BYTES, MOST_CHARACTERS, Entry, record_entries
from voice_worker.models import TimelineEntry


def kept(data: Any) -> Any:
    session = VoiceSessionFactory.create()
    record_entries(session_id=session.pk, entries=[Entry("event", 7, data=data)])
    return TimelineEntry.objects.get(session=session).data


def test_many_entries_are_one_statement(in_harbour: Any) -> None:
    session = VoiceSessionFactory.create()
    turn = uuid.uuid4()
    entries = [Entry("llm", at, at + 5, turn, {"model": "small-1"}) for at in range(100)]
    assert queries_of(lambda: record_entries(session_id=session.pk, entries=entries)) == 1
    rows = list(TimelineEntry.objects.filter(session=session).order_by("at_ms"))
    assert [(row.at_ms, row.until_ms, row.turn_id) for row in rows] == [(at, at + 5, turn) for at in range(100)]
    assert queries_of(lambda: record_entries(session_id=session.pk, entries=[])) == 0


def test_entries_that_are_sent_twice_are_there_once(in_harbour: Any) -> None:
    session = VoiceSessionFactory.create()
    entries = [Entry("tool", 10), Entry("tool", 20)]
    for _ in range(2):
        record_entries(session_id=session.pk, entries=entries)
    assert TimelineEntry.objects.filter(session=session).count() == 2


def test_somebody_elses_transaction_waits_for_the_disk(in_harbour: Any) -> None:
    session = VoiceSessionFactory.create()

    def waits() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('synchronous_commit')")
            return str(cursor.fetchone()[0])

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'on'")
        record_entries(session_id=session.pk, entries=[Entry("tool", 10)])
        assert waits() == "on", "what else is in it must not be lost"


def test_moments_stay_on_the_axis(in_harbour: Any) -> None:
    session = VoiceSessionFactory.create()
    record_entries(session_id=session.pk, entries=[Entry("tts", -5, -9), Entry("llm", 2**40, 7)])
    found = TimelineEntry.objects.filter(session=session).order_by("at_ms").values_list("at_ms", "until_ms")
    assert list(found) == [(0, 0), (2**31 - 1, 2**31 - 1)]


def test_long_texts_are_cut(in_harbour: Any) -> None:
    text = kept({"text": "ä" * 5000})["text"]
    assert (len(text), text[-1]) == (MOST_CHARACTERS, "…")


def test_no_data_is_larger_than_it_may_be(in_harbour: Any) -> None:
    found = kept({**{f"text{number}": "x" * 1900 for number in range(49)}, "zz": "kept"})
    assert len(json.dumps(found)) <= MOST_BYTES + 20
    assert found["zz"] == "kept"
    assert found["cut"] is True


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"a": float("nan"), "b": float("inf")}, {"a": None, "b": None}),
        ({"a": "NUL\x00 and \ud800"}, {"a": "NUL and ?"}),
        ({"a": 10**40, "b": 10**9000}, {"a": "1" + "0" * 40, "b": None}),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, {"a": {"b": {"c": {"d": "…"}}}}),
        ({"a": list(range(99))}, {"a": list(range(50))}),
        ({"a": uuid.UUID(int=7), 5: True}, {"a": str(uuid.UUID(int=7)), "5": True}),
        ({"a\x00": b"raw"}, {"a": "b'raw'"}),
    ],
)
def test_what_json_cant_hold_is_told_in_what_it_can(in_harbour: Any, data: Any, wanted: Any) -> None:
    assert kept(data) == wanted
