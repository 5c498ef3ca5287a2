"""The search path follows the scope, whatever happened on the connection before."""

import asyncio
import contextvars
import os

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import DatabaseError, InternalError, OperationalError, ProgrammingError, connection, transaction

from knowledge.models import Collection
from tenants.context import TenantNotSet, use_public, use_schema, use_tenant
from tenants.models import Tenant
from tests.factories import CollectionFactory


def search_path():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schemas(false)")
        return cursor.fetchone()[0]


def make_and_fail(tenant):
    with transaction.atomic():
        with use_tenant(tenant):
            CollectionFactory()
        raise ZeroDivisionError


def path_of(tenant):
    return [tenant.schema_name, "public"]


def test_each_query_goes_where_the_scope_says(harbour, agency):
    for tenant in (harbour, agency, harbour):
        with use_tenant(tenant):
            assert search_path() == path_of(tenant)
    assert search_path() == ["public"]


def test_without_a_scope_there_is_no_query(database):
    for ask in (Collection.objects.count, Tenant.objects.count, search_path, lambda: cache.get("x")):
        with pytest.raises(TenantNotSet):
            contextvars.Context().run(ask)


def test_the_public_schema_has_nothing_of_a_tenants(database):
    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        Collection.objects.count()


# PostgreSQL takes back a search path that was set in what is rolled back. Who asks next for the very scope that was
# taken back is the one who would be misled, so that scope is asked first.


def test_after_a_savepoint_is_rolled_back(harbour, agency):
    with use_tenant(harbour):
        with pytest.raises(ZeroDivisionError):
            make_and_fail(agency)
        before = transaction.savepoint()
        with use_tenant(agency):
            assert not Collection.objects.exists()
            transaction.savepoint_rollback(before)
            assert search_path() == path_of(agency)
        assert search_path() == path_of(harbour)


def test_after_a_failed_statement(harbour, agency):
    with use_tenant(harbour):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        assert search_path() == path_of(harbour)


def test_in_a_broken_transaction_the_other_scope_is_not_entered(harbour, agency):
    def go_on_after_an_error():
        with transaction.atomic(), connection.cursor() as cursor:
            with pytest.raises(DatabaseError, match="division by zero"):
                cursor.execute("SELECT 1/0")
            with use_tenant(agency), connection.cursor() as other:
                other.execute("SELECT 1")

    with use_tenant(harbour):
        with pytest.raises(InternalError, match="current transaction is aborted"):
            go_on_after_an_error()
        assert search_path() == path_of(harbour)


def test_after_a_whole_transaction_is_rolled_back(live_tenants, harbour, agency):
    for _ in range(3):
        with use_tenant(harbour):
            assert search_path() == path_of(harbour)
            with pytest.raises(ZeroDivisionError):
                make_and_fail(agency)
        with use_tenant(agency):
            assert search_path() == path_of(agency)
            assert not Collection.objects.exists()


def test_after_the_connection_went_to_the_pool_and_another_came(live_tenants, harbour, agency):
    for tenant in (harbour, agency) * 5:
        with use_tenant(tenant):
            assert search_path() == path_of(tenant)
            connection.close()


def test_after_a_transaction_was_left_open_when_the_connection_went_back(live_tenants, harbour, agency):
    for _ in range(3):
        with use_tenant(harbour):
            assert search_path() == path_of(harbour)
        with use_tenant(agency):
            connection.set_autocommit(False)
            CollectionFactory()
            connection.close()
            assert search_path() == path_of(agency)
            assert not Collection.objects.exists()


def test_after_the_server_cut_the_connection(live_tenants, harbour):
    with use_tenant(harbour):
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()
        assert search_path() == path_of(harbour)


def test_a_connection_that_is_cut_between_two_queries_fails_as_django_tells_it(live_tenants, harbour, agency):
    with use_tenant(harbour), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as another:
        another.execute("SELECT pg_terminate_backend(%s)", [process])
    with use_tenant(agency):
        with pytest.raises(OperationalError):
            search_path()
        connection.close()
        assert search_path() == path_of(agency)


@pytest.mark.parametrize("name", ['x"; DROP SCHEMA public; --', "pg_catalog", "", "x" * 64])
def test_a_schema_name_that_is_none_is_refused(database, name):
    with use_schema(name), pytest.raises(Exception, match=r"(?i)schema|invalid"):
        search_path()


async def test_many_at_once_each_read_their_own(live_tenants, harbour, agency):
    def fill():
        for tenant, number in ((harbour, 3), (agency, 5)):
            with use_tenant(tenant):
                CollectionFactory.create_batch(number)

    await sync_to_async(fill)()

    async def read(tenant, expected):
        with use_tenant(tenant):
            for _ in range(5):
                assert await Collection.objects.acount() == expected
                await asyncio.sleep(0)
                assert len([row async for row in Collection.objects.all()]) == expected

    await asyncio.gather(*(read(tenant, number) for tenant, number in ((harbour, 3), (agency, 5)) * 20))
    await sync_to_async(lambda: connection.close())()


def test_the_same_cache_key_of_two_tenants_is_two_entries(harbour, agency):
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            assert cache.get("greeting") is None
            cache.set("greeting", tenant.slug, 5)
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            assert cache.get("greeting") == tenant.slug
            cache.delete("greeting")
    with use_public():
        assert cache.get("greeting") is None
