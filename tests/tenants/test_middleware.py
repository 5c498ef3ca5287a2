"""The door: who gets in, as whom, and what is said to those who don't."""

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.test import Client

from tenants import directory
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tests.factories import CollectionFactory
from tests.isolation import assert_problem

PATH = "/api/v1/collections"


def ask(host, key=None, path=PATH):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client(HTTP_HOST=host).get(path, headers=headers)


def set_status(tenant, status):
    with use_public():
        Tenant.objects.filter(pk=tenant.pk).update(status=status)
    directory.hosts.forget()
    directory.keys.forget()


@pytest.mark.parametrize(
    "host",
    ["nobody.example", "harbour.localhost.evil.example", "127.0.0.1", "", "a\x00b", "é", "[::1]", "x" * 300, "a b"],
)
def test_an_unknown_host_is_told_so(harbour, host):
    assert_problem(ask(host), 404, "unknown_host")


@pytest.mark.parametrize(
    "host", ["harbour.localhost", "HARBOUR.localhost", "harbour.localhost:8000", "harbour.localhost."]
)
def test_a_host_is_known_in_every_form(harbour, api_key_for, host):
    assert ask(host, api_key_for(harbour)).status_code == 200


def test_a_key_of_another_company_is_refused(harbour, agency, api_key_for):
    assert_problem(ask("harbour.localhost", api_key_for(agency)), 401, "invalid_api_key")


def test_a_key_names_its_tenant_where_the_host_names_none(harbour, agency, api_key_for):
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            row = CollectionFactory()
        shown = ask("localhost", api_key_for(tenant)).json()["results"]
        assert [found["id"] for found in shown] == [str(row.id)]


def test_made_up_names_of_any_size_are_refused_and_not_kept_in_memory(harbour):
    ask("harbour.localhost", "sb_" + "x" * 100_000)
    ask("x" * 100_000)
    ask("a." * 50_000)

    kept = [*directory.keys._answers, *directory.hosts._answers]
    assert all(len(name) < 300 for name in kept), [len(name) for name in kept]


def test_the_platforms_host_without_a_key_is_nobodys(harbour):
    assert_problem(ask("localhost"), 404, "not_found")


@pytest.mark.parametrize("key", ["x", "sb_0123456789ab_" + "x" * 43, "sb_é", "\x00", "x" * 10_000, "sb_0123456789ab_"])
def test_what_is_no_key_is_refused(harbour, key):
    response = ask("harbour.localhost", key)
    assert_problem(response, 401, "invalid_api_key")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_tenant_that_is_being_set_up_asks_for_patience(harbour, api_key_for):
    key = api_key_for(harbour)
    set_status(harbour, Tenant.Status.PREPARING)
    for response in (
        ask("harbour.localhost", key),
        ask("localhost", key),
        ask("harbour.localhost", path="/admin/login/"),
    ):
        assert_problem(response, 503, "tenant_not_ready")
        assert int(response["Retry-After"]) >= 1


def test_a_suspended_tenant_is_told_so(harbour, api_key_for):
    key = api_key_for(harbour)
    set_status(harbour, Tenant.Status.SUSPENDED)
    for response in (ask("harbour.localhost", key), ask("localhost", key)):
        assert_problem(response, 403, "tenant_suspended")


def test_health_is_answered_on_any_host(database):
    for host in ("localhost", "nobody.example", "10.0.0.1"):
        assert ask(host, path="/healthz").json() == {"status": "ok"}


def test_a_session_of_one_company_is_none_of_another(harbour, agency, client_for):
    browser = client_for(harbour)
    assert browser.get(PATH).status_code == 200
    assert_problem(browser.get(PATH, headers={"Host": "agency.localhost"}), 401, "not_authenticated")


async def test_the_same_door_for_async_requests(live_tenants, harbour, agency, api_key_for):
    key = await sync_to_async(api_key_for)(harbour)

    async def ask(host, key=key):
        transport = httpx2.ASGITransport(app=get_asgi_application())
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            answer = await client.get(PATH, headers={"Authorization": f"Bearer {key}"} if key else {})
            return answer.status_code, answer.json().get("code")

    assert await ask("harbour.localhost") == (200, None)
    assert await ask("agency.localhost") == (401, "invalid_api_key")
    assert await ask("harbour.localhost", None) == (401, "not_authenticated")
    assert await ask("nobody.example") == (404, "unknown_host")
    assert await ask("localhost") == (200, None)
