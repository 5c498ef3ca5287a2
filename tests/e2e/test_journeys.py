"""What a company's staff do on their first day, in a real browser."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Windows
from tests.e2e.staff import ask, counted, finished_answer, last_answer, open_playground, row_of, sign_in, upload
from tests.knowledge.pdfs import many_pages, typeset
from tests.model_server.process import ModelServer
from tests.platform_process import Company

NUMBERS = 100
COUNTING = f"stub-{NUMBERS}x40"  # four seconds of an answer
PATIENT = f"stub-{NUMBERS}x120"  # twelve, in which a busy machine finds the time to do something


@pytest.fixture(scope="module")
def counting_agent(agent_with_model: Callable[[str], str]) -> str:
    return agent_with_model(COUNTING)


@pytest.fixture(scope="module")
def patient_agent(agent_with_model: Callable[[str], str]) -> str:
    return agent_with_model(PATIENT)


def test_staff_sign_in_with_the_password_that_make_run_prints(windows: Windows, hotel: Company) -> None:
    page = windows.open()

    sign_in(page, hotel, password="not the password")
    expect(page.get_by_text("username and/or password you specified are not correct")).to_be_visible()

    sign_in(page, hotel)
    expect(page).to_have_title(re.compile("Home"))
    expect(page.get_by_role("link", name="Marina", exact=True)).to_be_visible()


def test_a_session_of_one_company_is_nothing_at_another(windows: Windows, hotel: Company, agency: Company) -> None:
    page = windows.open(hotel)
    # A browser keeps a cookie to its host; a thief doesn't.
    stolen = [{**cookie, "domain": agency.host} for cookie in page.context.cookies()]
    page.context.add_cookies(stolen)  # type: ignore[arg-type]

    page.goto(f"{agency.url}/admin/")

    expect(page).to_have_url(re.compile("/admin/login/"))


def test_a_document_is_uploaded_read_before_ones_eyes_and_answers_with_the_page_it_says(
    windows: Windows, hotel: Company, agency: Company, tmp_path: Path
) -> None:
    page = windows.open(hotel)
    token = uuid.uuid4().hex[:6]
    title = f"lighthouse-log-{token}"
    fact = f"The foghorn of {token} lighthouse is sounded by hand at 06:45 on the first Tuesday of a month."
    watches = [f"Watch {watch} of log {token}: wind {watch % 12} knots, nothing to report." for watch in range(150)]
    path = tmp_path / f"{title}.pdf"
    path.write_bytes(typeset(*watches[:41], f"Customs of the house\n{fact}", *watches[41:]))

    upload(page, hotel, path, collection="Staying with us")
    expect(page.get_by_text("1 document is being read")).to_be_visible()
    state = row_of(page, title)
    expect(state).not_to_have_attribute("data-status", "ready")
    page.evaluate("window.sameDocument = true")
    expect(state).to_have_attribute("data-status", "ready", timeout=60_000)
    expect(state.get_by_text("Ready")).to_be_visible()
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"

    question = f"When is the foghorn of {token} lighthouse sounded?"
    open_playground(page, hotel)
    ask(page, question)
    answer = finished_answer(page)
    expect(answer).to_contain_text(fact)
    with page.context.expect_page() as opened:
        answer.locator("a.sb-cite").first.click()
    viewer = opened.value
    expect(viewer.get_by_role("heading", name=title)).to_be_visible()
    expect(viewer.get_by_text("Page 42 of 151")).to_be_visible()
    expect(viewer.locator("mark")).to_contain_text(fact)
    drawn = viewer.get_by_role("img", name="Page 42")
    expect(drawn).to_be_visible()
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500

    elsewhere = windows.open(agency)
    open_playground(elsewhere, agency)
    ask(elsewhere, question)
    nothing = finished_answer(elsewhere)
    expect(nothing).not_to_contain_text("06:45")
    expect(nothing).to_contain_text("I found nothing in them that answers this")
    expect(nothing.locator("a.sb-cite")).to_have_count(0)


def test_a_page_that_is_reloaded_in_the_middle_of_an_answer_goes_on_with_every_word_once(
    windows: Windows, hotel: Company, patient_agent: str
) -> None:
    page = windows.open(hotel)
    open_playground(page, hotel, patient_agent)
    ask(page, "Count, please.")
    expect(last_answer(page)).to_contain_text(" 10@")

    page.reload()

    expect(last_answer(page)).to_contain_text(" 12@")
    assert len(counted(last_answer(page))) < NUMBERS
    assert counted(finished_answer(page)) == list(range(NUMBERS))
    page.reload()
    assert counted(finished_answer(page)) == list(range(NUMBERS))


def test_stop_stops_the_model_and_keeps_what_was_said(
    windows: Windows, hotel: Company, patient_agent: str, model_server: ModelServer
) -> None:
    page = windows.open(hotel)
    open_playground(page, hotel, patient_agent)
    ask(page, "Count, please.")
    expect(last_answer(page)).to_contain_text(" 5@")

    page.get_by_role("button", name="Stop").click()

    answer = finished_answer(page)
    expect(answer).to_contain_text("Stopped")
    said = counted(answer)
    assert said == list(range(len(said)))
    assert len(said) < NUMBERS
    stopped = time.monotonic()
    while model_server.requests()["abandoned"] != 1:
        assert time.monotonic() - stopped < 30, "the model goes on"
        time.sleep(0.1)
    page.reload()
    assert counted(finished_answer(page)) == said

    ask(page, "!say I am still here")
    expect(finished_answer(page)).to_contain_text("I am still here")


def test_two_browsers_on_one_conversation_see_the_same(windows: Windows, hotel: Company, counting_agent: str) -> None:
    here, there = windows.open(hotel), windows.open(hotel, theme="dark")
    open_playground(here, hotel, counting_agent)
    ask(here, "Count, please.")
    expect(last_answer(here)).to_contain_text(" 10@")

    there.goto(here.url)

    expect(there.locator("article.sb-contact")).to_have_text(re.compile("Count, please."))
    assert counted(finished_answer(there)) == list(range(NUMBERS))
    words = finished_answer(here).locator(".sb-words").inner_text()
    assert last_answer(there).locator(".sb-words").inner_text() == words


def test_a_protected_pdf_is_refused_with_a_sentence(windows: Windows, hotel: Company, tmp_path: Path) -> None:
    page = windows.open(hotel)
    path = tmp_path / "secret.pdf"
    path.write_bytes(typeset("Nobody reads this.", password="tide"))

    upload(page, hotel, path, collection="Staying with us")

    expect(page.get_by_text(re.compile(r"secret\.pdf: .*password"))).to_be_visible()
    windows.forgive("status of 422")
    page.goto(f"{hotel.url}/admin/knowledge/document/?q=secret")
    expect(row_of(page, "secret")).to_have_count(0)


def test_a_document_that_cannot_be_read_says_why(windows: Windows, hotel: Company, tmp_path: Path) -> None:
    page = windows.open(hotel)
    title = f"scan-{uuid.uuid4().hex[:6]}"
    path = tmp_path / f"{title}.pdf"
    path.write_bytes(many_pages(2 + uuid.uuid4().int % 50))

    upload(page, hotel, path, collection="Staying with us")

    state = row_of(page, title)
    expect(state).to_have_attribute("data-status", "failed", timeout=60_000)
    expect(state).to_contain_text("No text in it (a scan?)")
    page.get_by_role("link", name=title).click()
    expect(page.get_by_text("document_no_text")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name=re.compile("sure|Delete", re.IGNORECASE)).click()
    expect(row_of(page, title)).to_have_count(0)


def test_an_api_key_is_shown_once_works_and_ends_when_it_is_revoked(windows: Windows, hotel: Company) -> None:
    page = windows.open(hotel)
    name = f"website {uuid.uuid4().hex[:6]}"
    page.goto(f"{hotel.url}/admin/tenants/apikey/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("[data-key]").inner_text()

    def begin() -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return hotel.call("POST", "/api/v1/conversations", {"agent": hotel.agent_id}, headers=headers).status

    assert begin() == 201
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("row", name=re.compile(name))).to_contain_text(key[:10])
    assert key not in page.content()

    page.get_by_role("button", name=f"Revoke {name}").click()
    expect(page.get_by_text("is revoked")).to_be_visible()
    revoked = time.monotonic()
    while begin() != 401:
        assert time.monotonic() - revoked < 15
        time.sleep(0.2)
