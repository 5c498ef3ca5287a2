"""Collections and documents over REST, as a program or a signed-in person uses them."""

import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from knowledge.models import Collection, Document
from tenants.context import use_public, use_tenant
from tenants.models import WorkLease
from tests.factories import CollectionFactory, DocumentFactory
from tests.isolation import assert_hidden, assert_not_listed, assert_problem

COLLECTIONS, DOCUMENTS = "/api/v1/collections", "/api/v1/documents"


def upload(
    api, collection_id, content=b"Breakfast is served from 7 to 11.", name="breakfast.txt", headers=None, **fields
):
    form = {"collection": str(collection_id), "file": SimpleUploadedFile(name, content), **fields}
    return api.post(DOCUMENTS, form, format="multipart", headers=headers or {})


@pytest.fixture
def collection(in_harbour):
    return CollectionFactory()


# --- collections ------------------------------------------------------------------------------------------------------


def test_a_collection_is_made_shown_changed_and_removed(caller):
    made = caller.post(COLLECTIONS, {"name": "House rules", "slug": "house-rules"})
    assert made.status_code == 201
    address = made["Location"]
    assert address == f"{COLLECTIONS}/{made.json()['id']}"
    assert caller.get(address).json() == made.json()
    changed = caller.patch(address, {"description": "What guests should know"})
    assert changed.status_code == 200
    assert changed.json() == {**made.json(), "description": "What guests should know"}
    assert caller.delete(address).status_code == 204
    assert_problem(caller.get(address), 404, "not_found")


def test_a_slug_is_taken_once(caller, collection):
    assert_problem(caller.post(COLLECTIONS, {"name": "Again", "slug": collection.slug}), 409, "collection_exists")
    other = caller.post(COLLECTIONS, {"name": "Other", "slug": "other"}).json()
    assert_problem(caller.patch(f"{COLLECTIONS}/{other['id']}", {"slug": collection.slug}), 409, "collection_exists")


def test_a_collection_with_documents_stays(caller, collection):
    DocumentFactory(collection=collection)
    assert_problem(caller.delete(f"{COLLECTIONS}/{collection.id}"), 409, "collection_not_empty")


def test_a_change_made_meanwhile_is_not_overwritten(caller, collection):
    address = f"{COLLECTIONS}/{collection.id}"
    seen = caller.get(address)["ETag"]
    first = caller.patch(address, {"name": "Mine"}, headers={"If-Match": seen})
    assert first.status_code == 200
    assert_problem(caller.patch(address, {"name": "Yours"}, headers={"If-Match": seen}), 412, "stale")
    assert caller.get(address).json()["name"] == "Mine"
    assert caller.patch(address, {"name": "Yours"}, headers={"If-Match": first["ETag"]}).status_code == 200
    assert caller.patch(address, {"name": "Anyone's"}, headers={"If-Match": "*"}).status_code == 200


def test_pages_follow_each_other_without_gap_or_repeat(caller, in_harbour):
    made = {str(CollectionFactory().id) for _ in range(5)}
    seen, address = [], f"{COLLECTIONS}?limit=2"
    while address:
        page = caller.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert len(seen) == 5
    assert set(seen) == made
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "%00", "cD1ub3QtYS11dWlk", "cD0wMDAlMDA=", "bz0tMQ=="])
def test_a_made_up_cursor_is_refused_or_ignored(caller, collection, cursor):
    assert caller.get(f"{COLLECTIONS}?cursor={cursor}").status_code in {200, 404}


# --- documents --------------------------------------------------------------------------------------------------------


def test_an_upload_is_accepted_and_waits_for_a_worker(caller, collection, sample_pdf):
    response = upload(caller, collection.id, sample_pdf(["Checkout is at 11.", "Pets are welcome."]), "rules.pdf")
    assert response.status_code == 202
    document = response.json()
    assert response["Location"] == f"{DOCUMENTS}/{document['id']}"
    assert (document["status"], document["progress"], document["error"]) == ("queued", 0, None)
    assert (document["title"], document["media_type"], document["pages"]) == ("rules", "application/pdf", 2)
    assert caller.get(response["Location"]).json() == document
    with use_public():
        assert WorkLease.objects.filter(kind="document", object_id=document["id"]).exists()


