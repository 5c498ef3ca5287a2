"""Tenants over REST: for operators and platform keys on the platform's host, and for nobody else."""

import json

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tenants import directory
from tenants.context import use_public
from tenants.domain.api_keys import create_api_key
from tenants.models import Domain, Tenant
from tests.factories import UserFactory
from tests.isolation import assert_problem

TENANTS = "/api/v1/tenants"
KEYS = "/api/v1/api-keys"
NEW = {"name": "Boats", "slug": "boats", "domains": ["Boats.localhost", "www.boats.example"]}


def platform_key(**more):
    with use_public():
        return create_api_key(tenant=None, name="Automation", **more)[1]


def program(key, host="localhost"):
    return APIClient(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Bearer {key}")


@pytest.fixture
def automation(database):
    """A program of the platform's operators."""
    return program(platform_key())


@pytest.fixture
def operator(database):
    """A browser of an operator's."""
    client = Client(HTTP_HOST="localhost")
    with use_public():
        client.force_login(UserFactory(username="operator", is_superuser=True))
    return client


def forget():
    directory.hosts.forget()
    directory.keys.forget()


def status_at(host):
    forget()
    return Client(HTTP_HOST=host).get("/api/v1/collections").status_code


def test_a_tenant_is_made_and_works(live_tenants, automation):
    made = automation.post(TENANTS, {**NEW, "service_tier": "premium", "metadata": {"region": "eu", "seats": 3}})
    assert made.status_code == 201, made.content
    shown = automation.get(made["Location"]).json()
    assert shown == made.json()
    assert (shown["status"], shown["service_tier"], shown["metadata"]) == (
        "ready",
        "premium",
        {"region": "eu", "seats": 3},
    )
    assert [(row["domain"], row["is_primary"]) for row in shown["domains"]] == [
        ("boats.localhost", True),
        ("www.boats.example", False),
    ]
    assert status_at("boats.localhost") == 401


def test_a_repeated_request_makes_one_tenant(live_tenants, automation):
    first, again = (automation.post(TENANTS, NEW, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"slug": "Not A Slug"}, 422, "slug"),
        ({"slug": None}, 422, "slug"),
        ({"domains": []}, 422, "domains"),
        ({"domains": ["boats.localhost:80"]}, 422, "domain"),
        ({"service_tier": "Very Special"}, 422, "service_tier"),
        ({"metadata": ["no"]}, 422, "metadata"),
        ({"metadata": {"a": {"b": 1}}}, 422, "metadata"),
        ({"metadata": {"a b": 1}}, 422, "metadata"),
        ({"metadata": {"a": "x" * 501}}, 422, "metadata"),
        ({"metadata": {"a": "\x00"}}, 422, "metadata"),
        ({"metadata": {f"n{number}": 1 for number in range(51)}}, 422, "metadata"),
        ({"slug": "harbour"}, 409, None),
        ({"domains": ["agency.localhost"]}, 409, None),
    ],
)
def test_a_tenant_that_cant_be_says_why(automation, harbour, agency, values, status, field):
    body = {name: value for name, value in {**NEW, **values}.items() if value is not None}
    refused = automation.post(TENANTS, body)
    assert refused.status_code == status, refused.content
    if field:
        assert field in {error["field"].split(".")[0] for error in refused.json()["errors"]}
    with use_public():
        assert not Tenant.objects.filter(name="Boats").exists()


def test_tenants_are_listed_and_found(automation, harbour, agency):
    with use_public():
        Tenant.objects.filter(pk=agency.pk).update(service_tier="premium")

    def slugs(**asked):
        return [row["slug"] for row in automation.get(TENANTS, asked).json()["results"]]

    assert sorted(slugs()) == ["agency", "harbour"]
    assert slugs(service_tier="premium") == ["agency"]
    assert slugs(status="suspended") == []
    assert slugs(search="harbour.local") == ["harbour"]
    assert slugs(search="Homes") == ["agency"]
    assert_problem(automation.get(TENANTS, {"status": "lost"}), 422, "invalid", field="status")


def test_a_list_asks_as_often_for_three_as_for_two(automation, harbour, agency, django_assert_num_queries):
    automation.get(TENANTS)
    with django_assert_num_queries(2):
        automation.get(TENANTS)
    with use_public():
        third = Tenant.objects.create(name="Third", slug="third", schema_name="t_third")
        Domain.objects.create(tenant=third, domain="third.localhost")
    with django_assert_num_queries(2):
        assert len(automation.get(TENANTS).json()["results"]) == 3


def test_what_operators_note_is_changed_as_it_was_seen(automation, harbour):
    address = f"{TENANTS}/{harbour.pk}"
    seen = automation.get(address)
    changed = automation.patch(address, {"metadata": {"vip": True}}, headers={"If-Match": seen["ETag"]}).json()
    assert (changed["metadata"], changed["name"]) == ({"vip": True}, "Harbour Hotel")
    stale = automation.patch(address, {"name": "Lost"}, headers={"If-Match": seen["ETag"]})
    assert_problem(stale, 412, "stale")
    assert_problem(automation.patch(address, {"name": ""}), 422, "invalid", field="name")


