"""Companies on the operators' site; API keys and the team on a company's own."""

import re

import pytest
from django.test import Client

from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.models import ApiKey, Domain, Tenant
from tenants.staff.models import User
from tests.factories import UserFactory
from tests.query_count import queries

KEYS = "/admin/tenants/apikey/"
TEAM = "/admin/staff/user/"
TENANTS = "/admin/tenants/tenant/"
API = "/api/v1/api-keys"
PERSON = {"first_name": "", "last_name": "", "email": "", "role": "owner", "is_active": "on"}


@pytest.fixture
def member(in_harbour, client_for):
    return client_for(in_harbour, UserFactory(role="viewer"))


@pytest.fixture
def operator(database):
    client = Client(HTTP_HOST="localhost")
    with use_public():
        client.force_login(UserFactory())
    return client


def key_of(tenant, name="website"):
    with use_public():
        return create_api_key(tenant=tenant, name=name)[0]


# --- API keys ---------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works(staff, harbour):
    page = staff.post(f"{KEYS}add/", {"name": "website", "lifetime": "", "scopes": ["agents:read"]}).content.decode()
    key = re.search(r"sb_[0-9a-f]{12}_[\w-]{43}", page)[0]
    assert "can&#x27;t be had again" in page or "can't be had again" in page
    assert key not in staff.get(KEYS).content.decode()
    assert ApiKey.objects.get().tenant_id == harbour.pk
    answer = Client(HTTP_HOST="harbour.localhost").get("/admin/login/", HTTP_AUTHORIZATION=f"Bearer {key}")
    assert answer.status_code == 200


def test_a_key_can_end_by_itself(staff):
    staff.post(f"{KEYS}add/", {"name": "website", "lifetime": "30", "scopes": ["agents:read"]})
    row = ApiKey.objects.get()
    assert (row.expires_at - row.created_at).days in {29, 30}


def test_a_key_is_revoked(staff, harbour):
    row = key_of(harbour)
    assert "refused within a few seconds" in staff.post(f"{KEYS}{row.pk}/revoke/", follow=True).content.decode()
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert "Revoked" in staff.get(KEYS).content.decode()
    assert staff.get(f"{KEYS}{row.pk}/revoke/").status_code == 405


def test_nobody_gives_a_key_what_they_lack(in_harbour, client_for, monkeypatch):
    from tenants.permissions import ROLE_PERMISSIONS, Permission, Role

    few = {**ROLE_PERMISSIONS, Role.BUILDER: ROLE_PERMISSIONS[Role.BUILDER] | {Permission.KEYS_WRITE}}
    monkeypatch.setattr("tenants.staff.models.ROLE_PERMISSIONS", few)
    builder = client_for(in_harbour, UserFactory(role="builder"))
    page = builder.get(f"{KEYS}add/").content.decode()
    assert "agents:publish" in page
    assert "members:write" not in page
    answer = builder.post(f"{KEYS}add/", {"name": "x", "lifetime": "", "scopes": ["members:write"]})
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()
    strong = key_of(in_harbour)
    answer = builder.post(f"{KEYS}{strong.pk}/rotate/", {"hours": "1"})
    assert (answer.status_code, ApiKey.objects.count()) == (422, 1)


