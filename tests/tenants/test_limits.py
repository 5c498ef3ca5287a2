"""A tenant's limits: set by operators over REST and in their admin, read by its own people, in force everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from annotated_types import Ge, Le
from django.test import Client
from rest_framework.test import APIClient

from agents.engine.gateway.limits import limits_of_tenant
from switchboard.config import Config
from tenants import directory
from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.limits import LIMITS
from tenants.models import Tenant
from tests.factories import UserFactory
from tests.isolation import assert_problem
from voice_worker.domain.places import is_full

OWN = "/api/v1/limits"
NONE_SET = dict.fromkeys(LIMITS)


@pytest.fixture
def automation(database: None) -> APIClient:
    """A program of the operators'."""
    with use_public():
        key = create_api_key(tenant=None, name="Automation", scopes=["tenants:read", "tenants:write"])[1]
    return APIClient(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")


@pytest.fixture
def operator(database: None) -> Client:
    """A browser of an operator's."""
    client = Client(HTTP_HOST="localhost")
    with use_public():
        client.force_login(UserFactory.create(username="olga"))
    return client


@pytest.fixture
def address(harbour: Tenant) -> str:
    return f"/api/v1/tenants/{harbour.pk}"


def note(tenant: Tenant, **metadata: Any) -> None:
    """What stands in a tenant's metadata, however it came there."""
    with use_public():
        Tenant.objects.filter(pk=tenant.pk).update(metadata=metadata)
    tenant.refresh_from_db()


# --- operators --------------------------------------------------------------------------------------------------------


def test_limits_are_set_one_by_one_and_given_back(automation: APIClient, address: str) -> None:
    assert automation.get(address).json()["limits"] == NONE_SET
    changed = automation.patch(address, {"limits": {"model_requests_per_minute": 60, "voice_sessions_at_once": 0}})
    assert changed.status_code == 200, changed.content
    assert changed.json()["limits"] == {**NONE_SET, "model_requests_per_minute": 60, "voice_sessions_at_once": 0}
    changed = automation.patch(address, {"limits": {"model_requests_per_minute": None, "model_calls_at_once": 5}})
    assert changed.json()["limits"] == {**NONE_SET, "voice_sessions_at_once": 0, "model_calls_at_once": 5}
    assert changed.json() == automation.get(address).json()


def test_a_tenant_is_made_with_limits(live_tenants: None, automation: APIClient) -> None:
    new = {"name": "Boats", "slug": "boats", "domains": ["boats.localhost"], "metadata": {"region": "eu"}}
    made = automation.post("/api/v1/tenants", {**new, "limits": {"voice_sessions_at_once": 3}})
    assert made.status_code == 201, made.content
    assert made.json()["metadata"] == {"region": "eu"}
    assert made.json()["limits"] == {**NONE_SET, "voice_sessions_at_once": 3}
    with use_public():
        event = AuditEvent.objects.get(action="tenant.created", entity_id=made.json()["id"])
    assert event.message == "voice_sessions_at_once: default → 3"


def test_what_is_set_is_in_force_and_what_isnt_is_the_installations(
    automation: APIClient, address: str, harbour: Tenant, settings: Any
) -> None:
    settings.TENANT_REQUESTS_PER_MINUTE = 7
    settings.TENANT_VOICE_SESSIONS = 0
    automation.patch(address, {"limits": {"model_tokens_per_minute": 900, "voice_sessions_at_once": 1}})
    harbour.refresh_from_db()
    with use_tenant(harbour):
        found = limits_of_tenant()
        assert (found.requests_per_minute, found.tokens_per_minute) == (7, 900)
        assert found.calls_at_once == settings.TENANT_CALLS_AT_ONCE
        assert not is_full()


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"voice_sessions_at_once": -1}, "limits.voice_sessions_at_once"),
        ({"voice_sessions_at_once": 100_001}, "limits.voice_sessions_at_once"),
        ({"voice_sessions_at_once": 1.5}, "limits.voice_sessions_at_once"),
        ({"voice_sessions_at_once": "5"}, "limits.voice_sessions_at_once"),
        ({"voice_sessions_at_once": True}, "limits.voice_sessions_at_once"),
        ({"model_calls_at_once": 1, "voice_sesions_at_once": 5}, "limits.voice_sesions_at_once"),
        ([], "limits"),
        ("many", "limits"),
    ],
)
def test_what_cant_be_is_named_and_nothing_is_changed(
    automation: APIClient, address: str, limits: Any, field: str
) -> None:
    refused = automation.patch(address, {"name": "Lost", "limits": limits})
    assert_problem(refused, 422, "invalid_limits", field=field)
    shown = automation.get(address).json()
    assert (shown["name"], shown["limits"]) == ("Harbour Hotel", NONE_SET)


