"""What staff do in the admin, in their words."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.platform_process import Company


def sign_in(page: Page, company: Company, *, password: str | None = None) -> None:
    """Sign in at a company's admin, with the password of `demo.json` unless another is given."""
    page.goto(f"{company.url}/admin/")
    page.get_by_label("Username").fill(company.staff_user)
    page.get_by_label("Password").fill(company.staff_password if password is None else password)
    page.get_by_role("button", name=re.compile("^(Log|Sign) in$")).click()
    page.wait_for_load_state()


def open_playground(page: Page, company: Company, agent_id: str | None = None, *, conversation: str = "") -> None:
    """The Playground of an agent; of the company's own if none is named."""
    query = f"?conversation={conversation}" if conversation else ""
    page.goto(f"{company.url}/admin/agents/agent/{agent_id or company.agent_id}/playground/{query}")


def ask(page: Page, question: str) -> None:
    """Ask in the Playground, and don't wait."""
    page.get_by_label("Your message").fill(question)
    page.get_by_role("button", name="Send").click()


def last_answer(page: Page) -> Locator:
    """The agent's latest answer, complete or not."""
    return page.locator("article.sb-agent").last


def finished_answer(page: Page, *, seconds: float = 60) -> Locator:
    """The agent's latest answer, once it is complete."""
    expect(page.get_by_role("button", name="Stop")).to_be_hidden(timeout=seconds * 1000)
    answer = last_answer(page)
    expect(answer).not_to_have_attribute("aria-busy", "true")
    return answer


def counted(answer: Locator) -> list[int]:
    """The numbers that the stub model has said, in order: its tokens are ` 0@…`, ` 1@…`."""
    return [int(number) for number in re.findall(r"(\d+)@\d+", answer.locator(".sb-words").inner_text())]


def upload(page: Page, company: Company, path: Path, *, collection: str) -> None:
    """Send a file by the upload page."""
    page.goto(f"{company.url}/admin/knowledge/document/add/")
    page.get_by_label("Collection").select_option(label=collection)
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_load_state()


def row_of(page: Page, title: str) -> Locator:
    """A document's state in the list."""
    return page.locator("tr", has_text=title).locator("[data-document]")
