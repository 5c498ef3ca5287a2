"""API keys over REST: the table is shared by all tenants, what one sees of it is its own."""

import datetime as dt
import json

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tenants import directory
from tenants.context import use_public
from tenants.domain.api_keys import create_api_key
from tenants.models import ApiKey
from tests.isolation import assert_hidden, assert_not_listed, assert_problem

KEYS = "/api/v1/api-keys"


def test_a_key_is_shown_once_and_works(caller, harbour):
    made = caller.post(KEYS, {"name": "Website"})
    assert made.status_code == 201
    key = made.json()["key"]
    assert key.startswith("sb_")
    shown = caller.get(f"{KEYS}/{made.json()['id']}").json()
    assert "key" not in shown
    assert key not in caller.get(KEYS).content.decode()
    answer = Client(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {key}").get(KEYS)
    assert answer.status_code == 200


def test_a_revoked_key_is_refused(caller, harbour):
    made = caller.post(KEYS, {"name": "Website"}).json()
    assert caller.delete(f"{KEYS}/{made['id']}").status_code == 204
    directory.keys.forget()
    answer = Client(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {made['key']}").get(KEYS)
    assert_problem(answer, 401, "invalid_api_key")
    assert caller.get(f"{KEYS}/{made['id']}").json()["revoked_at"]
    assert caller.delete(f"{KEYS}/{made['id']}").status_code == 204


def test_a_key_may_end_by_itself(caller, harbour):
    soon = timezone.now() + dt.timedelta(hours=1)
    made = caller.post(KEYS, {"name": "Website", "expires_at": soon.isoformat()}).json()
    assert dt.datetime.fromisoformat(made["expires_at"]) == soon
    assert_problem(
        caller.post(KEYS, {"name": "x", "expires_at": "2001-01-01T00:00:00Z"}), 422, "invalid", field="expires_at"
    )
    assert_problem(caller.post(KEYS, {"name": "x", "expires_at": "soon"}), 422, "invalid", field="expires_at")
    assert_problem(caller.post(KEYS, {"name": ""}), 422, "invalid", field="name")


def test_a_repeated_request_shows_the_same_key(caller, harbour):
    first, again = (caller.post(KEYS, {"name": "Website"}, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert first.json()["key"] == again.json()["key"]
    with use_public():
        assert ApiKey.objects.filter(tenant=harbour, name="Website").count() == 1


def test_another_companys_keys_are_not_there(api, harbour, agency):
    with use_public():
        row, _ = create_api_key(tenant=agency, name="Agency's")
    stranger = api(harbour)
    assert_not_listed(stranger, KEYS, row.id)
    assert_hidden(stranger, "get", lambda pk: f"{KEYS}/{pk}", row.id)
    assert_hidden(stranger, "delete", lambda pk: f"{KEYS}/{pk}", row.id)
    with use_public():
        row.refresh_from_db()
        assert row.is_usable


def test_staff_makes_keys_for_its_own_company(client_for, harbour):
    made = client_for(harbour).post(KEYS, json.dumps({"name": "Website"}), content_type="application/json")
    with use_public():
        assert ApiKey.objects.get(pk=made.json()["id"]).tenant_id == harbour.id


def test_a_key_works_on_the_platforms_host_for_its_own_tenant_alone(api_key_for, harbour, agency):
    with use_public():
        theirs, _ = create_api_key(tenant=agency, name="Agency's")
    caller = Client(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {api_key_for(harbour)}")
    assert_not_listed(caller, KEYS, theirs.id)


def test_more_rows_cost_no_more_queries(caller, api_key_for, harbour, django_assert_num_queries):
    caller.get(KEYS)
    with django_assert_num_queries(1):
        caller.get(KEYS)
    for _ in range(3):
        api_key_for(harbour)
    with django_assert_num_queries(1):
        assert len(caller.get(KEYS).json()["results"]) == 4


def program(host, key):
    return APIClient(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Bearer {key}")


def test_a_key_shows_its_scopes_and_gives_no_more_than_it_has(caller, harbour):
    made = caller.post(KEYS, {"name": "Website", "scopes": ["keys:write", "keys:read", "agents:read"]}).json()
    assert made["scopes"] == ["agents:read", "keys:read", "keys:write"]
    narrow = program("harbour.localhost", made["key"])
    assert narrow.post(KEYS, {"name": "x"}).json()["scopes"] == made["scopes"]
    for scopes in (["agents:write"], ["agents:read", "audit:read"]):
        assert_problem(narrow.post(KEYS, {"name": "x", "scopes": scopes}), 403, "scope_not_held")
    for scopes in (["tenants:read"], ["everything"], [], "agents:read"):
        assert_problem(caller.post(KEYS, {"name": "x", "scopes": scopes}), 422, "invalid")


def test_a_key_is_rotated_and_the_new_one_shown_once(caller, harbour):
    old = caller.post(KEYS, {"name": "Website", "scopes": ["keys:read"]}).json()
    new = caller.post(f"{KEYS}/{old['id']}/rotate", {"hours": 1}).json()
    assert (new["name"], new["scopes"]) == ("Website", ["keys:read"])
    shown = caller.get(f"{KEYS}/{old['id']}").json()
    assert shown["replaced_by"] == new["id"]
    assert dt.datetime.fromisoformat(shown["expires_at"]) < timezone.now() + dt.timedelta(hours=1, minutes=1)
    for key in (old["key"], new["key"]):
        assert program("harbour.localhost", key).get(KEYS).status_code == 200
    assert_problem(caller.post(f"{KEYS}/{old['id']}/rotate"), 409, "api_key_rotated")
    assert_problem(caller.post(f"{KEYS}/{new['id']}/rotate", {"hours": 169}), 422, "invalid", field="hours")


def test_a_repeated_rotation_shows_the_same_key(caller, harbour):
    old = caller.post(KEYS, {"name": "Website"}).json()
    first, again = (
        caller.post(f"{KEYS}/{old['id']}/rotate", headers={"Idempotency-Key": "once"}).json() for _ in range(2)
    )
    assert first["key"] == again["key"]


def test_nobody_rotates_another_companys_key(api, harbour, agency):
    with use_public():
        row, _ = create_api_key(tenant=agency, name="Agency's")
    assert_hidden(api(harbour), "post", lambda pk: f"{KEYS}/{pk}/rotate", row.id, {"hours": 1})


def test_a_platform_key_opens_nothing_of_a_tenants(harbour):
    with use_public():
        key = create_api_key(tenant=None, name="Automation")[1]
    assert_problem(program("harbour.localhost", key).get(KEYS), 401, "invalid_api_key")
    assert program("localhost", key).get("/api/v1/collections").status_code == 404
