"""Flags asked while the database changes, dawdles or refuses: a turn goes on with what it knows."""

import asyncio
import contextlib
import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tenants.context import TenantNotSet, use_public, use_tenant
from tenants.flags import current
from tenants.flags.domain.flags import create_flag, switch_flag
from tenants.flags.evaluation import Context, Reason
from tests.query_count import queries_of

KEY = "checkout.new_flow"
EVERYBODY = [{"then": "on"}]


@contextlib.contextmanager
def session():
    """A connection of our own beside the pool's."""
    database = settings.DATABASES["default"]
    with psycopg.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], password=database["PASSWORD"],
        dbname=connection.settings_dict["NAME"], autocommit=True,
    ) as other:  # fmt: skip
        yield other


@contextlib.contextmanager
def dawdling(schema):
    """Whoever reads the schema's flags waits."""
    with session() as other:
        other.autocommit = False
        other.execute(f"LOCK TABLE {schema}.flags_flag IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@contextlib.contextmanager
def refusing(schema):
    """Whoever reads the schema's flags is refused."""
    with session() as other:
        # Without its own table the search path would go on to the public one.
        other.execute(f"ALTER TABLE {schema}.flags_flag RENAME COLUMN rules TO rules_away")
        try:
            yield
        finally:
            other.execute(f"ALTER TABLE {schema}.flags_flag RENAME COLUMN rules_away TO rules")


def made(tenant, **fields):
    with use_tenant(tenant):
        return create_flag(key=KEY, rules=EVERYBODY, **fields)


def test_no_tenant_no_answer():
    import contextvars

    with pytest.raises(TenantNotSet):
        contextvars.Context().run(current.is_enabled, KEY)


async def test_both_ways_to_ask_say_the_same(live_tenants, harbour):
    await asyncio.to_thread(made, harbour)
    with use_tenant(harbour):
        assert await current.evaluate_async(KEY) == current.evaluate(KEY)
        assert await current.is_enabled_async(KEY)
        assert not await current.is_enabled_async("nothing")
    with use_public():
        assert (await current.evaluate_async(KEY)).reason == Reason.UNKNOWN_FLAG


def test_what_is_remembered_costs_no_query(in_harbour):
    made(in_harbour)
    assert current.is_enabled(KEY)
    assert queries_of(lambda: current.is_enabled(KEY, Context(contact="c"))) == 0


def test_a_change_elsewhere_is_seen_within_two_seconds(live_tenants, harbour):
    flag = made(harbour)
    with use_tenant(harbour):
        assert current.is_enabled(KEY)
        with session() as other:
            other.execute(f"UPDATE {harbour.schema_name}.flags_flag SET enabled = false WHERE id = %s", [flag.pk])
        deadline = time.monotonic() + current.MEMORY_SECONDS + 0.5
        while current.is_enabled(KEY):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_change_here_is_seen_at_once(live_tenants, harbour):
    flag = made(harbour)
    with use_tenant(harbour):
        assert current.is_enabled(KEY)
        switch_flag(flag=flag, enabled=False)
        assert current.evaluate(KEY).reason == Reason.KILL_SWITCH


def test_a_database_that_refuses_leaves_the_flags_last_known(live_tenants, harbour, caplog):
    made(harbour)
    with use_tenant(harbour):
        assert current.is_enabled(KEY)
        with refusing(harbour.schema_name):
            current.forget()
            assert current.is_enabled(KEY)
        assert "can't be read" in caplog.text


def test_where_nothing_was_ever_known_all_is_off(live_tenants, harbour):
    made(harbour)
    with use_tenant(harbour), refusing(harbour.schema_name):
        current.forget()
        assert current.evaluate(KEY).reason == Reason.UNKNOWN_FLAG


async def test_a_turn_doesnt_wait_for_a_database_that_dawdles(live_tenants, harbour):
    await asyncio.to_thread(made, harbour)
    with use_tenant(harbour):
        assert await current.is_enabled_async(KEY)
        with dawdling(harbour.schema_name):
            current.forget()
            begun = time.monotonic()
            answers = await asyncio.gather(*(current.is_enabled_async(KEY) for _ in range(20)))
            assert all(answers)
            assert time.monotonic() - begun < 5
            spent = []
            for _ in range(5):
                begun = time.monotonic()
                assert await current.is_enabled_async(KEY)
                spent.append(time.monotonic() - begun)
            assert min(spent) < 0.1
        assert len(current._reading) <= 1
        await asyncio.gather(*(task for _, task in current._reading.values()))
        assert await current.is_enabled_async(KEY)


async def test_one_reader_serves_all_who_wait(live_tenants, harbour):
    await asyncio.to_thread(made, harbour)
    with use_tenant(harbour):
        current.forget()
        assert all(await asyncio.gather(*(current.is_enabled_async(KEY) for _ in range(50))))
        assert not current._reading
