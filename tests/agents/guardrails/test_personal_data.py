# ruff: noqa: RUF001 - characters that pass for others are what is tested
"""What is personal data, what only looks like it, and that a stream is read as a whole text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.guardrails.redaction import Redactor, personal_keys, redact
from tests.agents.guardrails.cuts import cut, pieces_of

PERSONAL = [
    ("Write to john.doe+spa@mail.example.com, please.", "Write to [e-mail], please."),
    ("jörg.müller@bücher.example and ивaн@почта.example", "[e-mail] and [e-mail]"),
    ("a@example.com;b@example.com", "[e-mail];[e-mail]"),
    ("Call +43 660 1234567 today.", "Call [phone] today."),
    ("Call 0043 (0)660/123 45 67 or (555) 234-5678.", "Call [phone] or [phone]."),
    ("01 42 68 53 00, 020 7946 0958, 030/1234567", "[phone], [phone], [phone]"),
    ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN [IBAN]."),
    ("GB82WEST12345698765432 and GB82 WEST 1234 5698 7654 32", "[IBAN] and [IBAN]"),
    ("de89370400440532013000", "[IBAN]"),
    ("It is 4111 1111 1111 1111, of course", "It is [card], of course"),
    ("room 12 5500-0000-0000-0004", "room 12 [card]"),
    ("４１１１ １１１１ １１１１ １１１１", "[card]"),
    ("٤١١١ ١١١١ ١١١١ ١١١١", "[card]"),
    ("4111\u200b1111\u200b1111\u200b1111", "[card]"),
    ("SSN 123-45-6789", "SSN [ID]"),
    ("DNI 12345678Z, NIE X1234567L", "DNI [ID], NIE [ID]"),
    ("CF RSSMRA85T10A562S", "CF [ID]"),
    ("AHV 756.9217.0769.85", "AHV [ID]"),
    ("NINO AB 12 34 56 C", "NINO [ID]"),
    ("Steuer-ID 86 095 742 719", "Steuer-ID [ID]"),
    ("PESEL 44051401359", "PESEL [ID]"),
    ("personnummer 811218-9876", "personnummer [ID]"),
    ("hetu 131052-308T", "hetu [ID]"),
    ("NIR 2 55 08 14 168 025 38", "NIR [ID]"),
]
HARMLESS = [
    "Open 07:00-11:00 on 01.02.2026 02.03.2026 and 2026-11-21 10:30.",
    "Room 1204, 2 nights at 130 EUR: 1.250,00 EUR or 12 345 678 credits.",
    "IBAN DE89370400440532013001 has a wrong check digit, 4111 1111 1111 1112 as well.",
    "Version 10.0.26100.1742, order AB-2026-000123, see page 12 [3].",
    "Twenty @ noon, user@localhost and 3 < 4.",
    "DNI 12345678A is misread.",
    "",
]


@pytest.mark.parametrize(("text", "shown"), PERSONAL)
def test_personal_data_is_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text) == text


@given(text=pieces_of([text for text, _ in PERSONAL] + HARMLESS), cuts=st.lists(st.integers(0, 400)))
def test_redaction_does_not_depend_on_how_a_stream_is_cut(text: str, cuts: list[int]) -> None:
    redactor = Redactor()
    shown = "".join([*(redactor.feed(piece) for piece in cut(text, cuts)), redactor.finish()])
    assert shown == redact(text)


@given(
    text=st.text(alphabet="0123456789 ABab@.-+()/\n,é٣", max_size=300),
    cuts=st.lists(st.integers(0, 300)),
)
def test_nor_for_numbers_and_addresses_without_sense(text: str, cuts: list[int]) -> None:
    redactor = Redactor()
    shown = "".join([*(redactor.feed(piece) for piece in cut(text, cuts)), redactor.finish()])
    assert shown == redact(text)


def test_prose_is_shown_but_for_the_word_that_is_being_written() -> None:
    redactor = Redactor()
    assert redactor.feed("The spa is op") == "The spa is "
    assert redactor.feed("en until 22") == "open until "
    assert redactor.feed(":00, then ") == "22:00, then "


def test_a_long_run_of_numbers_is_not_held_back_for_ever() -> None:
    redactor = Redactor()
    shown = redactor.feed("1 " * 500)
    assert len(shown) > 900


def test_the_company_s_own_number_stays_however_it_is_written() -> None:
    known = personal_keys(["Reception: +43 1 234 5678, desk@hotel.example"])
    redactor = Redactor(known)
    said = redactor.feed("Call +43 12345678 or desk@hotel.example, not +43 1 234 5679. ") + redactor.finish()
    assert said == "Call +43 12345678 or desk@hotel.example, not [phone]. "
    assert redactor.kinds == {"phone"}
