"""The way from async code to the database: the scope goes along, the connection comes back."""

import asyncio
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, connections

from knowledge.models import Collection
from switchboard.kernel.database import in_database
from tenants.context import TenantNotSet, current_scope, use_tenant
from tests.factories import CollectionFactory

pytestmark = pytest.mark.usefixtures("live_tenants")


@pytest.fixture
def nothing_is_kept(in_harbour):
    """As many connections are out of the pool afterwards as before: the one of the test's own thread."""

    def in_use():
        stats = connection.pool.get_stats()
        return stats["pool_size"] - stats["pool_available"]

    Collection.objects.count()
    before = in_use()
    yield
    deadline = time.monotonic() + 2  # the pool rolls a broken transaction back on a thread of its own
    while in_use() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert in_use() == before


def server_side(sql="SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def test_each_call_runs_in_the_scope_of_its_caller(harbour, agency):
    async def make_and_count(tenant, number):
        with use_tenant(tenant):
            for _ in range(number):
                await in_database(CollectionFactory)
            return await in_database(Collection.objects.count)

    assert await asyncio.gather(make_and_count(harbour, 5), make_and_count(agency, 3)) == [5, 3]


async def test_the_connection_is_given_back(nothing_is_kept):
    await in_database(Collection.objects.count)


async def test_more_callers_than_connections_all_get_their_turn(nothing_is_kept):
    calls = 5 * settings.DATABASE_POOL
    assert await asyncio.gather(*(in_database(Collection.objects.count) for _ in range(calls))) == [0] * calls


async def test_a_failure_gives_the_connection_back_too(nothing_is_kept):
    def fail():
        Collection.objects.count()
        raise ValueError("on purpose")

    for _ in range(2 * settings.DATABASE_POOL):
        with pytest.raises(ValueError, match="on purpose"):
            await in_database(fail)


async def test_a_failed_transaction_leaves_nothing_to_the_next(nothing_is_kept):
    def break_it():
        connections["default"].set_autocommit(False)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1/0")

    for _ in range(settings.DATABASE_POOL):
        with pytest.raises(Exception, match="division by zero"):
            await in_database(break_it)
    assert await asyncio.gather(*(in_database(Collection.objects.count) for _ in range(20))) == [0] * 20
    assert await in_database(server_side) == 0


async def test_a_cancelled_caller_leaks_nothing(nothing_is_kept):
    started = threading.Event()

    def slow():
        with connection.cursor() as cursor:
            started.set()
            cursor.execute("SELECT pg_sleep(0.3)")

    task = asyncio.ensure_future(in_database(slow))
    await asyncio.to_thread(started.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.5)


async def test_no_scope_no_query(harbour):
    def unscoped():
        assert current_scope() is None
        return Collection.objects.count()

    import contextvars

    bare = contextvars.Context()
    task = bare.run(asyncio.ensure_future, in_database(unscoped))
    with pytest.raises(TenantNotSet):
        await task