def test_the_file_comes_back_as_it_went_in(caller, collection):
    content = "Früh".encode()
    document = upload(caller, collection.id, content, 'früh"stück.txt').json()
    response = caller.get(f"{DOCUMENTS}/{document['id']}/file", headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == content
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_is_gone_is_a_404(caller, in_harbour):
    document = DocumentFactory()
    document.file.storage.delete(document.file.name)
    assert_problem(caller.get(f"{DOCUMENTS}/{document.id}/file"), 404, "not_found")


def test_lists_can_be_narrowed_down(caller, collection):
    DocumentFactory(collection=collection, status="failed")
    wanted = DocumentFactory(collection=collection)
    DocumentFactory()
    found = caller.get(f"{DOCUMENTS}?collection={collection.id}&status=ready").json()["results"]
    assert [row["id"] for row in found] == [str(wanted.id)]
    assert_problem(caller.get(f"{DOCUMENTS}?status=lost"), 422, "invalid", field="status")
    assert_problem(caller.get(f"{DOCUMENTS}?collection=%00"), 422, "invalid", field="collection")


def test_only_a_failed_document_is_read_again(caller, in_harbour):
    failed = DocumentFactory(status="failed", error_code="document_unreadable", error_detail="It ended early.")
    address = f"{DOCUMENTS}/{failed.id}"
    assert caller.get(address).json()["error"] == {"code": "document_unreadable", "detail": "It ended early."}
    response = caller.post(f"{address}/retry")
    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert response.json()["error"] is None
    assert_problem(caller.post(f"{address}/retry"), 409, "document_not_failed")


def test_a_deleted_document_is_gone_with_its_file(caller, in_harbour, django_capture_on_commit_callbacks):
    document = DocumentFactory()
    with django_capture_on_commit_callbacks(execute=True):
        assert caller.delete(f"{DOCUMENTS}/{document.id}").status_code == 204
    assert not document.file.storage.exists(document.file.name)
    assert_problem(caller.get(f"{DOCUMENTS}/{document.id}"), 404, "not_found")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.pdf"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "picture.pdf"),
        (b"%PDF-1.7\nended early", "truncated.pdf"),
        (b"MZ\x00\x00", "program.exe"),
    ],
)
def test_a_file_that_is_no_document_is_refused_and_leaves_nothing(caller, collection, content, name):
    response = upload(caller, collection.id, content, name)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "file"
    assert not Document.objects.exists()


def test_an_upload_without_its_parts_is_refused(caller, collection):
    assert_problem(caller.post(DOCUMENTS, {}, format="multipart"), 422, "invalid", field="file")
    assert_problem(upload(caller, uuid.uuid4()), 422, "unknown_collection", field="collection")
    assert_problem(upload(caller, collection.id, title="x" * 201), 422, "invalid", field="title")
    assert_problem(caller.post(DOCUMENTS, {"collection": str(collection.id)}), 415, "unsupported_media_type")


def test_the_same_content_is_taken_once_per_collection(caller, collection):
    assert upload(caller, collection.id).status_code == 202
    assert_problem(upload(caller, collection.id), 409, "document_exists")


def test_too_large_a_file_is_refused_before_it_is_read(caller, collection, settings):
    settings.UPLOAD_LIMIT_BYTES = 1000
    assert_problem(upload(caller, collection.id, b"x" * 1001), 413, "document_too_large")
    assert_problem(upload(caller, collection.id, b"x" * 2_000_000), 413, "document_too_large")


# --- sent again -------------------------------------------------------------------------------------------------------


def test_a_repeated_upload_is_answered_again_and_done_once(caller, collection):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = upload(caller, collection.id, headers=key)
    again = upload(caller, collection.id, headers=key)
    assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert Document.objects.count() == 1
    other = upload(caller, collection.id, b"Another text.", headers=key)
    assert_problem(other, 422, "idempotency_key_reused")


def test_a_repeated_request_is_answered_again_and_done_once(caller, in_harbour):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"name": "House rules", "slug": "house-rules"}
    first = caller.post(COLLECTIONS, body, headers=key)
    again = caller.post(COLLECTIONS, dict(reversed(body.items())), headers=key)
    assert (again.status_code, again.json(), again["ETag"]) == (201, first.json(), first["ETag"])
    assert Collection.objects.count() == 1
    assert_problem(caller.post(COLLECTIONS, {**body, "name": "x"}, headers=key), 422, "idempotency_key_reused")


def test_a_refused_request_may_be_mended_under_its_key(caller, in_harbour):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert caller.post(COLLECTIONS, {"name": "House rules"}, headers=key).status_code == 422
    assert caller.post(COLLECTIONS, {"name": "House rules", "slug": "house-rules"}, headers=key).status_code == 201


