"""Who acts reaches the database with the query it belongs to, and never with another."""

import asyncio
import contextvars

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from knowledge.models import Collection
from switchboard.kernel.database import in_database
from tenants.actor import SETTING, Actor, current_actor, current_deed, doing, use_actor
from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tests.factories import CollectionFactory

INES = Actor(kind="staff", id="8", name="ines")
OTTO = Actor(kind="staff", id="9", name="otto")


def who():
    """The name that the connection was told for the query that asks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting(%s, true), '')::json->>'name'", [SETTING])
        return cursor.fetchone()[0]


def last():
    return AuditEvent.objects.order_by("-position")[0]


class Said:
    """What is said to the database besides queries, for the length of a block."""

    def __init__(self, monkeypatch):
        self.count = 0
        connection.ensure_connection()
        raw = connection.connection
        execute = raw.execute

        def counted(*args, **kwargs):
            self.count += 1
            return execute(*args, **kwargs)

        monkeypatch.setattr(raw, "execute", counted, raising=False)


def test_an_actor_ends_with_the_block_and_so_does_a_deed():
    with use_actor(INES), doing("release.went_live", "Better answers"):
        assert (current_actor(), current_deed().action) == (INES, "release.went_live")
        with use_actor(None), doing("agent.paused"):
            assert (current_actor(), current_deed().message) == (None, "")
        assert (current_actor(), current_deed().message) == (INES, "Better answers")
    assert (current_actor(), current_deed()) == (None, None)


def test_each_change_is_put_down_to_whoever_makes_it(in_harbour):
    row = CollectionFactory()
    assert last().actor_kind == "system"
    for actor in (INES, OTTO, INES):
        with use_actor(actor):
            Collection.objects.filter(pk=row.pk).update(name=f"By {actor.name}, {last().position}")
            assert (last().actor_kind, last().actor_id, last().actor_name) == ("staff", actor.id, actor.name)
    Collection.objects.filter(pk=row.pk).update(name="By nobody")
    event = last()
    assert (event.actor_kind, event.actor_id, event.address, event.request_id) == ("system", "", "", "")
    assert event.actor_name, "the process itself has a name"


def test_who_acts_costs_nothing_where_it_does_not_change(in_harbour, monkeypatch):
    assert who() is None
    said = Said(monkeypatch)
    for _ in range(3):
        assert who() is None
    assert said.count == 0, "nobody acts, and nothing is said of it"
    with use_actor(INES):
        for _ in range(3):
            assert who() == "ines"
    assert said.count == 1
    with use_public(), use_actor(OTTO):
        assert who() == "otto"
    assert said.count == 2, "tenant and actor are told at once"


def fail_as(actor):
    with transaction.atomic():
        with use_actor(actor):
            assert who() == actor.name
        raise ZeroDivisionError


# PostgreSQL takes back what was set in what is rolled back. Who asks next as the very actor that was taken back is the
# one who would be misled.


def test_after_a_savepoint_is_rolled_back(in_harbour):
    with use_actor(INES):
        assert who() == "ines"
        with pytest.raises(ZeroDivisionError):
            fail_as(OTTO)
        assert who() == "ines"
    with use_actor(OTTO):
        before = transaction.savepoint()
        with use_actor(INES):
            assert who() == "ines"
            transaction.savepoint_rollback(before)
            assert who() == "ines"
        assert who() == "otto"
    assert who() is None


def test_after_a_whole_transaction_is_rolled_back(live_tenants, in_harbour):
    for _ in range(3):
        with use_actor(INES):
            assert who() == "ines"
            with pytest.raises(ZeroDivisionError):
                fail_as(OTTO)
            assert who() == "ines"
        with pytest.raises(ZeroDivisionError):
            fail_as(OTTO)
        assert who() is None


def test_a_connection_that_went_to_the_pool_keeps_nobody(live_tenants, in_harbour):
    for actor in (INES, None, OTTO, None) * 3:
        with use_actor(actor):
            assert who() == (actor.name if actor else None)
            connection.close()


def test_a_transaction_left_open_when_the_connection_went_back_keeps_nobody(live_tenants, in_harbour):
    for _ in range(3):
        assert who() is None
        connection.set_autocommit(False)
        with use_actor(INES):
            assert who() == "ines"
        connection.close()
        assert who() is None
        with use_actor(INES):
            assert who() == "ines"


async def test_many_at_once_each_act_as_themselves(live_tenants, harbour, agency):
    """More of them than there are connections, some as nobody, some failing half-way, in both tenants."""
    wrong = []

    async def act(number):
        tenant = (harbour, agency)[number % 2]
        name = None if number % 3 == 0 else f"actor {number}"
        actor = Actor(kind="staff", id=str(number), name=name) if name else None
        with use_tenant(tenant), use_actor(actor):
            for step in range(4):
                slug = f"c-{number}-{step}"

                def change(slug=slug, fails=step == 2):
                    with transaction.atomic():
                        Collection.objects.create(name=slug, slug=slug)
                        wrong.append((name, who())) if who() != name else None
                        if fails:
                            raise ZeroDivisionError

                try:
                    await in_database(change)
                except ZeroDivisionError:
                    await asyncio.sleep(0)

    await asyncio.gather(*(act(number) for number in range(60)))
    assert not wrong

    def check():
        for tenant in (harbour, agency):
            with use_tenant(tenant):
                for event in AuditEvent.objects.filter(entity="collection"):
                    _, number, _ = event.new["slug"].split("-")
                    expected = ("system", "") if int(number) % 3 == 0 else ("staff", number)
                    assert (event.actor_kind, event.actor_id) == expected
                assert AuditEvent.objects.filter(entity="collection").count() == 90
        connection.close()

    await sync_to_async(check)()


def test_a_bare_thread_acts_as_nobody(live_tenants, in_harbour):
    with use_actor(INES):
        assert who() == "ines"

        def elsewhere():
            with use_tenant(in_harbour):
                return who()

        assert contextvars.Context().run(elsewhere) is None
        assert who() == "ines"
