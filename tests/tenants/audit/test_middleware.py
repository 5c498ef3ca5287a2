"""Who a request comes from is in the trail of what it changes, with the id that its answer and its log lines have."""

import re

import pytest
from django.test import Client, override_settings

from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.models import Domain
from tenants.permissions import Permission
from tests.asgi_client import AsgiClient
from tests.callers import host_of
from tests.factories import UserFactory


def change(client, name="Menus", **headers):
    return client.post(
        "/api/v1/collections", {"name": name, "slug": name.lower()}, content_type="application/json", **headers
    )


def last():
    return AuditEvent.objects.order_by("-position")[0]


def test_a_member_of_staff_acts_by_name(in_harbour, staff_of, client_for):
    ines = staff_of(in_harbour, username="ines")
    response = change(client_for(in_harbour, ines), REMOTE_ADDR="203.0.113.9")
    assert response.status_code == 201
    event = last()
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("staff", str(ines.pk), "ines")
    assert (event.address, event.request_id) == ("203.0.113.9", response["X-Request-Id"])


def test_a_key_acts_by_its_name(in_harbour, api_key_for):
    key = api_key_for(in_harbour, "website")
    client = Client(HTTP_HOST=host_of(in_harbour), HTTP_AUTHORIZATION=f"Bearer {key}")
    assert change(client).status_code == 201
    event = last()
    assert (event.actor_kind, event.actor_name) == ("api_key", "website")
    assert event.actor_id in {made.entity_id for made in AuditEvent.objects.filter(action="api_key.created")}


def test_an_operator_acts_by_name_and_a_tenant_sees_no_more_of_them(harbour):
    with use_public():
        olga = UserFactory(username="olga")
        client = Client(HTTP_HOST="localhost")
        client.force_login(olga)
    client.post(
        f"/admin/tenants/tenant/{harbour.pk}/domains/", {"domain": "new.example.com"}, REMOTE_ADDR="203.0.113.9"
    )
    with use_public():
        assert Domain.objects.filter(domain="new.example.com").exists()
        event = last()
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", str(olga.pk), "203.0.113.9")
    with use_tenant(harbour):
        event = last()
    assert (event.action, event.actor_kind, event.actor_name) == ("domain.created", "operator", "olga")
    assert (event.actor_id, event.address) == ("", "")


def test_who_is_not_known_acts_as_the_system_from_an_address(in_harbour):
    with use_public():
        Client(HTTP_HOST="harbour.localhost").get("/admin/login/")
    assert not AuditEvent.objects.exclude(actor_kind="system").exists()


def test_an_address_is_believed_as_far_as_proxies_are_trusted(in_harbour, client_for):
    client = client_for(in_harbour)
    forged = {"HTTP_X_FORWARDED_FOR": "127.0.0.1, 203.0.113.9", "REMOTE_ADDR": "192.0.2.1"}
    change(client, "One", **forged)
    assert last().address == "192.0.2.1"
    with override_settings(TRUSTED_PROXIES=1):
        change(client, "Two", **forged)
    assert last().address == "203.0.113.9"


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", "/api/v1/collections", "/nowhere"])
def test_every_answer_has_the_id_of_its_request(harbour, path):
    client = Client(HTTP_HOST="harbour.localhost")
    assert client.get(path, HTTP_X_REQUEST_ID="proxy-0001")["X-Request-Id"] == "proxy-0001"
    made = [client.get(path, HTTP_X_REQUEST_ID="no id")["X-Request-Id"] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in made)
    assert made[0] != made[1]


def test_a_host_that_is_unknown_is_answered_with_an_id_too(harbour):
    assert Client(HTTP_HOST="elsewhere.example.com").get("/")["X-Request-Id"]


async def test_the_server_itself_knows_who_acts(live_tenants, harbour, api_key_for):
    from asgiref.sync import sync_to_async

    key = await sync_to_async(api_key_for)(harbour, "website")
    client = AsgiClient("harbour.localhost", key)
    body = b'{"name": "Menus", "slug": "menus"}'
    answer = await client.request("POST", "/api/v1/collections", body, content_length=str(len(body)))
    assert answer.status == 201

    def check():
        from django.db import connection

        with use_tenant(harbour):
            event = last()
        connection.close()
        assert (event.actor_kind, event.actor_name) == ("api_key", "website")
        assert event.request_id == answer.headers["x-request-id"]

    await sync_to_async(check)()


def test_a_platform_key_is_an_operator_to_the_tenant_it_changes(harbour):
    with use_public():
        row, key = create_api_key(tenant=None, name="provisioning", scopes=[Permission.TENANTS_WRITE])
    client = Client(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
    body = {"domain": "new.example.com"}
    answer = client.post(f"/api/v1/tenants/{harbour.pk}/domains", body, content_type="application/json")
    assert answer.status_code in (200, 201)
    with use_public():
        event = last()
        assert (event.actor_kind, event.actor_id, event.actor_name) == ("operator", str(row.pk), "provisioning")
    with use_tenant(harbour):
        event = last()
        assert (event.actor_kind, event.actor_id, event.actor_name) == ("operator", "", "provisioning")


def test_operators_read_the_platforms_trail(harbour):
    with use_public():
        olga = UserFactory(username="olga")
        client = Client(HTTP_HOST="localhost")
        client.force_login(olga)
    found = client.get("/api/v1/audit?entity=member").json()["results"]
    assert [event["entity_label"] for event in found] == ["olga"]
