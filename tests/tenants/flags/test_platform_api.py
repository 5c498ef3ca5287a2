"""The operators' flags, for all tenants, over REST on the platform's host: what all resources owe, and who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.flags import current
from tenants.flags.domain.flags import create_flag
from tenants.flags.models import Flag
from tenants.models import Tenant
from tenants.permissions import Permission
from tests.factories import FlagFactory, UserFactory
from tests.isolation import assert_problem
from tests.resource_contract import ResourceContract

FLAGS = "/api/v1/flags"
KEY = "checkout.new_flow"
GOLD = {"conditions": [{"attribute": "tier", "operator": "is", "value": "gold"}], "then": "on"}


def program(*scopes: str) -> APIClient:
    """A program of the operators', with a platform key."""
    with use_public():
        key = create_api_key(tenant=None, name="Deploy", scopes=scopes or None)[1]
    return APIClient(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")


class TestPlatformFlags(ResourceContract):
    address = FLAGS
    factory = FlagFactory
    reads, writes = Permission.FLAGS_READ, Permission.FLAGS_WRITE
    body: ClassVar = {"key": KEY, "description": "One page instead of three", "rules": [GOLD]}
    change: ClassVar = {"description": "Back to three pages", "rules": [], "default": True}

    @pytest.fixture
    def api(self, database: None) -> Callable[[Tenant], APIClient]:
        """Whichever tenant a test speaks of: these flags are none's."""
        return lambda _: program()

    def made(self, tenant: Tenant) -> Flag:
        with use_public():
            flag: Flag = FlagFactory()
        return flag

    # Who may is asked of operators and platform keys below: there are neither companies nor roles here.
    test_another_companys_rows_are_not_there: ClassVar[Any] = None
    test_a_stranger_is_asked_who_they_are: ClassVar[Any] = None
    test_a_member_does_what_their_role_allows: ClassVar[Any] = None
    test_a_program_does_what_its_scopes_allow: ClassVar[Any] = None


@pytest.fixture
def automation(database: None) -> APIClient:
    return program("flags:read", "flags:write")


def seen_by(tenant: Tenant, key: str = KEY) -> tuple[bool, str]:
    """What a flag is for a tenant, to a process that has just begun."""
    current.forget()
    with use_tenant(tenant):
        answer = current.evaluate(key)
    return answer.enabled, str(answer.reason)


def test_a_flag_is_turned_on_and_killed_for_every_tenant(
    automation: APIClient, harbour: Tenant, agency: Tenant
) -> None:
    made = automation.post(FLAGS, {"key": KEY, "default": True})
    assert made.status_code == 201, made.content
    with use_tenant(agency):
        create_flag(key=KEY, default=True)
    assert seen_by(harbour) == (True, "platform_default")
    assert seen_by(agency) == (True, "default")  # a company's own goes before
    address = f"{FLAGS}/{made.json()['id']}"
    killed = automation.patch(address, {"enabled": False, "message": "Payments fail"})
    assert killed.json()["enabled"] is False
    assert seen_by(harbour) == seen_by(agency) == (False, "platform_kill_switch")
    assert [row["key"] for row in automation.get(f"{FLAGS}?enabled=false").json()["results"]] == [KEY]
    assert automation.patch(address, {"enabled": True}).status_code == 200
    assert automation.delete(address).status_code == 204
    assert seen_by(harbour) == (False, "unknown_flag")
    assert automation.post(f"{address}/restore").status_code == 200
    assert seen_by(harbour) == (True, "platform_default")


def test_the_trail_says_who_and_why(automation: APIClient) -> None:
    pk = automation.post(FLAGS, {"key": KEY, "message": "For the spring"}).json()["id"]
    automation.patch(f"{FLAGS}/{pk}", {"enabled": False, "message": "Payments fail"})
    with use_public():
        events = AuditEvent.objects.filter(entity="flag", entity_id=pk).order_by("position")
        found = [(event.action, event.message, event.actor_kind, event.actor_name) for event in events]
    assert found == [
        ("flag.created", "For the spring", "operator", "Deploy"),
        ("flag.killed", "Payments fail", "operator", "Deploy"),
    ]


def test_a_flag_is_evaluated_for_the_tenant_that_is_supposed(automation: APIClient) -> None:
    automation.post(FLAGS, {"key": KEY, "rules": [GOLD]})
    current.forget()

    def evaluated(**fields: Any) -> Any:
        return automation.post(f"{FLAGS}/{KEY}/evaluate", fields).json()

    assert evaluated() == {"enabled": False, "reason": "platform_default", "rule_index": None}
    assert evaluated(tier="gold") == {"enabled": True, "reason": "platform_rule", "rule_index": 0}


# --- who may ----------------------------------------------------------------------------------------------------------


def test_a_key_does_what_its_scopes_allow(database: None) -> None:
    with use_public():
        flag = FlagFactory()
    address = f"{FLAGS}/{flag.pk}"
    reader, writer, other = program("flags:read"), program("flags:write"), program("tenants:read", "tenants:write")
    for answer in (reader.get(FLAGS), reader.get(address), writer.patch(address, {"default": True})):
        assert answer.status_code == 200, answer.content
    for answer in (
        reader.post(FLAGS, {"key": KEY}),
        reader.patch(address, {"enabled": False}),
        reader.delete(address),
        reader.post(f"{address}/restore"),
        writer.get(FLAGS),
        other.get(FLAGS),
        other.patch(address, {"enabled": False}),
    ):
        assert_problem(answer, 403, "forbidden")


def test_an_operator_uses_it_from_a_browser(database: None) -> None:
    browser = Client(HTTP_HOST="localhost")
    assert_problem(browser.get(FLAGS), 401, "not_authenticated")
    with use_public():
        browser.force_login(UserFactory.create(username="olga"))
    made = browser.post(FLAGS, json.dumps({"key": KEY}), content_type="application/json")
    assert made.status_code == 201, made.content
    assert browser.get(made["Location"]).json() == made.json()


def test_no_tenant_sees_or_touches_them(
    harbour: Tenant, api: Callable[[Tenant], APIClient], client_for: Callable[[Tenant], Client], api_key_for: Any
) -> None:
    with use_public():
        flag = FlagFactory(key=KEY)
    at_the_platforms = APIClient(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {api_key_for(harbour)}")
    for caller in (api(harbour), client_for(harbour), at_the_platforms):
        assert caller.get(FLAGS).json()["results"] == []
        assert caller.get(f"{FLAGS}/{flag.pk}").status_code == 404
        assert caller.delete(f"{FLAGS}/{flag.pk}").status_code == 404
    # A key brought to the platform's host speaks for its company there, too.
    assert at_the_platforms.post(FLAGS, {"key": "harbours_own"}).status_code == 201
    with use_public():
        assert list(Flag.objects.values_list("key", flat=True)) == [KEY]


def test_a_platform_key_reaches_no_tenants_flags(harbour: Tenant) -> None:
    stranger = program("flags:read", "flags:write")
    answer = stranger.get(FLAGS, headers={"Host": "harbour.localhost"})
    assert_problem(answer, 401, "invalid_api_key")
