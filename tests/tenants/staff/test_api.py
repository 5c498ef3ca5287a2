"""Members, grants and invitations over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.models import Tenant
from tenants.permissions import ROLE_PERMISSIONS, Permission, Role
from tenants.staff.domain import invitations
from tenants.staff.models import User
from tests.factories import AgentFactory, UserFactory
from tests.isolation import assert_hidden, assert_not_listed, assert_problem
from tests.query_count import queries
from tests.resource_contract import ResourceContract

MEMBERS = "/api/v1/members"
INVITATIONS = "/api/v1/invitations"


class TestMembers(ResourceContract):
    address = MEMBERS
    factory = UserFactory
    reads, writes = Permission.MEMBERS_READ, Permission.MEMBERS_WRITE
    change = {"first_name": "Mara"}
    deletable = False


def test_a_member_is_shown_without_what_is_secret(caller: APIClient, in_harbour: Tenant) -> None:
    member = UserFactory.create(username="mara", role="builder")
    shown = caller.get(f"{MEMBERS}/{member.pk}").json()
    assert (shown["username"], shown["role"], shown["has_second_factor"]) == ("mara", "builder", False)
    assert not [name for name in shown if "password" in name]


def test_members_are_filtered(caller: APIClient, in_harbour: Tenant) -> None:
    UserFactory.create(role="viewer", username="vera")
    UserFactory.create(role="owner", username="olga", is_active=False)
    names = lambda query: {row["username"] for row in caller.get(f"{MEMBERS}?{query}").json()["results"]}  # noqa: E731
    assert names("role=viewer") == {"vera"}
    assert names("is_active=false") == {"olga"}
    assert names("email=VERA@example.com") == {"vera"}
    assert_problem(caller.get(f"{MEMBERS}?role=king"), 422, "invalid", field="role")


def test_roles_change_and_leavers_are_out_at_once(
    caller: APIClient, in_harbour: Tenant, client_for: Callable[..., Client]
) -> None:
    UserFactory.create(role="owner")
    member = UserFactory.create(role="viewer")
    browser = client_for(in_harbour, member)
    assert caller.patch(f"{MEMBERS}/{member.pk}", {"role": "builder"}).json()["role"] == "builder"
    assert (
        browser.post("/api/v1/collections", {"name": "a", "slug": "a"}, content_type="application/json").status_code
        == 201
    )
    assert caller.patch(f"{MEMBERS}/{member.pk}", {"is_active": False}).status_code == 200
    assert browser.get("/api/v1/collections").status_code == 401


def test_the_last_owner_stays(caller: APIClient, in_harbour: Tenant) -> None:
    owner = UserFactory.create(role="owner")
    for change in ({"role": "viewer"}, {"is_active": False}):
        assert_problem(caller.patch(f"{MEMBERS}/{owner.pk}", change), 409, "last_owner")


def test_grants_are_given_and_taken_back(caller: APIClient, in_harbour: Tenant, agency: Tenant) -> None:
    agent, member = AgentFactory.create(), UserFactory.create(role="viewer")
    grants = f"{MEMBERS}/{member.pk}/grants"
    body = {"object_type": "agents.agent", "object_id": str(agent.pk), "role": "builder"}
    made = caller.post(grants, body)
    assert made.status_code == 201
    assert caller.post(grants, body).json()["id"] == made.json()["id"]
    assert User.objects.get(pk=member.pk).may(Permission.AGENTS_WRITE, agent)
    assert_problem(caller.post(grants, {**body, "object_type": "staff.user"}), 422, "unknown_object_type")
    with use_tenant(agency):
        foreign = AgentFactory.create()
    assert_problem(caller.post(grants, {**body, "object_id": str(foreign.pk)}), 404, "not_found")
    assert caller.delete(f"{grants}/{made.json()['id']}").status_code == 204
    assert caller.get(grants).json()["results"] == []
    assert not User.objects.get(pk=member.pk).may(Permission.AGENTS_WRITE, agent)


def test_an_invitation_is_sent_listed_and_revoked(caller: APIClient, in_harbour: Tenant) -> None:
    made = caller.post(INVITATIONS, {"email": "ana@example.com", "role": "analyst"}, HTTP_IDEMPOTENCY_KEY="i-1")
    assert made.status_code == 201
    assert made.json()["link"].startswith("http://harbour.localhost/admin/invitation/")
    shown = caller.get(f"{INVITATIONS}/{made.json()['id']}").json()
    assert "link" not in shown
    assert_problem(caller.post(INVITATIONS, {"email": "ana@example.com"}), 409, "already_invited")
    assert caller.delete(f"{INVITATIONS}/{shown['id']}").status_code == 204
    assert caller.get(f"{INVITATIONS}/{shown['id']}").json()["revoked_at"]


def test_another_companys_people_are_not_there(api: Callable[..., APIClient], harbour: Tenant, agency: Tenant) -> None:
    with use_tenant(agency):
        member = UserFactory.create()
        row, _ = invitations.invite(email="zoe@example.com", role="viewer", site="http://agency.localhost")
    stranger = api(harbour)
    assert_not_listed(stranger, INVITATIONS, row.pk)
    assert_hidden(stranger, "get", lambda pk: f"{INVITATIONS}/{pk}", row.pk)
    assert_hidden(stranger, "delete", lambda pk: f"{INVITATIONS}/{pk}", row.pk)
    assert_hidden(stranger, "get", lambda pk: f"{MEMBERS}/{pk}/grants", member.pk)
    assert_hidden(stranger, "post", lambda pk: f"{MEMBERS}/{pk}/reset-second-factor", member.pk)


def test_the_teams_pages_ask_as_often_for_three_as_for_one(staff: Client, in_harbour: Tenant) -> None:
    member = UserFactory.create()
    addresses = ["/admin/staff/user/", "/admin/staff/invitation/", f"/admin/staff/user/{member.pk}/change/"]

    def add(number: int) -> Any:
        agent = AgentFactory.create()
        member.grants.create(object_type="agents.agent", object_id=agent.pk, role="builder")
        UserFactory.create()
        invitations.invite(email=f"a{number}@example.com", role="viewer", site="http://harbour.localhost")

    add(0)
    one = [queries(staff, address) for address in addresses]
    add(1)
    add(2)
    assert [queries(staff, address) for address in addresses] == one


def test_the_team_page_gives_and_takes_roles_on_objects(staff: Client, in_harbour: Tenant) -> None:
    agent, member = AgentFactory.create(), UserFactory.create(role="viewer")
    page = f"/admin/staff/user/{member.pk}/"
    staff.post(f"{page}grants/", {"target": f"agents.agent:{agent.pk}", "role": "builder"})
    grant = member.grants.get()
    assert str(agent) in staff.get(f"{page}change/").content.decode()
    staff.post(f"{page}grants/{grant.pk}/revoke/")
    assert not member.grants.exists()
    assert (
        "Choose an object" in staff.post(f"{page}grants/", {"target": "x", "role": "x"}, follow=True).content.decode()
    )


def test_a_key_that_manages_members_makes_nobody_more_than_itself(in_harbour: Tenant) -> None:
    """Nor does it lead an owner's mail, and with it their forgotten password, elsewhere."""
    agent, owner, viewer = AgentFactory.create(), UserFactory.create(role="owner"), UserFactory.create(role="viewer")
    scopes = [*ROLE_PERMISSIONS[Role.VIEWER], Permission.MEMBERS_READ, Permission.MEMBERS_WRITE]
    with use_public():
        key = create_api_key(tenant=in_harbour, name="tests", scopes=scopes)[1]
    program = APIClient(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
    grant = {"object_type": "agents.agent", "object_id": str(agent.pk)}
    for refused in (
        program.patch(f"{MEMBERS}/{viewer.pk}", {"role": "owner"}),
        program.patch(f"{MEMBERS}/{owner.pk}", {"email": "mine@example.com"}),
        program.patch(f"{MEMBERS}/{owner.pk}", {"role": "viewer"}),
        program.post(f"{MEMBERS}/{owner.pk}/reset-second-factor"),
        program.post(f"{MEMBERS}/{viewer.pk}/grants", {**grant, "role": "builder"}),
        program.post(INVITATIONS, {"email": "mine@example.com", "role": "owner"}),
    ):
        assert_problem(refused, 403, "role_not_held")
    assert program.patch(f"{MEMBERS}/{viewer.pk}", {"first_name": "Vera"}).status_code == 200
    assert program.post(f"{MEMBERS}/{viewer.pk}/grants", {**grant, "role": "viewer"}).status_code == 201
    assert program.post(INVITATIONS, {"email": "vera2@example.com", "role": "viewer"}).status_code == 201