def test_a_key_is_its_callers_own(api, harbour, agency):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answers = [
        api(tenant).post(COLLECTIONS, {"name": name, "slug": "mine"}, headers=key)
        for tenant, name in ((harbour, "One"), (agency, "Two"))
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert_problem(
        api(harbour).post(COLLECTIONS, {"name": "One", "slug": "mine"}, headers=key), 409, "collection_exists"
    )


@pytest.mark.parametrize("key", ["", "two words", "x" * 121, "é"])
def test_a_key_that_cannot_be_one_is_refused(caller, key):
    response = caller.post(COLLECTIONS, {"name": "a", "slug": "a"}, HTTP_IDEMPOTENCY_KEY=key)
    assert_problem(response, 422, "invalid_idempotency_key")


# --- who may ----------------------------------------------------------------------------------------------------------


def test_nobody_in_particular_gets_nothing(harbour):
    response = Client(HTTP_HOST="harbour.localhost").get(COLLECTIONS)
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_staff_uses_the_same_api_with_its_session(client_for, harbour):
    browser = client_for(harbour)
    assert browser.get(COLLECTIONS).status_code == 200
    made = browser.post(COLLECTIONS, json.dumps({"name": "a", "slug": "a"}), content_type="application/json")
    assert made.status_code == 201


def test_a_session_needs_the_csrf_token(harbour, staff_of):
    browser = Client(HTTP_HOST="harbour.localhost", enforce_csrf_checks=True)
    with use_tenant(harbour):
        browser.force_login(staff_of(harbour))
    response = browser.post(COLLECTIONS, json.dumps({"name": "a", "slug": "a"}), content_type="application/json")
    assert_problem(response, 403, "forbidden")


def test_people_may_do_what_their_permissions_say(client_for, harbour, staff_of):
    viewer = client_for(harbour, staff_of(harbour, role="viewer"))
    assert viewer.get(COLLECTIONS).status_code == 200
    refused = viewer.post(COLLECTIONS, json.dumps({"name": "a", "slug": "a"}), content_type="application/json")
    assert_problem(refused, 403, "forbidden")
    contact = client_for(harbour, staff_of(harbour, is_staff=False))
    assert_problem(contact.get(COLLECTIONS), 403, "forbidden")


def test_another_companys_rows_are_not_there(api, harbour, agency):
    with use_tenant(agency):
        document = DocumentFactory(status="failed")
        collection = document.collection
    stranger = api(harbour)
    assert_not_listed(stranger, COLLECTIONS, collection.id)
    assert_not_listed(stranger, DOCUMENTS, document.id)
    assert_not_listed(stranger, f"{DOCUMENTS}?collection={collection.id}", document.id)
    for method, body in (("get", None), ("patch", {"name": "Mine"}), ("delete", None)):
        assert_hidden(stranger, method, lambda pk: f"{COLLECTIONS}/{pk}", collection.id, body)
    for method, path in (("get", ""), ("delete", ""), ("get", "/file"), ("post", "/retry")):
        assert_hidden(stranger, method, lambda pk, path=path: f"{DOCUMENTS}/{pk}{path}", document.id)
    assert_problem(upload(stranger, collection.id), 422, "unknown_collection", field="collection")
    with use_tenant(agency):
        document.refresh_from_db()
        assert document.status == "failed"


@pytest.mark.parametrize("path", [COLLECTIONS, DOCUMENTS])
def test_more_rows_cost_no_more_queries(caller, in_harbour, path, django_assert_num_queries):
    DocumentFactory()
    caller.get(path)  # the key is recognised and remembered
    with django_assert_num_queries(1):
        caller.get(path)
    DocumentFactory.create_batch(3)
    with django_assert_num_queries(1):
        assert len(caller.get(path).json()["results"]) == 4


# --- nonsense ---------------------------------------------------------------------------------------------------------

NONSENSE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"1e999",
    b'"text"',
    b'{"name": NaN, "slug": "a"}',
    b'{"name": 1, "slug": {}}',
    b'{"name": "a\\u0000b", "slug": "a"}',
    b'{"name": "\\ud800", "slug": "a"}',
    b'{"name": "\xff\xfe", "slug": "a"}',
    b'{"name": "a", "slug": "no spaces"}',
    b'{"name": "' + b"x" * 100_000 + b'", "slug": "a"}',
    b'{"name": ' + b"9" * 5000 + b', "slug": "a"}',
    b"[" * 200_000,
    b'{"\\u0000": 1}',
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("method", ["post", "patch"])
def test_nonsense_is_refused_clearly(caller, collection, method, body):
    path = COLLECTIONS if method == "post" else f"{COLLECTIONS}/{collection.id}"
    response = getattr(caller, method)(path, body, content_type="application/json")
    if body in {b"", b'{"\\u0000": 1}'} and method == "patch":
        assert response.status_code == 200  # nothing that is known is changed
        return
    assert response.status_code in {400, 422}
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("charset", ["utf-7", "base64", "rot13", "nothing", "utf-16"])
def test_a_charset_makes_no_difference(caller, in_harbour, charset):
    content_type = f"application/json; charset={charset}"
    assert caller.post(COLLECTIONS, b'{"name": "a", "slug": "a"}', content_type=content_type).status_code == 201


def test_an_unknown_content_type_is_named(caller):
    assert_problem(caller.post(COLLECTIONS, b"<a/>", content_type="text/xml"), 415, "unsupported_media_type")
    assert_problem(caller.post(DOCUMENTS, b"x", content_type="multipart/form-data"), 400, "parse_error")
    assert_problem(caller.put(COLLECTIONS, {}), 405, "method_not_allowed")
    refused = caller.put("/api/v1/conversations", {})
    assert_problem(refused, 405, "method_not_allowed")
    assert refused["Allow"]
    assert_problem(caller.get(COLLECTIONS, headers={"Accept": "text/xml"}), 406, "not_acceptable")


def test_too_large_a_body_is_refused(caller, settings):
    body = b'{"name": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    assert_problem(caller.post(COLLECTIONS, body, content_type="application/json"), 413, "too_large")


def test_what_is_not_an_id_leads_nowhere(caller):
    assert_problem(caller.get(f"{COLLECTIONS}/1"), 404, "not_found")
    assert_problem(caller.get(f"{DOCUMENTS}/../../etc"), 404, "not_found")
