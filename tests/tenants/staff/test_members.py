"""Roles, grants on single objects, and the owner who must not go."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIRequestFactory, force_authenticate

from knowledge.api.views import CollectionViewSet
from switchboard.kernel.problems import Conflict, Invalid, NotFound
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tenants.permissions import Permission, Role, allows
from tenants.staff.domain import members
from tenants.staff.models import User
from tests.factories import AgentFactory, CollectionFactory, ConversationFactory, DocumentFactory, UserFactory
from tests.isolation import assert_problem

P = Permission


def fresh(member: User) -> User:
    """The member as the next request finds them."""
    return User.objects.get(pk=member.pk)


def test_a_member_may_what_their_role_may_and_a_leaver_nothing(in_harbour: Tenant) -> None:
    viewer = UserFactory.create(role="viewer")
    assert allows(viewer, P.AGENTS_READ)
    assert not allows(viewer, P.AGENTS_WRITE)
    assert not allows(UserFactory.create(role="owner", is_superuser=True), P.TENANTS_WRITE)
    assert not allows(UserFactory.create(role="viewer", is_superuser=True), P.AGENTS_WRITE)
    assert not allows(UserFactory.create(role="owner", is_active=False), P.AGENTS_READ)
    assert not allows(UserFactory.create(role="owner", is_staff=False), P.AGENTS_READ)
    assert not allows(None, P.AGENTS_READ)


def test_an_operator_may_all_and_a_member_is_none_whatever_scope_is_entered(in_harbour: Tenant) -> None:
    member = UserFactory.create(role="owner")
    with use_public():
        operator = UserFactory.create(role="viewer")
        assert not allows(member, P.TENANTS_WRITE)
        assert allows(operator, P.TENANTS_WRITE)


def test_a_grant_opens_one_object_and_what_belongs_to_it(in_harbour: Tenant) -> None:
    mine, other = AgentFactory.create(), AgentFactory.create()
    viewer = UserFactory.create(role="viewer")
    members.grant_on_object(member=viewer, object_type="agents.agent", object_id=mine.pk, role="builder")
    viewer = fresh(viewer)
    assert allows(viewer, P.AGENTS_WRITE, on=mine)
    assert allows(viewer, P.AGENTS_PUBLISH, on=mine.live_release)
    assert allows(viewer, P.CONVERSATIONS_WRITE, on=ConversationFactory.create(agent=mine))
    assert not allows(viewer, P.AGENTS_WRITE, on=other)
    assert not allows(viewer, P.AGENTS_WRITE)
    assert not allows(viewer, P.MEMBERS_WRITE, on=mine)


def test_a_grant_opens_the_same_over_rest_and_in_the_admin(
    in_harbour: Tenant, client_for: Callable[..., Client]
) -> None:
    mine, other = CollectionFactory.create(), CollectionFactory.create()
    inside, outside = (DocumentFactory.create(collection=row, status="failed") for row in (mine, other))
    viewer = UserFactory.create(role="viewer")
    members.grant_on_object(member=viewer, object_type="knowledge.collection", object_id=mine.pk, role="builder")
    browser = client_for(in_harbour, viewer)

    def rename(row: Any) -> Any:
        return browser.patch(f"/api/v1/collections/{row.pk}", {"name": "Mine"}, content_type="application/json")

    assert rename(mine).status_code == 200
    assert_problem(rename(other), 403, "forbidden")
    retry = "/admin/knowledge/document/{}/retry/"
    assert browser.post(retry.format(inside.pk)).status_code == 302
    assert browser.post(retry.format(outside.pk)).status_code == 403
    change = "/admin/knowledge/collection/{}/change/"
    values = {"name": "Ours", "slug": "ours", "description": ""}
    assert browser.post(change.format(mine.pk), values).status_code == 302
    assert browser.post(change.format(other.pk), values).status_code == 403
    page = "/admin/knowledge/document/{}/change/"
    assert "Read again" not in browser.get(page.format(outside.pk)).content.decode()
    assert browser.delete(f"/api/v1/documents/{outside.pk}").status_code == 403
    assert browser.delete(f"/api/v1/documents/{inside.pk}").status_code == 204


def test_a_grant_is_given_on_what_there_is(in_harbour: Tenant, agency: Tenant) -> None:
    viewer = UserFactory.create(role="viewer")
    with use_tenant(agency):
        foreign = AgentFactory.create()
    with pytest.raises(NotFound):
        members.grant_on_object(member=viewer, object_type="agents.agent", object_id=foreign.pk, role="builder")
    with pytest.raises(Invalid):
        members.grant_on_object(member=viewer, object_type="staff.user", object_id=uuid.uuid4(), role="builder")


@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"is_active": False}])
def test_the_last_owner_stays(in_harbour: Tenant, change: dict[str, Any]) -> None:
    owner = UserFactory.create(role="owner")
    UserFactory.create(role="builder")
    UserFactory.create(role="owner", is_active=False)
    with pytest.raises(Conflict) as refusal:
        members.change_member(member=owner, **change)
    assert refusal.value.code == "last_owner"
    UserFactory.create(role="owner")
    members.change_member(member=owner, **change)


def test_of_two_owners_who_go_at_once_one_stays(live_tenants: None, in_harbour: Tenant) -> None:
    owners = [UserFactory.create(role="owner") for _ in range(2)]
    together, refused = threading.Barrier(2), []

    def leave(owner: User) -> None:
        try:
            together.wait(5)
            members.change_member(member=owner, is_active=False)
        except Conflict as problem:
            refused.append(problem.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(leave, owner)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert refused == ["last_owner"]
    assert User.objects.filter(role="owner", is_active=True).count() == 1


def test_the_last_operator_stays(database: None) -> None:
    with use_public():
        User.objects.all().delete()
        operator = UserFactory.create()
        with pytest.raises(Conflict):
            members.change_member(member=operator, is_active=False)


def test_an_action_that_declares_nothing_is_refused_even_to_owners(in_harbour: Tenant) -> None:
    class Undeclared(CollectionViewSet):
        permissions: ClassVar[Mapping[str, Permission]] = {}

    request = APIRequestFactory().get("/")
    force_authenticate(request, user=UserFactory.create(role="owner"))
    assert Undeclared.as_view({"get": "list"})(request).status_code == 403
