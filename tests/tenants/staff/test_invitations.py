"""Invitations: a link that makes somebody a member, once."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tenants.staff.domain import invitations
from tenants.staff.models import Invitation, User
from tests.factories import UserFactory

SITE = "http://harbour.localhost"
COMING = {"first_name": "Ana", "last_name": "Lima", "password": "a very quiet bay"}


def invite(email: str = "ana@example.com", role: str = "builder") -> tuple[Invitation, str]:
    row, link = invitations.invite(email=email, role=role, site=SITE)
    return row, link.removeprefix(SITE)


def browser(host: str = "harbour.localhost") -> Client:
    return Client(HTTP_HOST=host)


def test_an_invited_person_chooses_a_password_and_is_in(in_harbour: Tenant) -> None:
    row, link = invite("Ana@Example.com")
    client = browser()
    page = client.get(link).content.decode()
    assert "ana@example.com" in page
    assert "builder" in page
    assert client.post(link, COMING)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    member = User.objects.get(username="ana@example.com")
    assert (member.role, member.email, member.get_full_name()) == ("builder", "ana@example.com", "Ana Lima")
    row.refresh_from_db()
    assert row.accepted_at is not None
    assert (
        browser().post("/admin/login/", {"login": "ana@example.com", "password": COMING["password"]}).status_code == 302
    )


def test_a_link_works_once_and_not_after_a_week_nor_once_revoked(in_harbour: Tenant) -> None:
    _, used = invite("a@example.com")
    browser().post(used, COMING)
    expired, late = invite("b@example.com")
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    revoked, ended = invite("c@example.com")
    invitations.revoke(invitation=revoked)
    for link in (used, late, ended, "/admin/invitation/made-up/"):
        client = browser()
        assert client.get(link).status_code == 410
        assert client.post(link, COMING).status_code == 410
        assert client.get("/admin/").status_code == 302
    assert User.objects.count() == 1


def test_a_link_of_one_company_opens_no_other(in_harbour: Tenant, agency: Tenant) -> None:
    _, link = invite()
    for host in ("agency.localhost", "localhost"):
        assert browser(host).get(link).status_code == 410


def test_a_weak_password_is_refused_and_the_link_stays_good(in_harbour: Tenant) -> None:
    _, link = invite()
    for weak in ("short", "password", "ana@example.com"):
        page = browser().post(link, {**COMING, "password": weak})
        assert page.status_code == 200
        assert "password" in page.content.decode()
    assert browser().post(link, COMING).status_code == 302


def test_of_two_who_follow_one_link_at_once_one_comes_in(live_tenants: None, in_harbour: Tenant) -> None:
    _, link = invite()
    token = link.split("/")[-2]
    together, outcomes = threading.Barrier(2), []

    def come() -> None:
        together.wait(5)
        try:
            invitations.accept(token=token, password="a very quiet bay")
            outcomes.append("in")
        except Problem as problem:
            outcomes.append(problem.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(come,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == ["in", "invitation_ended"]
    assert User.objects.count() == 1


def test_only_a_digest_of_the_token_is_kept(in_harbour: Tenant) -> None:
    row, link = invite()
    token = link.split("/")[-2]
    assert len(token) >= 43
    assert token not in row.token_digest


def test_who_is_a_member_or_invited_already_isnt_invited(in_harbour: Tenant) -> None:
    UserFactory.create(username="mara", email="Mara@example.com")
    with pytest.raises(Conflict) as refusal:
        invite("mara@example.com")
    assert refusal.value.code == "member_exists"
    first, _ = invite("ana@example.com")
    with pytest.raises(Conflict) as refusal:
        invite("ANA@example.com")
    assert refusal.value.code == "already_invited"
    Invitation.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    invite("ana@example.com")
    with pytest.raises(Invalid):
        invite("no address")
    with pytest.raises(Invalid):
        invite("x@example.com", role="king")


def test_the_mail_brings_the_link(live_tenants: None, in_harbour: Tenant, mails: list[Any]) -> None:
    _, link = invite()
    (mail,) = mails
    assert mail.to == ["ana@example.com"]
    assert SITE + link in mail.body
    assert "Harbour Hotel" in mail.subject


# --- the admin --------------------------------------------------------------------------------------------------------


def test_an_owner_invites_and_is_shown_the_link_where_no_mail_leaves(staff: Client, in_harbour: Tenant) -> None:
    page = staff.post("/admin/staff/invitation/add/", {"email": "ana@example.com", "role": "analyst"})
    found = re.search(r"data-link>([^<]+)<", page.content.decode())
    assert found
    assert found[1] not in staff.get("/admin/staff/invitation/").content.decode()
    assert browser().post(found[1].removeprefix(SITE), COMING).status_code == 302
    assert User.objects.get(username="ana@example.com").role == "analyst"


def test_with_a_mail_server_the_link_is_shown_to_nobody_else(staff: Client, in_harbour: Tenant) -> None:
    with override_settings(EMAIL_HOST="mail.example.com"):
        page = staff.post("/admin/staff/invitation/add/", {"email": "ana@example.com", "role": "viewer"}, follow=True)
    assert "on its way" in page.content.decode()
    assert "/admin/invitation/" not in page.content.decode()


def test_an_owner_revokes(staff: Client, in_harbour: Tenant) -> None:
    row, link = invite()
    assert "Revoke" in staff.get("/admin/staff/invitation/").content.decode()
    staff.post(f"/admin/staff/invitation/{row.pk}/revoke/")
    assert browser().get(link).status_code == 410


def test_operators_invite_the_first_owner_of_a_tenant_and_each_other(harbour: Tenant) -> None:
    operator = Client(HTTP_HOST="localhost")
    with use_public():
        operator.force_login(UserFactory.create())
    page = operator.post(f"/admin/tenants/tenant/{harbour.pk}/invite/", {"email": "ana@example.com"})
    found = re.search(r"data-link>http://harbour.localhost([^<]+)<", page.content.decode())
    assert found
    client = browser()
    client.post(found[1], COMING)
    assert client.get("/admin/staff/user/").status_code == 200
    with use_tenant(harbour):
        assert User.objects.get().role == "owner"
    page = operator.post("/admin/staff/invitation/add/", {"email": "olga@example.com", "role": "viewer"})
    found = re.search(r"data-link>http://localhost([^<]+)<", page.content.decode())
    assert found
    colleague = browser("localhost")
    colleague.post(found[1], COMING)
    assert colleague.get("/admin/tenants/tenant/").status_code == 200


def test_only_owners_invite(in_harbour: Tenant, client_for: Callable[..., Client]) -> None:
    builder = client_for(in_harbour, UserFactory.create(role="builder"))
    assert "Invite" not in builder.get("/admin/staff/user/").content.decode()
    assert builder.post("/admin/staff/invitation/add/", {"email": "x@example.com", "role": "owner"}).status_code == 403
    answer = builder.post(
        "/api/v1/invitations", {"email": "x@example.com", "role": "owner"}, content_type="application/json"
    )
    assert answer.status_code == 403
    assert not Invitation.objects.exists()
