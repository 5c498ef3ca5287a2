"""API keys over REST: the table is shared by all tenants, what one sees of it is its own."""

import datetime as dt
import json

from django.test import Client
from django.utils import timezone

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
