"""Contacts' own credentials: given by the tenant's backend, shown to nobody."""

from django.db import connection

from agents.models import ToolCredential
from tenants.audit.models import AuditEvent
from tenants.context import use_tenant
from tests.factories import ToolFactory
from tests.isolation import assert_problem

ADDRESS = "/api/v1/contacts/{}/tool-credentials/{}"
VALUE = "a-token-of-adas"


def test_a_credential_is_given_replaced_and_taken_back(caller, in_harbour):
    ToolFactory(slug="shop")
    address = ADDRESS.format("ada@example.com", "shop")
    given = caller.put(address, {"value": VALUE})
    assert (given.status_code, given.json()["contact"], given.json()["tool"]) == (201, "ada@example.com", "shop")
    assert VALUE not in given.content.decode()
    assert caller.put(address, {"value": VALUE + "2"}).status_code == 200
    assert ToolCredential.objects.get().value == VALUE + "2"
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM agents_toolcredential")
        assert VALUE not in cursor.fetchone()[0]
    noted = AuditEvent.objects.filter(entity="tool_credential")
    assert noted.count() == 2
    assert VALUE not in str([vars(event) for event in noted])
    assert caller.delete(address).status_code == 204
    assert_problem(caller.delete(address), 404, "not_found")


def test_what_cant_be_is_refused(caller, in_harbour):
    ToolFactory(slug="shop")
    address = ADDRESS.format("ada", "shop")
    assert_problem(caller.put(address, {}), 422, "invalid", field="value")
    assert_problem(caller.put(address, {"value": " "}), 422, "blank_text")
    assert_problem(caller.put(address, {"value": "x", "expires_at": "soon"}), 422, "invalid", field="expires_at")
    assert_problem(caller.put(ADDRESS.format("ada", "nowhere"), {"value": "x"}), 404, "not_found")
    assert_problem(caller.put(ADDRESS.format("a" * 300, "shop"), {"value": "x"}), 422, "invalid_contact")
    assert caller.get(address).status_code == 405


def test_another_companys_tool_and_credentials_are_not_there(api, harbour, agency):
    with use_tenant(agency):
        ToolFactory(slug="theirs")
    address = ADDRESS.format("ada", "theirs")
    assert api(agency).put(address, {"value": VALUE}).status_code == 201
    stranger = api(harbour)
    assert_problem(stranger.put(address, {"value": "x"}), 404, "not_found")
    assert_problem(stranger.delete(address), 404, "not_found")
    with use_tenant(agency):
        assert ToolCredential.objects.get().value == VALUE
