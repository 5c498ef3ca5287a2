"""The demo companies' documents: the committed files are what the sources give, and hold what the questions ask for."""

from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import yaml

from switchboard.demo.companies import DemoCompany, load_companies
from switchboard.demo.write_documents import render_company

QUESTIONS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text(encoding="utf-8"))
COMPANIES = {company.slug: company for company in load_companies()}
companies = pytest.mark.parametrize("company", COMPANIES.values(), ids=COMPANIES.keys())


@cache
def pages(path: Path) -> tuple[str, ...]:
    """A file's text by page, each run of white space made one space: a line may break anywhere."""
    if path.suffix != ".pdf":
        return (" ".join(path.read_text(encoding="utf-8").split()),)
    pdf = pypdfium2.PdfDocument(path)
    try:
        return tuple(" ".join(page.get_textpage().get_text_range().split()) for page in pdf)
    finally:
        pdf.close()


@companies
def test_rendering_again_gives_the_committed_bytes(company: DemoCompany) -> None:
    rendered = render_company(company.slug)
    committed = {path.name: path.read_bytes() for path in company.documents_folder.iterdir()}
    assert rendered.keys() == committed.keys()
    for name, data in rendered.items():
        assert data == committed[name], f"{name} is stale: run python platform/switchboard/demo/write_documents.py"


@companies
def test_every_document_opens_has_text_on_each_page_and_is_small(company: DemoCompany) -> None:
    for path in company.documents_folder.iterdir():
        assert path.stat().st_size < 150_000, path.name
        for number, text in enumerate(pages(path), 1):
            assert len(text) > 300, f"{path.name}, page {number}"


@companies
def test_every_document_belongs_to_exactly_one_collection(company: DemoCompany) -> None:
    listed = [document.file for collection in company.collections for document in collection.documents]
    assert sorted(listed) == sorted(path.name for path in company.documents_folder.iterdir())


@companies
def test_a_company_has_several_long_pdfs_and_a_plain_page(company: DemoCompany) -> None:
    paths = list(company.documents_folder.iterdir())
    assert sum(path.suffix == ".pdf" for path in paths) >= 5
    assert sum(path.suffix in {".md", ".txt"} for path in paths) >= 1
    assert sum(len(pages(path)) >= 3 for path in paths) >= 4


ANSWERABLE = [
    pytest.param(COMPANIES[slug], entry, id=f"{slug}: {entry['question'][:60]}")
    for slug, questions in QUESTIONS.items()
    for entry in questions["answerable"]
]


@pytest.mark.parametrize(("company", "entry"), ANSWERABLE)
def test_an_answerable_question_is_answered_on_the_page_it_names(company: DemoCompany, entry: dict[str, Any]) -> None:
    assert entry.keys() <= {"question", "language", "document", "page", "contains", "also"}
    for place in (entry, *entry.get("also", ())):
        found = pages(company.documents_folder / place["document"])
        assert (place["page"] is None) == (not place["document"].endswith(".pdf"))
        text = found[(place["page"] or 1) - 1]
        missing = [string for string in place["contains"] if string not in text]
        assert not missing, text


@companies
def test_there_are_enough_questions_of_both_kinds(company: DemoCompany) -> None:
    questions = QUESTIONS[company.slug]
    assert len(questions["answerable"]) >= 25
    assert len(questions["unanswerable"]) >= 12
    assert {entry["document"] for entry in questions["answerable"]} == {
        p.name for p in company.documents_folder.iterdir()
    }
    assert {entry["why"] for entry in questions["unanswerable"]} == {"other", "near", "far"}
    asked = [entry["question"] for kind in ("answerable", "unanswerable") for entry in questions[kind]]
    assert len(asked) == len(set(asked))
    # A question that the other company answers must not also be one that this company answers.
    others = {q["question"] for slug, kinds in QUESTIONS.items() if slug != company.slug for q in kinds["answerable"]}
    assert not others & {entry["question"] for entry in questions["answerable"]}