def test_a_tenant_is_suspended_and_resumed(automation, harbour):
    assert automation.post(f"{TENANTS}/{harbour.pk}/suspend").json()["status"] == "suspended"
    assert status_at("harbour.localhost") == 403
    assert_problem(automation.post(f"{TENANTS}/{harbour.pk}/suspend"), 409, "tenant_not_ready")
    assert automation.post(f"{TENANTS}/{harbour.pk}/resume").json()["status"] == "ready"
    assert status_at("harbour.localhost") == 401


def test_a_deleted_tenant_is_closed_and_can_be_had_back(automation, api_key_for, harbour):
    address, key = f"{TENANTS}/{harbour.pk}", api_key_for(harbour)
    assert automation.delete(address).status_code == 204
    shown = automation.get(address).json()
    assert shown["status"] == "deleted"
    assert shown["deleted_at"]
    forget()
    assert_problem(program(key, "harbour.localhost").get("/api/v1/collections"), 404, "unknown_host")
    assert_problem(program(key).get("/api/v1/collections"), 401, "invalid_api_key")
    assert_problem(automation.delete(address), 409, "tenant_deleted")
    taken = automation.post(TENANTS, {**NEW, "domains": ["harbour.localhost"]})
    assert_problem(taken, 409, "tenant_exists")
    assert automation.post(f"{address}/restore").json()["deleted_at"] is None
    forget()
    assert program(key, "harbour.localhost").get("/api/v1/collections").status_code == 200
    assert_problem(automation.post(f"{address}/restore"), 409, "tenant_not_deleted")


def test_hostnames_come_and_go(automation, harbour, agency):
    address = f"{TENANTS}/{harbour.pk}/domains"
    made = automation.post(address, {"domain": "www.Harbour.example"})
    assert (made.status_code, made.json()["domain"]) == (201, "www.harbour.example")
    assert_problem(automation.post(address, {"domain": "agency.localhost"}), 409, "domain_exists")
    with use_public():
        foreign = agency.domains.get()
    assert automation.delete(f"{address}/{foreign.pk}").status_code == 404
    assert automation.delete(f"{address}/{made.json()['id']}").status_code == 204
    with use_public():
        last = harbour.domains.get()
    assert_problem(automation.delete(f"{address}/{last.pk}"), 409, "domain_needed")


# --- who may ----------------------------------------------------------------------------------------------------------


def test_an_operator_uses_it_from_a_browser(operator, harbour):
    assert operator.get(f"{TENANTS}/{harbour.pk}").json()["slug"] == "harbour"
    changed = operator.patch(
        f"{TENANTS}/{harbour.pk}", json.dumps({"service_tier": "free"}), content_type="application/json"
    )
    assert changed.json()["service_tier"] == "free"


def test_a_key_that_may_read_changes_nothing(harbour):
    reader = program(platform_key(scopes=["tenants:read"]))
    assert reader.get(TENANTS).status_code == 200
    for answer in (
        reader.post(TENANTS, NEW),
        reader.patch(f"{TENANTS}/{harbour.pk}", {"name": "x"}),
        reader.delete(f"{TENANTS}/{harbour.pk}"),
        reader.post(f"{TENANTS}/{harbour.pk}/suspend"),
    ):
        assert_problem(answer, 403, "forbidden")


def test_no_tenant_reaches_it(harbour, agency, api_key_for, client_for):
    for host in ("harbour.localhost", "localhost"):
        caller = program(api_key_for(harbour), host)
        assert caller.get(TENANTS).status_code == 404
        assert caller.get(f"{TENANTS}/{agency.pk}").status_code == 404
        assert caller.post(TENANTS, NEW).status_code == 404
    browser = client_for(harbour)
    assert browser.get(TENANTS).status_code == 404
    assert browser.get(TENANTS, headers={"Host": "localhost"}).status_code == 401
    assert Client(HTTP_HOST="localhost").get(TENANTS).status_code == 401


def test_operators_make_platform_keys_and_platform_keys_make_none(operator, automation, harbour, api_key_for):
    api_key_for(harbour, "Harbour's own")
    made = operator.post(KEYS, json.dumps({"name": "CI", "scopes": ["tenants:read"]}), content_type="application/json")
    assert made.status_code == 201, made.content
    assert program(made.json()["key"]).get(TENANTS).status_code == 200
    assert "Harbour's own" not in operator.get(KEYS).content.decode()
    refused = operator.post(KEYS, json.dumps({"name": "x", "scopes": ["agents:read"]}), content_type="application/json")
    assert_problem(refused, 422, "invalid")
    assert_problem(automation.get(KEYS), 403, "forbidden")
    assert_problem(automation.post(KEYS, {"name": "x"}), 403, "forbidden")
    rotated = operator.post(f"{KEYS}/{made.json()['id']}/rotate", "{}", content_type="application/json")
    assert program(rotated.json()["key"]).get(TENANTS).status_code == 200
