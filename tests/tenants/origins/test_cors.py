"""Which pages may call a tenant's API, on both planes, and that they mean nothing to any other tenant."""

import uuid

import pytest
from django.test import Client

from tenants.context import use_tenant
from tenants.origins.matching import allowed_origins, is_allowed, normal_origin
from tenants.origins.models import AllowedOrigin
from tenants.permissions import Permission
from tests.factories import OriginFactory
from tests.isolation import assert_problem
from tests.resource_contract import ResourceContract

ORIGINS = "/api/v1/allowed-origins"
SHOP = "https://shop.example.com"
CONTROL, DATA = "/api/v1/collections", f"/api/v1/conversations/{uuid.UUID(int=7)}"


class TestOrigins(ResourceContract):
    address = ORIGINS
    factory = OriginFactory
    body = {"origin": SHOP}
    reads, writes = Permission.SETTINGS_READ, Permission.SETTINGS_WRITE


@pytest.fixture
def shop(in_harbour):
    allowed_origins.forget()
    return OriginFactory(origin=SHOP)


def preflight(path, origin, host="harbour.localhost"):
    return Client(HTTP_HOST=host).options(path, HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")


@pytest.mark.parametrize("path", [CONTROL, DATA])
def test_a_preflight_is_answered_before_anybody_says_who_they_are(shop, path):
    answer = preflight(path, SHOP)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "PATCH" in answer["Access-Control-Allow-Methods"]
    assert "authorization" in answer["Access-Control-Allow-Headers"]
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("path", [CONTROL, DATA])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "http://shop.example.com", f"{SHOP}:8443", "null", "*", f"{SHOP}.evil.example"],
)
def test_another_origin_is_told_nothing(shop, path, origin):
    for answer in (preflight(path, origin), Client(HTTP_HOST="harbour.localhost").get(path, HTTP_ORIGIN=origin)):
        assert "Access-Control-Allow-Origin" not in answer
        assert "Origin" in answer["Vary"]


def test_an_answer_and_a_refusal_can_be_read(shop, caller):
    for answer, status in (
        (caller.get(CONTROL, HTTP_ORIGIN=SHOP), 200),
        (Client(HTTP_HOST="harbour.localhost").get(CONTROL, HTTP_ORIGIN=SHOP), 401),
        (Client(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION="Bearer x").get(DATA, HTTP_ORIGIN=SHOP), 401),
    ):
        assert answer.status_code == status
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert "ETag" in answer["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer


def test_an_origin_of_one_company_means_nothing_at_another(shop, agency):
    assert "Access-Control-Allow-Origin" not in preflight(CONTROL, SHOP, host="agency.localhost")
    assert "Access-Control-Allow-Origin" not in preflight(CONTROL, SHOP, host="localhost")
    assert_problem(preflight(CONTROL, SHOP, host="nobody.example"), 404, "unknown_host")
    with use_tenant(agency):
        assert not AllowedOrigin.objects.exists()


def test_every_answer_varies_with_the_origin(shop, caller):
    answer = caller.get(CONTROL)
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Origin" not in answer
    page = Client(HTTP_HOST="harbour.localhost").get("/admin/login/", HTTP_ORIGIN=SHOP)
    assert "Access-Control-Allow-Origin" not in page


def test_an_origin_that_is_taken_back_is_allowed_no_more(shop, caller):
    assert caller.delete(f"{ORIGINS}/{shop.pk}").status_code == 204
    allowed_origins.forget()
    assert "Access-Control-Allow-Origin" not in preflight(CONTROL, SHOP)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://example.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
        ("https://aexample.com", False),
        ("https://example.com.evil.example", False),
        ("https://*.example.com", False),
        ("https://A.example.com", False),
        ("https://a.example.com/", False),
        ("", False),
        ("x" * 9000, False),
    ],
)
def test_a_star_stands_for_subdomains_and_for_nothing_else(origin, allowed):
    assert is_allowed(origin, frozenset({"https://*.example.com"})) is allowed


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" HTTPS://Shop.Example.com ", SHOP),
        ("https://shop.example.com:443", SHOP),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
        ("https://*.example.com", "https://*.example.com"),
        ("https://*.com", None),
        ("http://*.example.com", None),
        ("https://*", None),
        ("*", None),
        ("null", None),
        ("https://shop.example.com/path", None),
        ("https://user@shop.example.com", None),
        ("https://shop.example.com:99999", None),
        ("ftp://shop.example.com", None),
        ("shop.example.com", None),
        ("https://a.*.example.com", None),
        ("https://shöp.example.com", None),
        ("https://shop.example.com\n", SHOP),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written, kept):
    assert normal_origin(written) == kept


def test_what_is_no_origin_is_refused(caller, shop):
    assert_problem(caller.post(ORIGINS, {"origin": "*"}), 422, "invalid_origin", field="origin")
    assert_problem(caller.post(ORIGINS, {"origin": f"{SHOP}:443"}), 409, "origin_exists")


def test_staff_keep_origins_in_the_admin(staff, in_harbour):
    page = staff.post("/admin/origins/allowedorigin/add/", {"origin": "https://*.com"}, follow=True)
    assert "as browsers do" in page.content.decode()
    staff.post("/admin/origins/allowedorigin/add/", {"origin": "https://Shop.example.com:443"})
    row = AllowedOrigin.objects.get()
    assert row.origin == SHOP
    staff.post(f"/admin/origins/allowedorigin/{row.pk}/delete/", {"post": "yes"})
    assert not AllowedOrigin.objects.exists()
