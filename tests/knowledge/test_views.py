"""The page viewer: who may see a page, what is on it, and that an upload is never run."""

import hashlib
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from knowledge.domain.documents import delete_document
from knowledge.links import make_token, page_url
from tenants.context import use_tenant
from tests.factories import ChunkFactory, DocumentFactory, UserFactory

HOST = "harbour.localhost"


@pytest.fixture
def stranger(harbour):
    return Client(HTTP_HOST=HOST)


@pytest.fixture
def document(in_harbour, sample_pdf):
    content = sample_pdf(["Breakfast is from 7 to 11.", "Dogs are welcome."])
    row = DocumentFactory(
        title="House <rules>",
        filename="house.pdf",
        media_type="application/pdf",
        pages=2,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        file=ContentFile(content, name="house.pdf"),
    )
    ChunkFactory(document=row, page=1, text="Breakfast is from 7 to 11.")
    ChunkFactory(document=row, page=2, text="Dogs are <b>welcome</b>.")
    return row


def test_a_citation_opens_its_page_with_the_quote_marked(stranger, document):
    page = stranger.get(page_url(document.pk, 1, "from 7 to 11"))
    assert page.status_code == 200
    text = page.content.decode()
    assert '<mark id="quote">from 7 to 11</mark>' in text
    assert "House &lt;rules&gt;" in text
    assert "Page 1 of 2" in text


def test_links_on_the_page_open_for_the_same_holder(stranger, document):
    page = stranger.get(page_url(document.pk, 1)).context
    assert page["previous"] == ""
    for name in ("next", "image", "original"):
        assert stranger.get(page[name]).status_code == 200, name


def test_text_of_a_document_stays_text(stranger, document):
    text = stranger.get(page_url(document.pk, 2, "Dogs are <b>welcome</b>")).content.decode()
    assert "<b>welcome" not in text
    assert '<mark id="quote">Dogs are &lt;b&gt;welcome&lt;/b&gt;</mark>' in text


def test_a_quote_that_isnt_on_the_page_is_shown_beside_it(stranger, document):
    text = stranger.get(page_url(document.pk, 1, "nothing of the kind here")).content.decode()
    assert "<mark" not in text
    assert "nothing of the kind here" in text


def test_the_page_may_run_and_load_only_our_own(stranger, document):
    for address in (page_url(document.pk, 1), f"/documents/{document.pk}/pages/1"):
        policy = stranger.get(address)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_the_picture_is_drawn_once_and_goes_with_its_document(stranger, document, django_capture_on_commit_callbacks):
    address = stranger.get(page_url(document.pk, 2)).context["image"]
    first = stranger.get(address)
    assert first["Content-Type"] == "image/png"
    assert first.content.startswith(b"\x89PNG")
    kept = f"{document.file.name.split('/')[0]}/pages/{document.pk}/2.png"
    assert default_storage.exists(kept)
    assert stranger.get(address).content == first.content
    with django_capture_on_commit_callbacks(execute=True):
        delete_document(document=document)
    assert not default_storage.exists(kept)


def test_the_original_is_saved_and_never_shown(stranger, document):
    answer = stranger.get(stranger.get(page_url(document.pk, 1)).context["original"])
    assert answer["Content-Disposition"].startswith("attachment")
    assert "house.pdf" in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "application/octet-stream"
    assert b"".join(answer.streaming_content).startswith(b"%PDF")


def test_a_text_has_no_picture(stranger, in_harbour):
    row = DocumentFactory()
    ChunkFactory(document=row)
    page = stranger.get(page_url(row.pk, 1))
    assert page.context["image"] == ""
    token = make_token(row.pk)
    assert stranger.get(f"/documents/{row.pk}/pages/1/image?token={token}").status_code == 404


def test_without_a_link_nobody_learns_whether_a_document_exists(stranger, document):
    answers = [
        stranger.get(f"/documents/{pk}/pages/1{query}")
        for pk in (document.pk, uuid.uuid4())
        for query in ("", "?token=x")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert b"This link has expired" in answers[0].content


def test_a_token_opens_only_its_own_document(stranger, document):
    token = parse_qs(urlsplit(page_url(document.pk, 1)).query)["token"][0]
    other = DocumentFactory()
    for rest in ("pages/1", "pages/1/image", "original"):
        assert stranger.get(f"/documents/{other.pk}/{rest}", {"token": token}).status_code == 403


def test_a_link_of_another_tenant_opens_nothing(document, agency, harbour):
    address = page_url(document.pk, 1)
    assert Client(HTTP_HOST="agency.localhost").get(address).status_code == 403
    with use_tenant(agency):
        foreign = page_url(document.pk, 1)
    assert Client(HTTP_HOST="agency.localhost").get(foreign).status_code == 404


def test_staff_need_no_link(document, harbour, client_for):
    client = client_for(harbour)
    assert client.get(f"/documents/{document.pk}/pages/1").status_code == 200
    assert client.get(f"/documents/{uuid.uuid4()}/pages/1").status_code == 404


def test_a_signed_in_user_who_isnt_staff_needs_one(document, harbour, client_for, in_harbour):
    client = client_for(harbour, UserFactory(is_staff=False))
    assert client.get(f"/documents/{document.pk}/pages/1").status_code == 403


@pytest.mark.parametrize("number", [0, 3, 10**12])
def test_a_page_that_isnt_there_is_not_found(stranger, document, number):
    assert stranger.get(page_url(document.pk, number)).status_code == 404


def test_a_document_that_is_being_read_says_so(stranger, in_harbour):
    row = DocumentFactory(status="reading", progress=10)
    assert b"still being read" in stranger.get(page_url(row.pk, 1)).content


def test_a_deleted_document_is_not_found(stranger, document):
    address = page_url(document.pk, 1)
    document.delete()
    assert stranger.get(address).status_code == 404


def test_only_reading_is_possible(stranger, document):
    assert stranger.post(page_url(document.pk, 1)).status_code == 405