def test_a_key_is_rotated(staff, harbour):
    old = key_of(harbour)
    page = staff.post(f"{KEYS}{old.pk}/rotate/", {"hours": "24"})
    assert "no-store" in page["Cache-Control"]
    key = re.search(r"sb_[0-9a-f]{12}_[\w-]{43}", page.content.decode())[0]
    assert Client(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {key}").get(API).status_code == 200
    assert "Replaced, ends soon" in staff.get(KEYS).content.decode()
    again = staff.post(f"{KEYS}{old.pk}/rotate/", {"hours": "24"})
    assert (again.status_code, b"rotated already" in again.content) == (422, True)


def test_another_tenants_key_is_not_rotated(staff, agency):
    row = key_of(agency)
    assert staff.post(f"{KEYS}{row.pk}/rotate/", {"hours": "1"}).status_code == 404
    assert ApiKey.objects.count() == 1


def test_another_tenants_key_is_not_found(staff, agency):
    row = key_of(agency, name="the agency's own")
    page = staff.get(KEYS).content.decode()
    assert "agency" not in page
    assert row.prefix not in page
    assert staff.post(f"{KEYS}{row.pk}/revoke/").status_code == 404
    for rest in ("change/", "delete/", "history/"):
        answer = staff.get(f"{KEYS}{row.pk}/{rest}", follow=True)
        assert row.prefix not in answer.content.decode()
    staff.post(f"{KEYS}{row.pk}/delete/", {"post": "yes"})
    staff.post(KEYS, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    row.refresh_from_db()
    assert row.revoked_at is None


def test_keys_and_team_are_the_administrators(member):
    assert member.get("/admin/").status_code == 200
    for address in (KEYS, f"{KEYS}add/", TEAM):
        assert member.get(address).status_code == 403
    assert "API keys" not in member.get("/admin/").content.decode()


def test_a_member_revokes_nothing(member, harbour):
    row = key_of(harbour)
    assert member.post(f"{KEYS}{row.pk}/revoke/").status_code == 403


def test_a_staff_site_knows_no_companies(staff):
    assert staff.get(TENANTS).status_code == 404


@pytest.mark.parametrize("address", [KEYS, TEAM])
def test_lists_ask_as_often_for_three_rows_as_for_one(staff, harbour, address):
    key_of(harbour)
    one = queries(staff, address)
    for number in range(2):
        key_of(harbour, name=f"key {number}")
        UserFactory()
    assert queries(staff, address) == one


# --- the team ---------------------------------------------------------------------------------------------------------


def test_a_member_joins_and_signs_in(staff, in_harbour):
    values = {
        "username": "jo",
        "password1": "a very quiet bay",
        "password2": "a very quiet bay",
        "usable_password": "true",
        "role": "builder",
    }
    staff.post(f"{TEAM}add/", values)
    member = User.objects.get(username="jo")
    assert (member.is_staff, member.role) == (True, "builder")
    assert Client(HTTP_HOST="harbour.localhost").login(username="jo", password="a very quiet bay")


def test_the_team_of_one_company_is_not_anothers(staff, agency, client_for):
    with use_tenant(agency):
        UserFactory(username="zoe-of-the-agency")
    assert "zoe" not in staff.get(TEAM).content.decode()


def test_the_last_owner_stays_one(staff, in_harbour):
    me = User.objects.get()
    page = staff.post(f"{TEAM}{me.pk}/change/", {**PERSON, "role": "builder"}, follow=True)
    assert "last owner" in page.content.decode()
    me.refresh_from_db()
    assert me.role == "owner"


def test_who_leaves_is_made_inactive_and_never_deleted(staff, operator, in_harbour):
    leaver = UserFactory(username="leaver")
    assert staff.post(f"{TEAM}{leaver.pk}/delete/", {"post": "yes"}).status_code == 403
    staff.post(TEAM, {"action": "delete_selected", "_selected_action": [leaver.pk], "post": "yes"})
    staff.post(f"{TEAM}{leaver.pk}/change/", {**PERSON, "is_active": ""})
    leaver.refresh_from_db()
    assert not leaver.is_active
    with use_public():
        other = UserFactory()
    assert operator.post(f"{TEAM}{other.pk}/delete/", {"post": "yes"}).status_code == 403


# --- operators --------------------------------------------------------------------------------------------------------


def test_operators_sign_in_on_the_platforms_host(database):
    answer = Client(HTTP_HOST="localhost").get(TENANTS)
    assert answer["Location"].startswith("/admin/login/")


def test_staff_are_no_operators(staff, harbour):
    with use_tenant(harbour):
        session = staff.cookies["sessionid"].value
    client = Client(HTTP_HOST="localhost")
    client.cookies["sessionid"] = session
    assert client.get(TENANTS).status_code == 302


def test_operators_see_companies_with_their_hostnames(operator, harbour, agency):
    page = operator.get(TENANTS).content.decode()
    for words in ("Harbour Hotel", "harbour.localhost", "Agency Homes", "Ready"):
        assert words in page


@pytest.mark.parametrize("address", [TENANTS, "/admin/"])
def test_operators_pages_ask_as_often_for_three_tenants_as_for_two(operator, harbour, address):
    two = queries(operator, address)
    with use_public():
        third = Tenant.objects.create(name="Third", slug="third", schema_name="t_third")
        Domain.objects.create(tenant=third, domain="third.localhost")
    assert queries(operator, address) == two


def test_a_company_is_made(live_tenants, operator):
    answer = operator.post(
        f"{TENANTS}add/", {"name": "Boats", "slug": "boats", "domains": "Boats.localhost\nwww.boats.example"}
    )
    made = Tenant.objects.get(slug="boats")
    assert answer["Location"] == f"{TENANTS}{made.pk}/change/"
    assert made.status == "ready"
    assert set(made.domains.values_list("domain", flat=True)) == {"boats.localhost", "www.boats.example"}
    assert b"Boats" in Client(HTTP_HOST="boats.localhost").get("/admin/login/").content


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"slug": "Not A Slug"}, "slug"),
        ({"domains": "http://x/"}, "domains"),
        ({"domains": "boats.localhost:8000"}, "domains"),
        ({"domains": " \n"}, "domains"),
        ({"slug": "harbour"}, None),
        ({"domains": "agency.localhost"}, None),
    ],
)
def test_a_company_that_cant_be_says_why(operator, agency, values, field):
    page = operator.post(f"{TENANTS}add/", {"name": "Boats", "slug": "boats", "domains": "boats.localhost", **values})
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert errors[field or "__all__"]
    assert not Tenant.objects.filter(name="Boats").exists()


