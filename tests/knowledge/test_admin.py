"""Collections and documents in the staff's admin."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from knowledge.models import Collection, Document
from tenants.context import use_tenant
from tests.factories import CollectionFactory, DocumentFactory, UserFactory
from tests.knowledge.pdfs import typeset
from tests.query_count import queries

LIST = "/admin/knowledge/document/"


def upload(client, collection, **files):
    sent = [SimpleUploadedFile(name.replace("__", "."), content) for name, content in files.items()]
    return client.post(f"{LIST}add/", {"collection": str(collection.pk), "uploads": sent}, follow=True)


@pytest.mark.parametrize(
    "address",
    ["", "knowledge/document/", "knowledge/document/add/", "knowledge/collection/", "knowledge/document/progress/"],
)
def test_strangers_are_sent_to_the_sign_in_page(harbour, address):
    answer = Client(HTTP_HOST="harbour.localhost").get(f"/admin/{address}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_the_sign_in_page_bears_the_companys_name(harbour, agency):
    assert b"Harbour Hotel" in Client(HTTP_HOST="harbour.localhost").get("/admin/login/").content
    assert b"Harbour Hotel" not in Client(HTTP_HOST="agency.localhost").get("/admin/login/").content


def test_signing_in_leads_home(in_harbour):
    UserFactory(username="mara")
    client = Client(HTTP_HOST="harbour.localhost")
    page = client.get("/admin/login/")
    answer = client.post(
        "/admin/login/", {"login": "mara", "password": "a quiet harbour", "next": page.context["next"]}
    )
    assert answer["Location"] == "/admin/"


@pytest.mark.parametrize("kind", ["document", "collection"])
def test_a_list_asks_as_often_for_three_rows_as_for_one(staff, kind):
    DocumentFactory()
    one = queries(staff, f"/admin/knowledge/{kind}/")
    DocumentFactory()
    DocumentFactory(status="failed", error_code="document_encrypted", error_detail="It is encrypted.")
    assert queries(staff, f"/admin/knowledge/{kind}/") == one


def test_a_collection_is_made_changed_and_counted(staff):
    values = {"name": "House", "slug": "house", "description": ""}
    staff.post("/admin/knowledge/collection/add/", values)
    row = Collection.objects.get(slug="house")
    staff.post(f"/admin/knowledge/collection/{row.pk}/change/", {**values, "name": "House rules"})
    row.refresh_from_db()
    assert row.name == "House rules"
    DocumentFactory(collection=row)
    assert b"1 document" in staff.get("/admin/knowledge/collection/").content


def test_a_collection_with_documents_stays(staff):
    row = DocumentFactory().collection
    page = staff.post(f"/admin/knowledge/collection/{row.pk}/delete/", {"post": "yes"}, follow=True)
    assert "still has documents" in page.content.decode()
    assert Collection.objects.filter(pk=row.pk).exists()


def test_several_files_are_taken_in_at_once(staff):
    collection = CollectionFactory()
    page = upload(
        staff, collection, rules__txt=b"No smoking.", menu__md=b"# Menu\n\nSoup.", rates__pdf=typeset("Rates")
    )
    assert b"3 documents are being read." in page.content
    assert set(Document.objects.values_list("filename", "status")) == {
        ("rules.txt", "queued"),
        ("menu.md", "queued"),
        ("rates.pdf", "queued"),
    }


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("secret__pdf", typeset("x", password="p"), "password"),
        ("fake__pdf", b"\x89PNG\r\n\x1a\n" + b"x" * 50, "PNG image"),
        ("empty__txt", b"", "empty"),
        ("cut__pdf", typeset("x")[:200], "cut"),
    ],
    ids=["encrypted", "another type", "empty", "cut"],
)
def test_a_file_that_cant_be_read_says_why_and_keeps_no_other_out(staff, name, content, sentence):
    collection = CollectionFactory()
    page = upload(staff, collection, **{name: content, "fine__txt": b"Fine."})
    assert page.status_code == 422
    errors = " ".join(page.context["form"].errors["uploads"])
    assert errors.startswith(name.replace("__", "."))
    assert sentence in errors
    assert list(Document.objects.values_list("filename", flat=True)) == ["fine.txt"]


def test_the_same_content_twice_is_refused_by_name(staff):
    collection = CollectionFactory()
    page = upload(staff, collection, one__txt=b"Same.", two__txt=b"Same.")
    assert "two.txt: The collection already has a document" in str(page.context["form"].errors["uploads"])


def test_an_upload_without_files_says_what_is_missing(staff):
    page = staff.post(f"{LIST}add/", {"collection": str(CollectionFactory().pk)})
    assert page.context["form"].errors["uploads"] == ["Choose one file at least."]


def test_the_upload_page_asks_for_a_collection_first(staff):
    assert b"Make a collection" in staff.get(f"{LIST}add/").content


def test_a_failure_shows_its_reason_and_can_be_tried_again(staff):
    row = DocumentFactory(status="failed", error_code="embeddings_unavailable", error_detail="The service is away.")
    assert b"The embedding service was away" in staff.get(LIST).content
    page = staff.get(f"{LIST}{row.pk}/change/")
    assert b"The service is away." in page.content
    staff.post(f"{LIST}{row.pk}/retry/")
    row.refresh_from_db()
    assert (row.status, row.error_code) == ("queued", "")
    assert b"Only a document that failed" in staff.post(f"{LIST}{row.pk}/retry/", follow=True).content


def test_looking_at_a_retry_address_does_nothing(staff):
    row = DocumentFactory(status="failed")
    assert staff.get(f"{LIST}{row.pk}/retry/").status_code == 405


def test_failed_documents_are_read_again_in_bulk(staff):
    failed, ready = DocumentFactory(status="failed"), DocumentFactory()
    page = staff.post(LIST, {"action": "read_again", "_selected_action": [failed.pk, ready.pk]}, follow=True)
    assert b"1 document will be read again." in page.content
    assert b"Only a document that failed" in page.content
    failed.refresh_from_db()
    assert failed.status == "queued"


def test_progress_is_told_for_what_is_asked(staff):
    reading = DocumentFactory(status="embedding", progress=40)
    failed = DocumentFactory(status="failed", error_code="document_encrypted", error_detail="Remove the password.")
    DocumentFactory()
    answer = staff.get(f"{LIST}progress/", {"id": [reading.pk, failed.pk, uuid.uuid4(), "nonsense"]})
    told = {state["id"]: state for state in answer.json()["documents"]}
    assert set(told) == {str(reading.pk), str(failed.pk)}
    assert told[str(reading.pk)]["progress"] == 40
    assert not told[str(reading.pk)]["settled"]
    assert told[str(failed.pk)]["reason"] == "Protected by a password"


def test_deleting_takes_the_file_along(staff, django_capture_on_commit_callbacks):
    one, two, three = (DocumentFactory() for _ in range(3))
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(f"{LIST}{one.pk}/delete/", {"post": "yes"})["Location"] == LIST
        staff.post(LIST, {"action": "delete_selected", "_selected_action": [two.pk, three.pk], "post": "yes"})
    assert not Document.objects.exists()
    assert not any(row.file.storage.exists(row.file.name) for row in (one, two, three))


def test_the_list_can_be_searched_and_filtered(staff):
    DocumentFactory(title="Spa leaflet")
    DocumentFactory(title="Menu", status="failed")
    assert b"Menu" not in staff.get(LIST, {"q": "spa"}).content
    page = staff.get(LIST, {"state": "failed"}).content
    assert b"Menu" in page
    assert b"Spa leaflet" not in page


def test_another_tenants_document_is_not_found(staff, agency):
    with use_tenant(agency):
        row = DocumentFactory()
    page = staff.get(f"{LIST}{row.pk}/change/", follow=True)
    assert row.title.encode() not in page.content.replace(str(row.pk).encode(), b"")
    assert staff.post(f"{LIST}{row.pk}/retry/").status_code == 404
    staff.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    with use_tenant(agency):
        assert Document.objects.filter(pk=row.pk).exists()


def test_nonsense_for_an_id_is_no_error_page(staff):
    assert staff.get(f"{LIST}nonsense/change/").status_code == 302