def test_no_tenant_is_made_with_limits_that_cant_be(automation: APIClient) -> None:
    new = {"name": "Boats", "slug": "boats", "domains": ["boats.localhost"], "limits": {"model_calls_at_once": -1}}
    assert_problem(automation.post("/api/v1/tenants", new), 422, "invalid_limits", field="limits.model_calls_at_once")
    with use_public():
        assert not Tenant.objects.filter(slug="boats").exists()


def test_every_wrong_limit_is_named(automation: APIClient, address: str) -> None:
    refused = automation.patch(address, {"limits": {"model_calls_at_once": -1, "voice_sessions_at_once": "many"}})
    named = [error["field"] for error in refused.json()["errors"]]
    assert named == ["limits.model_calls_at_once", "limits.voice_sessions_at_once"]


def test_notes_and_limits_leave_each_other_alone(automation: APIClient, address: str) -> None:
    automation.patch(address, {"metadata": {"region": "eu"}, "limits": {"model_calls_at_once": 5}})
    assert automation.patch(address, {"metadata": {"vip": True}}).json()["limits"]["model_calls_at_once"] == 5
    shown = automation.patch(address, {"limits": {"model_calls_at_once": None}}).json()
    assert (shown["metadata"], shown["limits"]) == ({"vip": True}, NONE_SET)
    refused = automation.patch(address, {"metadata": {"model_calls_at_once": 9}})
    assert_problem(refused, 422, "invalid_limits", field="metadata")


def test_limits_that_stand_in_metadata_are_shown_as_limits(
    automation: APIClient, address: str, harbour: Tenant
) -> None:
    note(harbour, region="eu", voice_sessions_at_once=4, model_calls_at_once="many")
    shown = automation.get(address).json()
    assert shown["metadata"] == {"region": "eu"}
    assert shown["limits"] == {**NONE_SET, "voice_sessions_at_once": 4}


def test_of_two_who_set_limits_the_second_is_told(automation: APIClient, address: str) -> None:
    seen = {"If-Match": automation.get(address)["ETag"]}
    assert automation.patch(address, {"limits": {"model_calls_at_once": 5}}, headers=seen).status_code == 200
    refused = automation.patch(address, {"limits": {"model_calls_at_once": 6}}, headers=seen)
    assert_problem(refused, 412, "stale")


def test_both_trails_say_who_set_what(automation: APIClient, address: str, harbour: Tenant) -> None:
    automation.patch(address, {"limits": {"voice_sessions_at_once": 4}})
    automation.patch(address, {"limits": {"voice_sessions_at_once": None, "model_calls_at_once": 0}})
    automation.patch(address, {"metadata": {"region": "eu"}})

    def told() -> list[tuple[str, str, str]]:
        events = AuditEvent.objects.filter(entity="tenant", actor_name="Automation").order_by("position")
        return [(event.actor_kind, event.action, event.message) for event in events]

    expected = [
        ("operator", "tenant.limited", "voice_sessions_at_once: default → 4"),
        ("operator", "tenant.limited", "model_calls_at_once: default → 0, voice_sessions_at_once: 4 → default"),
        ("operator", "tenant.changed", ""),
    ]
    with use_public():
        assert told() == expected
    with use_tenant(harbour):
        assert told() == expected