def test_a_company_is_suspended_and_resumed(operator, harbour):
    from tenants import directory

    operator.post(f"{TENANTS}{harbour.pk}/suspend/")
    directory.hosts.forget()
    assert Client(HTTP_HOST="harbour.localhost").get("/admin/login/").status_code == 403
    assert (
        "Only a tenant that is ready" in operator.post(f"{TENANTS}{harbour.pk}/suspend/", follow=True).content.decode()
    )
    operator.post(f"{TENANTS}{harbour.pk}/resume/")
    directory.hosts.forget()
    assert Client(HTTP_HOST="harbour.localhost").get("/admin/login/").status_code == 200


def test_a_company_is_deleted_and_had_back(operator, harbour):
    from tenants import directory

    page = operator.post(f"{TENANTS}{harbour.pk}/end/", follow=True).content.decode()
    assert "Deleted" in page
    directory.hosts.forget()
    assert Client(HTTP_HOST="harbour.localhost").get("/admin/login/").status_code == 404
    operator.post(f"{TENANTS}{harbour.pk}/restore/")
    directory.hosts.forget()
    assert Client(HTTP_HOST="harbour.localhost").get("/admin/login/").status_code == 200


def test_operators_note_a_tier_and_what_else_they_know(operator, harbour):
    notes = f"{TENANTS}{harbour.pk}/notes/"
    operator.post(notes, {"name": "Harbour Hotel", "service_tier": "premium", "metadata": '{"region": "eu"}'})
    harbour.refresh_from_db()
    assert (harbour.service_tier, harbour.metadata) == ("premium", {"region": "eu"})
    assert "premium" in operator.get(f"{TENANTS}{harbour.pk}/change/").content.decode()
    for metadata in ('{"a": [1]}', "{", "[1]"):
        answer = operator.post(notes, {"name": "x", "service_tier": "free", "metadata": metadata})
        assert answer.status_code == 422
    harbour.refresh_from_db()
    assert harbour.service_tier == "premium"


def test_hostnames_come_and_go_but_one_stays(operator, harbour):
    page = f"{TENANTS}{harbour.pk}/"
    operator.post(f"{page}domains/", {"domain": "www.Harbour.example"})
    assert Client(HTTP_HOST="www.harbour.example").get("/admin/login/").status_code == 200
    with use_public():
        first, second = harbour.domains.order_by("pk")
    operator.post(f"{page}domains/{first.pk}/remove/")
    with use_public():
        assert list(harbour.domains.values_list("domain", "is_primary")) == [("www.harbour.example", True)]
    answer = operator.post(f"{page}domains/{second.pk}/remove/", follow=True)
    assert "at least one hostname" in answer.content.decode()


@pytest.mark.parametrize("name", ["", "a b", "x:8000", "https://x", "-x", "agency.localhost"])
def test_a_hostname_that_cant_be_is_refused(operator, harbour, agency, name):
    operator.post(f"{TENANTS}{harbour.pk}/domains/", {"domain": name})
    with use_public():
        assert harbour.domains.count() == 1


def test_a_hostname_of_another_company_isnt_removed_here(operator, harbour, agency):
    with use_public():
        foreign = agency.domains.get()
    assert operator.post(f"{TENANTS}{harbour.pk}/domains/{foreign.pk}/remove/").status_code == 404


def test_operators_home_leads_to_companies(operator):
    assert TENANTS in operator.get("/admin/").content.decode()
    assert "operator" in operator.get("/admin/").content.decode().lower()
    assert operator.get(TEAM).status_code == 200
