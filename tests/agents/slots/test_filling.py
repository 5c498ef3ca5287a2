"""What messages fill of a tool's arguments."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agents.engine.slots import fill
from agents.engine.slots.filling import Filled

SATURDAY = dt.date(2026, 11, 21)
TABLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "date": {"type": "string", "format": "date", "title": "Day"},
        "time": {"type": "string", "pattern": r"^\d\d:\d\d$", "title": "Time", "x-prefer": "evening"},
        "party_size": {"type": "integer", "minimum": 1, "maximum": 12, "title": "People"},
        "name": {"type": "string", "maxLength": 80, "title": "Name"},
        "email": {"type": "string", "format": "email"},
        "phone": {"type": "string", "format": "phone"},
        "area": {
            "type": "string",
            "enum": ["terrace", "indoors"],
            "x-synonyms": {"terrace": ["outside", "draußen"], "indoors": ["inside", "drinnen"]},
        },
        "baby_chair": {"type": "boolean", "x-synonyms": {"true": ["baby chair", "high chair"]}},
        "notes": {"type": "string", "title": "Wishes"},
    },
    "required": ["date", "time", "party_size", "name"],
}


def filled(text: str, asked: str | None = None, schema: dict[str, Any] = TABLE, **known: Any) -> Filled:
    return fill(schema, text, known=known, asked=asked, today=SATURDAY, tz=dt.UTC)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("book me a table for two at eight", {"party_size": 2, "time": "20:00"}),
        (
            "Tomorrow at 8pm for 4, my name is anna miller",
            {"date": "2026-11-22", "time": "20:00", "party_size": 4, "name": "Anna Miller"},
        ),
        (
            "we are three, half past seven next Friday, outside",
            {"date": "2026-11-27", "time": "19:30", "party_size": 3, "area": "terrace"},
        ),
        ("tonight for me and my wife", {"date": "2026-11-21", "party_size": 2}),
        ("a table for two and a baby chair", {"party_size": 2, "baby_chair": True}),
        ("5/3 at quarter to eight", {"date": "2027-03-05", "time": "19:45"}),
        ("sunday the 22nd, 1pm", {"date": "2026-11-22", "time": "13:00"}),
        ("May 3rd for 2 people at 20", {"date": "2027-05-03", "time": "20:00", "party_size": 2}),
        ("may 2 people come at 8?", {"time": "20:00", "party_size": 2}),
        ("breakfast at eight in the morning tomorrow", {"date": "2026-11-22", "time": "08:00"}),
        ("not the terrace please, inside", {"area": "indoors"}),
        (
            "table for 4 on 3 May 2027 at 19:00, under Smith, +44 20 7946 0958, s@b.co",
            {
                "date": "2027-05-03",
                "time": "19:00",
                "party_size": 4,
                "name": "Smith",
                "phone": "+442079460958",
                "email": "s@b.co",
            },
        ),
        (
            "Einen Tisch für zwei Personen morgen um halb acht auf den Namen Müller",
            {"date": "2026-11-22", "time": "19:30", "party_size": 2, "name": "Müller"},
        ),
        ("Wir sind zu dritt, am 3. Mai um 20 Uhr 30", {"date": "2027-05-03", "time": "20:30", "party_size": 3}),
        ("Guten Morgen, ein Tisch für heute Abend um 7", {"date": "2026-11-21", "time": "19:00"}),
        ("um 8 am Freitag für 3, draußen", {"date": "2026-11-27", "time": "20:00", "party_size": 3, "area": "terrace"}),
        (
            "Une table pour deux demain à 20h30 au nom de Dupont",
            {"date": "2026-11-22", "time": "20:30", "party_size": 2, "name": "Dupont"},
        ),
        (
            "vendredi prochain à sept heures et demie, nous serons six",
            {"date": "2026-11-27", "time": "19:30", "party_size": 6},
        ),
        ("Is there parking?", {}),
        ("I'm happy to come, what do you serve?", {}),
    ],
)
def test_a_message_fills_what_it_says_and_no_more(text: str, values: dict[str, Any]) -> None:
    assert filled(text).values == values


@pytest.mark.parametrize(
    ("asked", "text", "value"),
    [
        ("time", "eight", "20:00"),
        ("time", "7:30", "19:30"),
        ("time", "seven thirty", "19:30"),
        ("party_size", "2", 2),
        ("party_size", "vier", 4),
        ("party_size", "there will be five", 5),
        ("date", "the 3rd", "2026-12-03"),
        ("name", "Anna Miller", "Anna Miller"),
        ("name", "it's miller, thanks", "Miller"),
        ("name", "Jean-Luc O'Neill", "Jean-Luc O'Neill"),
        ("email", "anna dot miller at example dot com", "anna.miller@example.com"),
        ("baby_chair", "yes please", True),
        ("baby_chair", "no", False),
        ("area", "Inside", "indoors"),
        ("notes", "A quiet corner", "A quiet corner"),
    ],
)
def test_a_bare_answer_counts_for_what_was_asked(asked: str, text: str, value: Any) -> None:
    assert filled(text, asked).values == {asked: value}
    assert filled(text, asked).found == {asked}


@pytest.mark.parametrize("text", ["eight", "Anna Miller", "4", "A quiet corner", "yes"])
def test_a_bare_answer_means_nothing_where_nothing_was_asked(text: str) -> None:
    assert filled(text).values == {}


@pytest.mark.parametrize("text", ["What do you need that for?", "Can I tell you later?", "no idea, 12 or so?"])
def test_a_question_back_is_no_name(text: str) -> None:
    assert "name" not in filled(text, "name").values


@pytest.mark.parametrize(
    ("text", "field", "why"),
    [
        ("31 February at 7", "date", "no_such_date"),
        ("on 2025-01-01", "date", "past"),
        ("a table for 40 people", "party_size", "refused"),
        ("Friday or Sunday", "date", "several"),
        ("at seven or at eight", "time", "several"),
        ("inside or outside?", "area", "several"),
    ],
)
def test_what_cannot_be_taken_is_unclear_and_has_no_value(text: str, field: str, why: str) -> None:
    reading = filled(text)
    assert reading.unclear == {field: why}
    assert field not in reading.values


def test_what_is_required_and_not_known_is_missing_in_order() -> None:
    assert filled("a table for two").missing == ("date", "time", "name")
    reading = filled("Friday", "date", time="20:00", party_size=2)
    assert reading.missing == ("name",)
    assert reading.values == {"date": "2026-11-27", "time": "20:00", "party_size": 2}
    assert reading.found == {"date"}


def test_a_correction_goes_before_what_was_known() -> None:
    known = {"date": "2026-11-27", "time": "20:00", "party_size": 2, "name": "Miller"}
    assert filled("no, at nine instead", **known).values == {**known, "time": "21:00"}
    assert filled("at eight, sorry, at nine").values == {"time": "21:00"}
    corrected = filled("on 31.02., no, on 3 May")
    assert (corrected.values, corrected.unclear) == ({"date": "2027-05-03"}, {})


def test_one_of_several_is_enough() -> None:
    reach = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "email": {"format": "email"}, "phone": {"format": "phone"}},
        "required": ["name"],
        "anyOf": [{"required": ["email"]}, {"required": ["phone"]}],
    }
    assert filled("my name is Anna", schema=reach).missing == ("email",)
    assert filled("0171 2345678", "email", schema=reach, name="Anna").missing == ()


def test_two_days_go_to_the_first_and_the_last_night() -> None:
    stay = {
        "type": "object",
        "properties": {
            "check_in": {"type": "string", "format": "date", "x-cues": ["from", "arriving"]},
            "check_out": {"type": "string", "format": "date", "x-cues": ["to", "until", "leaving"]},
            "nights": {"type": "integer", "x-cues": ["nights", "night", "Nächte"]},
            "adults": {"type": "integer", "x-cues": ["adults", "Erwachsene"]},
            "children": {"type": "integer", "x-cues": ["children", "child", "kids"]},
        },
    }
    assert filled("two adults and 1 child from 3 May to 6 May", schema=stay).values == {
        "check_in": "2027-05-03",
        "check_out": "2027-05-06",
        "adults": 2,
        "children": 1,
    }
    assert filled("three nights, leaving on Friday", schema=stay).values == {"nights": 3, "check_out": "2026-11-27"}


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", "2026-11-21"),
        ("this Saturday", "2026-11-21"),
        ("Saturday", "2026-11-28"),
        ("next Monday", "2026-11-23"),
        ("next Saturday", "2026-11-28"),
        ("Friday week", "2026-12-04"),
        ("the day after tomorrow", "2026-11-23"),
        ("in three days", "2026-11-24"),
        ("in einer Woche", "2026-11-28"),
        ("Sunday 3 January", "2027-01-03"),
        ("1st of December", "2026-12-01"),
        ("the third of May", "2027-05-03"),
        ("12/24/2026", "2026-12-24"),
        ("24.12.", "2026-12-24"),
        ("24.12.26", "2026-12-24"),
        ("am dritten Mai", "2027-05-03"),
        ("le 1er mai", "2027-05-01"),
        ("29 February", "2028-02-29"),
        ("20 November", "2027-11-20"),
    ],
)
def test_days_are_looked_for_ahead(said: str, day: str) -> None:
    assert filled(f"a table for two, {said}").values["date"] == day


@pytest.mark.parametrize(
    ("prefer", "said", "clock"),
    [
        ("evening", "at eight", "20:00"),
        ("evening", "at 12", "12:00"),
        ("evening", "at 08:00", "08:00"),
        ("evening", "at 11am", "11:00"),
        ("morning", "at eight", "08:00"),
        ("day", "at three", "15:00"),
        ("day", "at nine", "09:00"),
        ("", "at eight", "08:00"),
        ("", "at eight in the evening", "20:00"),
        ("", "um acht Uhr abends", "20:00"),
        ("", "à huit heures du soir", "20:00"),
        ("", "at midnight", "00:00"),
        ("evening", "dreiviertel acht", "19:45"),
        ("evening", "ten to nine", "20:50"),
        ("evening", "half eight", "20:30"),
    ],
)
def test_eight_is_in_the_evening_where_dinner_is_served(prefer: str, said: str, clock: str) -> None:
    schema = {"type": "object", "properties": {"time": {"type": "string", "format": "time", "x-prefer": prefer}}}
    assert fill(schema, said, known={}, asked=None, today=SATURDAY, tz=dt.UTC).values == {"time": clock}


def test_a_moment_has_the_contact_s_time_zone() -> None:
    schema = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
    zone = dt.timezone(dt.timedelta(hours=2))
    reading = fill(schema, "tomorrow at 15:00", known={}, asked=None, today=SATURDAY, tz=zone)
    assert reading.values == {"at": "2026-11-22T15:00:00+02:00"}


@pytest.mark.parametrize(
    "text",
    ["a " * 5_000, "1 " * 5_000, "-" * 9_000, "for " * 3_000, "at 1 " * 2_000, "a.a@" * 3_000, "dot at " * 2_000,
     "\x00" * 5_000, "İ" * 5_000, "31" * 4_000, "my name is " * 1_000, "may 1 " * 1_500],
)  # fmt: skip
def test_no_message_takes_long(text: str) -> None:
    started = time.process_time()
    filled(text, "email")
    filled(text, "name")
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": {"a": True, "b": {"$ref": "#/nowhere"}, "c": {"type": "object"}, "d": {"type": ["null"]}}},
        {
            "properties": {"a": {"enum": [1, None, "x"]}, "b": {"x-synonyms": "no"}, "c": {"x-cues": 3}},
            "required": ["z"],
        },
    ],
)
def test_an_odd_schema_is_no_fault(schema: dict[str, Any]) -> None:
    reading = filled("tomorrow x for two at eight", schema=schema)
    assert reading.missing == tuple(schema.get("required", ()))


_WORDS = """
for two at eight pm 8 20:00 3 May first next Friday this sun on the 15th in a week tomorrow um halb
acht vor uhr 31.02. 99/99/9999 2026-13-45 0000-00-00 half past to 24:00 25 my name is I'm Anna a@b.c
not no yes , ? : İ \x00 999999999999999999 in 99999999999 days le 31 à demi heures 29 february le
1er zu zweit sorry actually
"""


@given(
    words=st.lists(st.sampled_from(_WORDS.split()), max_size=14),
    asked=st.sampled_from([None, *TABLE["properties"]]),
    today=st.sampled_from([SATURDAY, dt.date.max, dt.date.min, dt.date(2028, 2, 29)]),
)
def test_no_words_are_a_fault(words: list[str], asked: str | None, today: dt.date) -> None:
    reading = fill(TABLE, " ".join(words), known={}, asked=asked, today=today, tz=dt.UTC)
    for field, value in reading.values.items():
        Draft202012Validator(TABLE["properties"][field]).validate(value)
        assert field not in reading.missing