def test_the_document_says_what_a_limit_counts_and_its_bounds() -> None:
    from switchboard.openapi import document

    schemas = document()["components"]["schemas"]
    for name in ("TenantLimits", "TenantLimitChanges", "LimitsInForce"):
        assert set(schemas[name]["properties"]) == set(LIMITS)
        for limit in LIMITS.values():
            told = schemas[name]["properties"][limit.name]
            assert (told["minimum"], told["maximum"]) == (0, limit.most)
            assert limit.counts[1:] in told["description"]


def test_a_tenants_bounds_are_the_installations() -> None:
    for limit in LIMITS.values():
        assert Config.model_fields[limit.setting.lower()].metadata == [Ge(0), Le(limit.most)]


# --- in the operators' admin ------------------------------------------------------------------------------------------


def test_operators_set_limits_in_the_admin(operator: Client, harbour: Tenant) -> None:
    note(harbour, region="eu", voice_sessions_at_once=4)
    at = f"/admin/tenants/tenant/{harbour.pk}/"
    page = operator.get(f"{at}change/").content.decode()
    assert re.search(r'name="voice_sessions_at_once" value="4"', page)
    assert "&quot;voice_sessions_at_once&quot;" not in page  # it isn't among the notes, too
    notes = {"name": "Harbour Hotel", "service_tier": "standard", "metadata": '{"region": "eu"}'}
    saved = operator.post(f"{at}notes/", {**notes, "voice_sessions_at_once": "", "model_calls_at_once": "12"})
    assert saved.status_code == 302
    harbour.refresh_from_db()
    assert harbour.metadata == {"region": "eu", "model_calls_at_once": 12}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"model_calls_at_once": "-1"}, "greater than or equal to 0"),
        ({"model_calls_at_once": "100001"}, "less than or equal to 100000"),
        ({"model_calls_at_once": "some"}, "whole number"),
        ({"metadata": '{"model_calls_at_once": 5}'}, "“model_calls_at_once” is a limit"),
    ],
)
def test_the_admin_says_what_cant_be(operator: Client, harbour: Tenant, values: dict[str, str], told: str) -> None:
    notes = {"name": "Lost", "service_tier": "standard", "metadata": "{}"}
    answer = operator.post(f"/admin/tenants/tenant/{harbour.pk}/notes/", {**notes, **values})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    harbour.refresh_from_db()
    assert (harbour.name, harbour.metadata) == ("Harbour Hotel", {})


# --- the tenant's own -------------------------------------------------------------------------------------------------


def test_a_tenants_people_read_what_holds_for_them(
    harbour: Tenant, api: Callable[[Tenant], APIClient], settings: Any
) -> None:
    settings.TENANT_TOKENS_PER_MINUTE = 8000
    note(harbour, voice_sessions_at_once=4, model_calls_at_once=0)
    directory.hosts.forget()
    directory.keys.forget()
    told = api(harbour).get(OWN).json()
    assert told == {
        "model_requests_per_minute": settings.TENANT_REQUESTS_PER_MINUTE,
        "model_tokens_per_minute": 8000,
        "model_calls_at_once": 0,
        "voice_sessions_at_once": 4,
    }


def test_whoever_reads_usage_reads_limits_and_nobody_there_sets_them(
    harbour: Tenant, client_for: Callable[..., Client], staff_of: Callable[..., Any]
) -> None:
    assert client_for(harbour, staff_of(harbour, role="analyst")).get(OWN).status_code == 200
    assert_problem(client_for(harbour, staff_of(harbour, role="viewer")).get(OWN), 403, "forbidden")
    owner, body = client_for(harbour), json.dumps({"model_calls_at_once": 0})
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert owner.generic(method, OWN, body, content_type="application/json").status_code == 405
