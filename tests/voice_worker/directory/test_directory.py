"""Whose a room or a number is."""

from __future__ import annotations

import uuid

import pytest
from rest_framework.test import APIClient

from switchboard.kernel.problems import Conflict
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.models import Tenant
from tests.factories import AgentFactory
from tests.isolation import assert_problem
from voice_worker.directory.domain import close_room, find_number, find_room, look_up_room, register_room

NUMBERS = "/api/v1/phone-numbers"


def test_a_room_leads_to_its_tenant_and_meeting(harbour, agency):
    rooms = {}
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            register_room(name=f"m-{tenant.pk}", meeting_id=uuid.uuid4())
        rooms[tenant.pk] = find_room(f"m-{tenant.pk}")
    assert [room.tenant.scope.schema_name for room in rooms.values()] == [harbour.schema_name, agency.schema_name]


@pytest.mark.parametrize("name", ["", "harbour", "m-", "x" * 5000, "m-\x00".replace("\x00", "%")])
def test_a_room_nobody_registered_is_nobodys(harbour, name):
    assert find_room(name) is None
    assert look_up_room(name) is None


def test_a_closed_room_is_known_and_not_found(in_harbour):
    register_room(name="m-1", meeting_id=uuid.uuid4())
    close_room(name="m-1")
    close_room(name="m-1")
    close_room(name="m-2")
    assert find_room("m-1") is None
    assert look_up_room("m-1").is_open is False


def test_two_tenants_cant_have_one_room(harbour, agency):
    with use_tenant(harbour):
        register_room(name="m-1", meeting_id=uuid.uuid4())
    with use_tenant(agency), pytest.raises(Conflict):
        register_room(name="m-1", meeting_id=uuid.uuid4())
    assert find_room("m-1").tenant.scope.schema_name == harbour.schema_name


@pytest.mark.parametrize("status", [Tenant.Status.SUSPENDED, Tenant.Status.DELETED, Tenant.Status.PREPARING])
def test_a_tenant_that_isnt_served_has_no_rooms(harbour, status):
    with use_tenant(harbour):
        register_room(name="m-1", meeting_id=uuid.uuid4())
    with use_public():
        Tenant.objects.filter(pk=harbour.pk).update(status=status)
    assert find_room("m-1") is None


@pytest.fixture
def automation(database):
    """A program of the platform's operators."""
    with use_public():
        key = create_api_key(tenant=None, name="Automation")[1]
    return APIClient(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")


def body(tenant, agent, number="+49 30 123456"):
    return {"number": number, "tenant": str(tenant.pk), "agent": str(agent.pk)}


@pytest.fixture
def agent(harbour):
    with use_tenant(harbour):
        return AgentFactory.create()


def test_a_number_is_assigned_answered_and_withdrawn(automation, harbour, agency, agent):
    made = automation.post(NUMBERS, body(harbour, agent))
    assert made.status_code == 201, made.content
    assert made.json()["number"] == "+4930123456"
    found = find_number("+4930123456")
    assert (found.tenant.scope.schema_name, found.agent_id) == (harbour.schema_name, agent.pk)
    assert [row["id"] for row in automation.get(NUMBERS).json()["results"]] == [made.json()["id"]]
    assert_problem(automation.post(NUMBERS, body(harbour, agent)), 409, "number_taken")
    assert automation.delete(f"{NUMBERS}/{made.json()['id']}").status_code == 204
    assert find_number("+4930123456") is None


def test_an_agent_of_another_tenant_answers_nothing(automation, harbour, agency, agent):
    refused = automation.post(NUMBERS, body(agency, agent))
    assert_problem(refused, 422, "unknown_agent", field="agent")


@pytest.mark.parametrize("number", ["030123456", "+0123456789", "+49301234567890123", "++4930123", "+49a", "112"])
def test_what_is_no_number_is_refused(automation, harbour, agent, number):
    assert_problem(automation.post(NUMBERS, body(harbour, agent, number)), 422, "invalid_number", field="number")


def test_no_tenant_sees_numbers(caller, harbour):
    assert caller.get(NUMBERS).status_code == 404
