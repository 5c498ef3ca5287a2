"""Tasks carry their tenant, and one that comes without is refused."""

import json
import uuid

import pytest

from knowledge.models import Collection
from switchboard.celery import app
from switchboard.kernel.redis import redis_client
from switchboard.kernel.request_id import current_request_id, set_request_id
from tenants.actor import Actor, current_actor, use_actor
from tenants.celery import ACTOR_HEADER, HEADER
from tenants.context import TenantNotSet, current_tenant, use_public, use_tenant
from tenants.models import Tenant
from tests.factories import CollectionFactory

SEEN = []


@app.task(name="tests.look")
def look():
    SEEN.append((current_tenant().schema_name, Collection.objects.count()))


@app.task(name="tests.who")
def who():
    SEEN.append(current_actor())


@pytest.fixture(autouse=True)
def nothing_seen(live_tenants):
    SEEN.clear()


def run(headers):
    return look.apply(headers=headers)


def test_a_task_runs_in_the_tenant_it_names(harbour, agency):
    with use_tenant(agency):
        CollectionFactory()
    for tenant in (harbour, agency):
        assert run({HEADER: str(tenant.id)}).state == "SUCCESS"
    assert SEEN == [("t_harbour", 0), ("t_agency", 1)]


@pytest.mark.parametrize("headers", [None, {}, {HEADER: ""}, {HEADER: str(uuid.uuid4())}, {HEADER: "harbour"}])
def test_a_task_of_nobody_is_refused(headers):
    assert run(headers).state in {"REJECTED", "FAILURE"}
    assert SEEN == []


def test_a_task_of_a_tenant_that_is_not_ready_is_refused(harbour):
    with use_public():
        Tenant.objects.filter(pk=harbour.pk).update(status=Tenant.Status.SUSPENDED)
    assert run({HEADER: str(harbour.id)}).state == "REJECTED"
    assert SEEN == []


def test_a_task_that_is_sent_carries_the_senders_tenant(harbour):
    with use_tenant(harbour):
        look.delay()
    (message,) = (json.loads(text) for text in redis_client().lrange("celery", 0, -1))
    assert message["headers"][HEADER] == str(harbour.id)


def test_a_task_cannot_be_sent_in_nobodys_name(harbour):
    with use_public(), pytest.raises(TenantNotSet):
        look.delay()
    assert redis_client().llen("celery") == 0


INES = Actor(kind="staff", id="8", name="ines", request_id="request-7", address="192.0.2.7")


def sent_headers():
    return [json.loads(text)["headers"] for text in redis_client().lrange("celery", 0, -1)]


def test_a_task_acts_as_the_system_for_whoever_sent_it(harbour):
    set_request_id("request-7")
    with use_tenant(harbour), use_actor(INES):
        who.delay()
    set_request_id("")
    (headers,) = sent_headers()
    assert "192.0.2.7" not in str(headers), "an address is nothing a broker needs"
    who.apply(headers=headers)
    (actor,) = SEEN
    assert actor == Actor(kind="system", id="8", name="task for ines", request_id="request-7")
    assert current_request_id() == ""


def test_a_task_that_a_task_sends_is_for_the_same_person(harbour):
    with use_tenant(harbour), use_actor(INES):
        who.delay()
    who.apply(headers=sent_headers()[0])
    with use_tenant(harbour), use_actor(SEEN[0]):
        who.delay()
    assert sent_headers()[0][ACTOR_HEADER]["name"] == "task for ines"


@pytest.mark.parametrize("told", [None, "ines", 7, ["ines"]])
def test_what_is_no_actor_is_nobody(harbour, told):
    who.apply(headers={HEADER: str(harbour.id), ACTOR_HEADER: told})
    assert SEEN == [None]
