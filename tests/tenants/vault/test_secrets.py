"""Secrets: written and used, shown to nobody by any road."""

import pytest
from django.db import connection

from tenants.audit.models import AuditEvent
from tenants.context import use_tenant
from tenants.permissions import Permission
from tenants.vault import references
from tenants.vault.models import Secret
from tenants.vault.queries import SecretMissing, is_secret, secret_value
from tests.factories import SecretFactory
from tests.isolation import assert_problem
from tests.resource_contract import ResourceContract

SECRETS = "/api/v1/secrets"
ADMIN = "/admin/vault/secret/"
VALUE = "sk-very-secret"


class TestSecrets(ResourceContract):
    address = SECRETS
    factory = SecretFactory
    reads, writes = Permission.SECRETS_READ, Permission.SECRETS_WRITE
    body = {"name": "weather-key", "kind": "provider_key", "description": "Of the weather service"}
    change = {"kind": "webhook", "description": "Of another one"}

    # What a caller sends isn't all that they see again.
    body = {**body, "value": VALUE}


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM vault_secret")
        return cursor.fetchone()[0]


def test_a_value_is_written_and_never_shown(caller, in_harbour):
    made = caller.post(SECRETS, {"name": "weather-key", "value": VALUE, "kind": "provider_key"})
    address = made["Location"]
    changed = caller.patch(address, {"value": f"{VALUE}-2"})
    for answer in (made, changed, caller.get(address), caller.get(SECRETS)):
        assert answer.status_code in {200, 201}, answer.content
        assert VALUE not in answer.content.decode()
        assert "value" not in answer.json()
    assert secret_value("weather-key") == f"{VALUE}-2"
    assert VALUE not in stored()
    assert VALUE not in str(list(AuditEvent.objects.values("old", "new")))
    assert AuditEvent.objects.filter(entity="secret").count() == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "Weather Key"}, "name"),
        ({"name": ""}, "name"),
        ({"value": ""}, "value"),
        ({"value": "a\x00b"}, "value"),
        ({"value": None}, "value"),
        ({"kind": "password"}, "kind"),
        ({"description": "x" * 501}, "description"),
    ],
)
def test_a_field_that_cant_be_is_named(caller, in_harbour, values, field):
    body = {"name": "weather-key", "value": VALUE, **values}
    assert_problem(caller.post(SECRETS, body), 422, "invalid", field=field)


def test_a_value_has_its_bounds(caller, in_harbour):
    assert_problem(caller.post(SECRETS, {"name": "key", "value": "x" * 16_385}), 413, "too_large")
    assert caller.post(SECRETS, {"name": "key", "value": " padded "}).status_code == 201
    assert secret_value("key") == " padded "


def test_a_name_is_taken_once_and_stays(caller, in_harbour):
    made = caller.post(SECRETS, {"name": "key", "value": VALUE}).json()
    assert_problem(caller.post(SECRETS, {"name": "key", "value": VALUE}), 409, "secret_exists")
    assert caller.patch(f"{SECRETS}/{made['id']}", {"name": "other"}).json()["name"] == "key"


def test_a_secret_of_one_company_is_none_of_anothers(harbour, agency):
    with use_tenant(agency):
        SecretFactory(name="key")
    with use_tenant(harbour):
        assert not is_secret("key")
        with pytest.raises(SecretMissing):
            secret_value("key")


def test_a_secret_that_is_used_stays(caller, staff, in_harbour, monkeypatch):
    monkeypatch.setitem(references._users, "tests", lambda name: ["tool “Weather”"] if name == "key" else [])
    used, unused = SecretFactory(name="key"), SecretFactory(name="other")
    refused = assert_problem(caller.delete(f"{SECRETS}/{used.pk}"), 409, "secret_in_use")
    assert "tool “Weather”" in refused["detail"]
    assert "tool “Weather”" in staff.post(f"{ADMIN}{used.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert caller.delete(f"{SECRETS}/{unused.pk}").status_code == 204
    assert Secret.objects.get() == used


# --- in the admin -----------------------------------------------------------------------------------------------------


def test_staff_write_a_secret_and_never_see_it(staff, in_harbour):
    form = {"name": "key", "kind": "other", "description": "", "new_value": VALUE}
    pages = [staff.post(f"{ADMIN}add/", form, follow=True)]
    row = Secret.objects.get()
    assert secret_value("key") == VALUE
    pages += [staff.get(f"{ADMIN}{row.pk}/change/"), staff.get(ADMIN)]
    form = {"kind": "webhook", "description": "New", "new_value": ""}
    pages.append(staff.post(f"{ADMIN}{row.pk}/change/", form, follow=True))
    for page in pages:
        assert page.status_code == 200
        assert VALUE not in page.content.decode()
    row = Secret.objects.get()
    assert (row.value, row.kind, row.description, row.name) == (VALUE, "webhook", "New", "key")
    staff.post(f"{ADMIN}{row.pk}/change/", {"kind": "webhook", "description": "New", "new_value": "another"})
    assert secret_value("key") == "another"
    staff.post(f"{ADMIN}{row.pk}/delete/", {"post": "yes"})
    assert not Secret.objects.exists()


def test_a_new_secret_needs_a_value_and_a_name_of_its_own(staff, in_harbour):
    SecretFactory(name="key")
    for values in ({"name": "other", "new_value": ""}, {"name": "key", "new_value": "x"}, {"name": "A b"}):
        staff.post(f"{ADMIN}add/", {"kind": "other", "description": "", "new_value": "x", **values})
    assert Secret.objects.count() == 1
