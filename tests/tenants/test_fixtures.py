"""The tests' own ground: rolled back or emptied, and the same for every kind of code."""

import asyncio
import threading

import pytest
from django.db import connection

from knowledge.models import Collection
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.factories import AgentFactory, ChunkFactory, CollectionFactory, MessageFactory, UsageFactory


def test_every_factory_makes_its_row(in_harbour):
    AgentFactory(live__prompt="Be kind.")
    AgentFactory(live=False)
    ChunkFactory()
    MessageFactory()
    UsageFactory()


@pytest.mark.parametrize("round_", [1, 2])
def test_rows_of_a_test_are_rolled_back(harbour, agency, round_):
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            assert not Collection.objects.exists()
            CollectionFactory()


@pytest.mark.parametrize("round_", [1, 2])
def test_committed_rows_are_emptied(live_tenants, in_harbour, agency, round_):
    assert not Collection.objects.exists()
    AgentFactory()
    ChunkFactory()
    with use_tenant(agency):
        assert not Collection.objects.exists()
        MessageFactory()


def test_committed_rows_are_seen_by_other_threads(live_tenants, in_harbour):
    CollectionFactory()
    assert asyncio.run(in_database(Collection.objects.count)) == 1


async def test_async_tests_run_in_the_scope_of_their_fixtures(live_tenants, in_harbour):
    await in_database(CollectionFactory)
    assert await Collection.objects.acount() == 1


def test_a_signed_in_browser_and_a_program_get_in(harbour, client_for, api):
    assert client_for(harbour).get("/admin/").status_code == 200
    assert api(harbour).get("/healthz").status_code == 200


def test_the_test_runs_alone_on_its_connection(in_harbour):
    assert connection.in_atomic_block
    assert threading.current_thread() is threading.main_thread()
