"""Leases: one holder at a time, renewed while it lives, taken over when it doesn't."""

import threading
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from tenants.context import TenantNotSet, use_public, use_tenant
from tenants.domain import leases
from tenants.models import WorkLease

KIND = "tests"


@pytest.fixture
def work(in_harbour):
    """Accepted work that waits for a worker."""
    object_id = uuid.uuid4()
    leases.open_lease(kind=KIND, object_id=object_id, owner="")
    return {"kind": KIND, "object_id": object_id}


@pytest.fixture
def recovered(monkeypatch):
    monkeypatch.setitem(leases._recoverers, KIND, lambda work: None)


def lapse():
    WorkLease.objects.update(until=timezone.now() - timezone.timedelta(seconds=1))


def test_waiting_work_is_claimed_once(work):
    assert leases.claim(**work, owner="one") == 1
    assert leases.claim(**work, owner="two") == 0
    assert leases.claim(**work, owner="one") == 0  # claimed twice is done twice
    assert leases.is_held(**work, owner="one")
    assert not leases.is_held(**work, owner="two")


def test_work_whose_holder_is_late_is_taken_over(work):
    leases.claim(**work, owner="one")
    lapse()
    assert leases.claim(**work, owner="two") == 2
    assert not leases.close(**work, owner="one")
    assert leases.close(**work, owner="two")
    assert leases.claim(**work, owner="one") == 0


def test_a_holder_that_renews_keeps_its_work(work):
    leases.claim(**work, owner="one", seconds=-1)
    with leases.at_work(work["object_id"]):
        assert leases.renew(owner="one") == 1
        assert leases.claim(**work, owner="two") == 0
        assert leases.renew(owner="two") == 0


def test_work_that_its_holder_has_lost_sight_of_lapses(work):
    leases.claim(**work, owner="one", seconds=-1)
    with leases.at_work(uuid.uuid4()):
        assert leases.renew(owner="one") == 0
    assert leases.renew(owner="one") == 0
    assert leases.claim(**work, owner="two") == 2


def test_work_given_back_is_free_at_once(work):
    leases.claim(**work, owner="one")
    leases.release(**work, owner="two")
    assert leases.claim(**work, owner="two") == 0
    leases.release(**work, owner="one")
    assert leases.claim(**work, owner="two") == 2


def test_cancelled_work_ends_whoever_holds_it(work):
    leases.claim(**work, owner="one")
    assert leases.close(**work, owner=None)
    assert not leases.close(**work, owner="one")


def test_work_belongs_to_a_tenant():
    with use_public(), pytest.raises(TenantNotSet):
        leases.open_lease(kind=KIND, object_id=uuid.uuid4())


def test_abandoned_work_comes_with_its_scope(work, harbour, recovered):
    leases.claim(**work, owner="one")
    with use_public():
        assert leases.take_abandoned() == []
        lapse()
        (found,) = leases.take_abandoned()
        assert (found.object_id, found.scope.tenant_id, found.attempts) == (work["object_id"], harbour.id, 1)
        assert leases.take_abandoned() == []
    assert leases.claim(**work, owner="two") == 2


def test_work_of_a_kind_nobody_recovers_is_left_alone(work):
    with use_public():
        lapse()
        assert leases.take_abandoned() == []


def test_postponed_work_is_left_alone_for_a_while(work, recovered):
    with use_public():
        lapse()
        leases.postpone(**work, seconds=60)
        assert leases.take_abandoned() == []


def test_processes_that_look_at_once_get_different_work(live_tenants, harbour, recovered):
    with use_tenant(harbour):
        for _ in range(30):
            leases.open_lease(kind=KIND, object_id=uuid.uuid4(), seconds=-1)
    found, start = [], threading.Barrier(4)

    def look():
        with use_public():
            start.wait()
            try:
                found.extend(work.object_id for work in leases.take_abandoned(limit=10))
            finally:
                connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 30


def test_claims_at_once_have_one_winner(live_tenants, harbour):
    with use_tenant(harbour):
        object_id = uuid.uuid4()
        leases.open_lease(kind=KIND, object_id=object_id, owner="")
    won, start = [], threading.Barrier(4)

    def claim(owner):
        with use_public():
            start.wait()
            try:
                won.append(leases.claim(kind=KIND, object_id=object_id, owner=owner))
            finally:
                connection.close()

    threads = [threading.Thread(target=claim, args=[str(number)]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [0, 0, 0, 1]
