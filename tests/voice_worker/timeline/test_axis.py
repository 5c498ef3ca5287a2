"""Where things stand on the time axis, and how long answers took."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.voice_worker.timeline.talk import said
from voice_worker.models import TimelineEntry
from voice_worker.timeline.answers import answers_of, median
from voice_worker.timeline.axis import axis_of, clock


def row(kind: str, at: int, until: int | None = None, turn: uuid.UUID | None = None, **data: Any) -> TimelineEntry:
    return TimelineEntry(kind=kind, at_ms=at, until_ms=until, turn_id=turn, data=data)


def rows(*entries: Any) -> list[TimelineEntry]:
    return [row(entry.kind, entry.at_ms, entry.until_ms, entry.turn_id, **entry.data) for entry in entries]


def test_bars_stand_where_they_happened() -> None:
    axis = axis_of([row("llm", 500, 1500), row("user_speech", 0, 250), row("state", 1000)], least_ms=2000)
    places = {lane.kind: [(bar.x, bar.width, bar.is_moment) for bar in lane.bars] for lane in axis.lanes}
    assert places == {
        "user_speech": [(0, 12.5, False)],
        "llm": [(25, 50, False)],
        "state": [(50, 0.05, True)],
    }
    assert [lane.kind for lane in axis.lanes] == ["user_speech", "llm", "state"]
    assert axis.length_ms == 2000


def test_nothing_stands_beyond_the_end() -> None:
    axis = axis_of([row("state", 60_000), row("agent_speech", 59_999, 60_000)])
    assert all(bar.x + bar.width <= 100.0001 for lane in axis.lanes for bar in lane.bars)


@pytest.mark.parametrize("length", [1, 900, 8_000, 60_000, 3_600_000, 2**31 - 1])
def test_an_axis_of_any_length_has_a_few_marks(length: int) -> None:
    ticks = axis_of([row("state", 0)], least_ms=length).ticks
    assert 1 <= len([tick for tick in ticks if tick.zoom == 1]) <= 9
    assert len(ticks) <= 160
    assert ticks[0].label == "0:00"


def test_data_of_any_shape_is_drawn() -> None:
    entries = [row("error", 5), row("tool", 6, ok="x", name=7, first_token_ms="x"), row("vision", 7, frames=[1])]
    entries[0].data = ["no", "object"]
    assert [bar.words for bar in axis_of(entries).bars] == ["", "", ""]


def test_a_clock_reads_as_people_read_it() -> None:
    assert [clock(at) for at in (0, 7_250, 67_000, 3_727_000)] == ["0:00", "0:07.2", "1:07", "1:02:07"]


def test_each_answer_tells_how_long_it_took() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    answers = answers_of(rows(*said(one, 500), *said(two, 9000, interrupted=True)))
    assert [answer.turn_id for answer in answers] == [one, two]
    for answer in answers:
        took = (answer.to_transcript, answer.to_first_token, answer.to_first_audio, answer.total)
        assert took == (180, 240, 130, 550)
    assert [answer.question for answer in answers] == ["When is breakfast <500>?", "When is breakfast <9000>?"]
    assert [answer.is_interrupted for answer in answers] == [False, True]
    assert median(answers) == 550


def test_what_nobody_noted_is_not_made_up() -> None:
    turn = uuid.uuid4()
    (answer,) = answers_of(rows(*said(turn, 500)[4:]))
    assert (answer.to_transcript, answer.to_first_token, answer.to_first_audio, answer.total) == (None,) * 4
    assert median([answer]) is None


def test_the_end_of_speech_is_told_by_the_sound_where_it_is_known() -> None:
    turn = uuid.uuid4()
    *before, spoken, error = rows(*said(turn, 500))
    spoken.data["e2e_latency_ms"] = 700
    (answer,) = answers_of([*before, spoken, error])
    assert (answer.to_transcript, answer.total) == (330, 700)


def test_a_silence_belongs_to_one_answer_alone() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    answers = answers_of([*rows(*said(one, 500)), row("llm", 9000, 9500, two, first_token_ms=100)])
    assert answers[1].silent_at is None
    assert answers[1].question == ""
