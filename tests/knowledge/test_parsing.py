"""Documents, honest and hostile, through the real child process."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from knowledge.parsing import DocumentUnreadable, ParsedDocument, ParseLimits, page_count, parse_document, render_page
from knowledge.parsing.cleaning import clean_text
from knowledge.parsing.paging import paginate
from tests.knowledge import pdfs


def _parse(folder: Path, data: bytes, *, name: str, limits: ParseLimits | None = None) -> ParsedDocument:
    path = folder / "upload"
    path.write_bytes(data)
    return parse_document(path, filename=name, limits=limits or ParseLimits())


def _refusal(folder: Path, data: bytes, *, name: str = "x.pdf", limits: ParseLimits | None = None) -> str:
    with pytest.raises(DocumentUnreadable) as caught:
        _parse(folder, data, name=name, limits=limits)
    assert caught.value.detail.endswith(".")
    assert _children() == []
    return caught.value.code


def _children() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children(recursive=True) if "knowledge.parsing" in " ".join(child.cmdline())
    ]


def test_a_pdf_gives_its_title_and_its_pages(tmp_path: Path) -> None:
    document = _parse(tmp_path, pdfs.typeset("Breakfast from 7\nto 10.30", "Café", title="House rules"), name="a.pdf")
    assert document.media_type == "application/pdf"
    assert document.title == "House rules"
    assert [(page.number, page.text) for page in document.pages] == [(1, "Breakfast from 7\nto 10.30"), (2, "Café")]


def test_a_pdf_without_a_title_is_called_after_its_file(tmp_path: Path) -> None:
    assert _parse(tmp_path, pdfs.typeset("x"), name="spa leaflet.pdf").title == "spa leaflet"


def test_an_empty_page_keeps_its_number(tmp_path: Path) -> None:
    document = _parse(tmp_path, pdfs.typeset("one", "", "three"), name="a.pdf")
    assert [page.text for page in document.pages] == ["one", "", "three"]


def test_words_broken_at_line_ends_are_joined(tmp_path: Path) -> None:
    content = b"BT /F 12 Tf 50 700 Td (an exam-) Tj 0 -14 Td (ple of so\\255ft Anglo-) Tj 0 -14 Td (Saxon) Tj ET"
    page = _parse(tmp_path, pdfs.one_page(pdfs.stream(content)), name="a.pdf").pages[0]
    assert "example" in page.text
    assert "\x02" not in page.text
    assert "Anglo-Saxon" in page.text


def test_progress_is_told_page_by_page(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.typeset("a", "b", "c"))
    told: list[tuple[int, int]] = []
    parse_document(path, filename="a.pdf", on_page=lambda page, pages: told.append((page, pages)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_callback_that_raises_ends_the_child(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.typeset("a", "b", "c"))

    def cancel(page: int, pages: int) -> None:
        raise KeyError("cancelled")

    with pytest.raises(KeyError, match="cancelled"):
        parse_document(path, filename="a.pdf", on_page=cancel)
    assert _children() == []


def test_time_the_caller_spends_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.typeset("a", "b"))
    limits = ParseLimits(wall_seconds=2)
    document = parse_document(path, filename="a.pdf", limits=limits, on_page=lambda page, pages: time.sleep(1.2))
    assert len(document.pages) == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "document_empty"),
        (pdfs.assemble(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"), "document_damaged"),
        (pdfs.typeset("secret", password="s3cret"), "document_encrypted"),
        (pdfs.typeset("whole")[:-400], "document_truncated"),
        (pdfs.typeset("whole")[:700], "document_truncated"),
        (b"%PDF-1.7\n" + os.urandom(5000), "document_truncated"),
        (b"%PDF-1.7\nrubbish\nstartxref\n99\n%%EOF\n", "document_damaged"),
        (pdfs.many_pages(10_000), "document_too_many_pages"),
        (pdfs.many_pages(3), "document_no_text"),
    ],
    ids=["empty", "no pages", "encrypted", "cut", "cut early", "header only", "damaged", "10,000 pages", "scanned"],
)
def test_an_unusable_pdf_is_refused_with_its_reason(tmp_path: Path, data: bytes, code: str) -> None:
    assert _refusal(tmp_path, data) == code


@pytest.mark.parametrize("bomb", [pdfs.decompression_bomb, pdfs.laughing_forms])
def test_a_bomb_ends_within_its_limits(tmp_path: Path, bomb: Callable[[], bytes]) -> None:
    hostile = bomb()
    assert len(hostile) < 100_000
    started = time.monotonic()
    code = _refusal(tmp_path, hostile, limits=ParseLimits(memory_bytes=256 << 20, wall_seconds=20))
    assert code in {"document_parse_memory", "document_parse_timeout", "document_too_large"}
    assert time.monotonic() - started < 60


def test_a_slow_document_is_killed_on_the_clock(tmp_path: Path) -> None:
    started = time.monotonic()
    assert _refusal(tmp_path, pdfs.typeset("x"), limits=ParseLimits(wall_seconds=0.01)) == "document_parse_timeout"
    assert time.monotonic() - started < 20


def test_the_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "slow.pdf"
    path.write_bytes(pdfs.laughing_forms(40))
    code = (
        "from pathlib import Path; from knowledge.parsing import ParseLimits, parse_document;"
        f"parse_document(Path({str(path)!r}), filename='slow.pdf', limits=ParseLimits(memory_bytes=8 << 30))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2])
    try:
        child = _wait_for(_children)[0]
        parent.kill()
        deadline = time.monotonic() + 30
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        parent.kill()
        parent.wait()


def _wait_for(condition: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while not (found := [process for process in condition() if "-I" in process.cmdline()]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_processor_time_is_limited_too(tmp_path: Path) -> None:
    limits = ParseLimits(cpu_seconds=1, memory_bytes=8 << 30, wall_seconds=60)
    assert _refusal(tmp_path, pdfs.laughing_forms(40), limits=limits) in {"document_parse_timeout", "document_damaged"}


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    small = ParseLimits(text_bytes=1000)
    assert _refusal(tmp_path, pdfs.typeset(*(["lots of words here"] * 100)), limits=small) == "document_too_large"
    assert _refusal(tmp_path, b"word " * 300, name="a.txt", limits=small) == "document_too_large"
    assert _refusal(tmp_path, b"word " * 300, name="a.txt", limits=ParseLimits(file_bytes=1000)) == "document_too_large"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x89PNG\r\n\x1a\n" + os.urandom(200), "invoice.pdf"),
        (b"PK\x03\x04" + os.urandom(200), "letter.txt"),
        (bytes(range(256)) * 20, "notes.txt"),
        (b"only words", "scan.pdf"),
        (b"a,b\n1,2\n", "table.csv"),
    ],
    ids=["image", "archive", "bytes", "words", "table"],
)
def test_the_type_is_told_by_the_content(tmp_path: Path, data: bytes, name: str) -> None:
    assert _refusal(tmp_path, data, name=name) == "document_type_unsupported"


def test_a_pdf_by_any_other_name_is_a_pdf(tmp_path: Path) -> None:
    assert _parse(tmp_path, pdfs.typeset("hello"), name="notes.txt").media_type == "application/pdf"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Das Frühstück gibt es von 7 bis 10 Uhr, „süß“, für 18 €, Café inklusive."
    assert _parse(tmp_path, text.encode(encoding), name="a.txt").pages[0].text == text


def test_nul_bytes_and_foreign_newlines_are_cleaned(tmp_path: Path) -> None:
    document = _parse(tmp_path, b"one\x00two\r\nthree\rfour  \n\n\n\n\n\nfive\xef\xbf\xbf", name="a.txt")
    assert document.pages[0].text == "onetwo\nthree\nfour\n\nfive"


def test_blanks_alone_are_an_empty_document(tmp_path: Path) -> None:
    assert _refusal(tmp_path, b" \n\t \x00 \n", name="a.txt") == "document_empty"


def test_markdown_takes_its_title_from_its_heading_and_its_pages_from_paragraphs(tmp_path: Path) -> None:
    source = "# The *house*\n\n" + "\n\n".join(f"## Rule {n}\n\n{'All guests are welcome. ' * 30}" for n in range(20))
    document = _parse(tmp_path, source.encode(), name="rules.md")
    assert (document.media_type, document.title) == ("text/markdown", "The *house*")
    assert len(document.pages) > 3
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
    assert all(len(page.text) <= 3100 for page in document.pages)
    assert all(not page.text.splitlines()[-1].startswith("#") for page in document.pages)


@given(st.text())
def test_clean_text_can_be_stored(text: str) -> None:
    cleaned = clean_text(text, join_hyphenated_lines=True)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert "\r" not in cleaned


@given(st.text(alphabet="ab .\n#", max_size=400), st.booleans(), st.integers(5, 60))
def test_paging_loses_no_word_and_keeps_to_its_size(text: str, markdown: bool, size: int) -> None:
    pages = paginate(text, markdown=markdown, size=size)
    assert "".join("".join(pages).split()) == "".join(text.split())
    assert all(len(page) <= 2 * size + 2 for page in pages)


def test_a_page_is_shown_as_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.typeset("one", "two"))
    assert page_count(path) == 2
    image = Image.open(io.BytesIO(render_page(path, 2, width=600)))
    image.load()
    assert image.format == "PNG"
    assert image.width == pytest.approx(600, abs=1)
    assert image.height == pytest.approx(600 * 842 / 595, abs=2)
    dark = image.convert("L").point(lambda level: 255 if level < 128 else 0).getbbox()
    assert dark is not None
    assert dark[1] < image.height / 5


def test_a_page_of_extreme_shape_stays_within_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.one_page(pdfs.stream(b""), box=b"0 0 10 14000"))
    image = Image.open(io.BytesIO(render_page(path, 1, width=2000, limits=ParseLimits(image_pixels=1_000_000))))
    assert image.width * image.height < 1_100_000


def test_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.typeset("one"))
    with pytest.raises(DocumentUnreadable) as caught:
        render_page(path, 2)
    assert caught.value.code == "document_page_unknown"
    path.write_bytes(b"text")
    with pytest.raises(DocumentUnreadable) as caught:
        render_page(path, 1)
    assert caught.value.code == "document_type_unsupported"
