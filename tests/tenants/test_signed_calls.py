"""Calls signed in Standard Webhooks form: forged, changed, late, early and repeated ones are refused."""

import datetime as dt
import json
import uuid

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.test import Client
from standardwebhooks.webhooks import Webhook

from tenants import signed_calls
from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key, recognise, revoke_api_key, rotate_api_key
from tests.isolation import assert_problem

TOKENS = "/api/v1/tokens"
BODY = json.dumps({"contact": "ada"}).encode()


def signing_key(tenant, **more):
    with use_public():
        return create_api_key(tenant=tenant, name="Partner", kind="signing", **more)


@pytest.fixture
def key(harbour):
    return signing_key(harbour)


def headers(row, secret, body=BODY, *, shift=0, name=None, prefix=None):
    now = dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=shift)
    name = name or f"msg_{uuid.uuid4().hex}"
    return {
        "Switchboard-Key": prefix or row.prefix,
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, now, body.decode()),
    }


def post(sent, body=BODY, path=TOKENS, host="harbour.localhost"):
    return Client(HTTP_HOST=host).post(path, body, content_type="application/json", headers=sent)


def refused(answer):
    assert_problem(answer, 401, "invalid_signature")
    return True


def test_a_signed_call_is_its_keys(key):
    answer = post(headers(*key))
    assert answer.status_code == 201, answer.content
    assert answer.json()["token"]


def test_it_works_wherever_a_key_does_and_as_far_as_its_scopes(harbour):
    narrow = signing_key(harbour, scopes=["knowledge:read", "keys:write", "keys:read"])
    listed = Client(HTTP_HOST="harbour.localhost").get("/api/v1/collections", headers=headers(*narrow, body=b""))
    assert listed.status_code == 200, listed.content
    body = json.dumps({"name": "New"}).encode()
    assert_problem(post(headers(*narrow, body=body), body, "/api/v1/collections"), 403, "forbidden")
    body = json.dumps({"name": "Made", "scopes": ["keys:read"]}).encode()
    assert post(headers(*narrow, body=body), body, "/api/v1/api-keys").status_code == 201
    with use_tenant(harbour):
        made = AuditEvent.objects.filter(entity="api_key", entity_label="Made").get()
        assert (made.actor_kind, made.actor_id) == ("api_key", str(narrow[0].pk))


def test_a_forged_call_is_refused(key, harbour):
    row, secret = key
    _, other = signing_key(harbour)
    good = headers(row, secret)
    assert refused(post(headers(row, other)))
    assert refused(post({**good, "webhook-signature": "v1," + "A" * 43 + "="}))
    assert refused(post({**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}))
    assert refused(post({**good, "webhook-id": "msg_other"}))
    assert refused(post({**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}))
    assert refused(post({**good, "Switchboard-Key": "0" * 12}))
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert refused(post({one: value for one, value in good.items() if one != name}))
        for value in ("", "\x00", "é", "x" * 5000, "-1", "1e9", "NaN", "v1", "v1,", "a.b"):
            assert refused(post({**good, name: value}))
    assert post(good).status_code == 201, "what was refused used nothing up"


def test_a_changed_body_is_refused(key):
    sent = headers(*key)
    assert refused(post(sent, BODY.replace(b"ada", b"eve")))
    assert refused(post(sent, BODY + b" "))
    assert refused(post(sent, b"\xff\xfe"))


def test_a_call_is_made_once(key):
    sent = headers(*key)
    assert post(sent).status_code == 201
    assert refused(post(sent))
    again = headers(*key, name=sent["webhook-id"], shift=5)
    assert refused(post(again)), "a new moment makes no new call of it"


@pytest.mark.parametrize(("shift", "taken"), [(-290, True), (290, True), (-310, False), (310, False), (10**6, False)])
def test_the_moment_counts(key, shift, taken):
    answer = post(headers(*key, shift=shift))
    assert (answer.status_code == 201) if taken else refused(answer)


def test_one_of_several_signatures_is_enough(key, harbour):
    row, secret = key
    name = "msg_1"
    old = headers(row, signing_key(harbour)[1], name=name)["webhook-signature"]
    good = headers(row, secret, name=name)
    assert post({**good, "webhook-signature": f"{old} v1a,xyz {good['webhook-signature']}"}).status_code == 201
    many = " ".join([old] * 20 + [good["webhook-signature"]])
    assert refused(post({**headers(row, secret), "webhook-signature": many}))


def test_a_key_signs_for_its_own_company_alone(key, agency, api_key_for):
    row, secret = key
    assert refused(post(headers(row, secret), host="agency.localhost"))
    assert refused(post(headers(row, secret), host="localhost"))
    theirs, their_secret = signing_key(agency)
    assert refused(post(headers(theirs, their_secret)))
    assert refused(post(headers(row, their_secret)))
    assert post(headers(theirs, their_secret), host="agency.localhost").status_code == 201
    both = {**headers(row, secret), "Authorization": f"Bearer {api_key_for(agency)}"}
    assert post(both).status_code in {400, 401}


def test_the_same_id_of_two_companies_is_two_calls(key, agency):
    assert post(headers(*key, name="msg_1")).status_code == 201
    assert post(headers(*signing_key(agency), name="msg_1"), host="agency.localhost").status_code == 201


def test_a_revoked_key_signs_no_more_and_a_rotated_one_for_a_while(key):
    row, secret = key
    with use_public():
        new, new_secret = rotate_api_key(key=row, hours=1)
    assert new_secret.startswith("whsec_")
    for one in ((row, secret), (new, new_secret)):
        assert post(headers(*one)).status_code == 201
    with use_public():
        revoke_api_key(key=row)
    signed_calls.signing_keys.forget()
    assert refused(post(headers(row, secret)))
    assert post(headers(new, new_secret)).status_code == 201


def test_a_secret_is_shown_once_and_is_no_bearer_key(caller, harbour):
    made = caller.post("/api/v1/api-keys", {"name": "Partner", "kind": "signing"}).json()
    assert (made["kind"], made["key"][:6]) == ("signing", "whsec_")
    assert made["key"] not in caller.get("/api/v1/api-keys").content.decode()
    assert recognise(made["key"]) is None
    answer = Client(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {made['key']}").get("/api/v1/api-keys")
    assert_problem(answer, 401, "invalid_api_key")


def test_the_data_plane_takes_tokens_and_keys_not_signatures(key):
    body = json.dumps({"agent": str(uuid.uuid4())}).encode()
    answer = post(headers(*key, body=body), body, "/api/v1/conversations")
    assert_problem(answer, 401, "not_authenticated")


async def test_the_same_where_the_server_is_asynchronous(live_tenants, harbour):
    row, secret = await sync_to_async(signing_key)(harbour)
    sent = {**headers(row, secret), "Content-Type": "application/json"}
    transport = httpx2.ASGITransport(app=get_asgi_application())
    async with httpx2.AsyncClient(transport=transport, base_url="http://harbour.localhost") as client:
        first, again, changed = [
            await client.post(TOKENS, content=body, headers=sent) for body in (BODY, BODY, BODY + b" ")
        ]
    assert [answer.status_code for answer in (first, again, changed)] == [201, 401, 401]
