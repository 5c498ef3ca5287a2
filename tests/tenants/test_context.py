"""The scope follows the code, however it runs, and ends where its block ends."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from tenants.context import (
    InScope,
    Scope,
    TenantNotSet,
    current_scope,
    current_tenant,
    tenant_id,
    tenant_key,
    use_public,
    use_schema,
    use_tenant,
)

A, B = Scope("t_a"), Scope("t_b")


def name():
    scope = current_scope()
    return scope.schema_name if scope else None


async def name_later():
    await asyncio.sleep(0)
    return name()


def test_scopes_nest_and_end_with_their_blocks():
    with use_tenant(A):
        with use_tenant(B):
            assert name() == "t_b"
            with use_public():
                assert name() == "public"
        assert name() == "t_a"
        with pytest.raises(ZeroDivisionError), use_tenant(B):
            raise ZeroDivisionError
        assert name() == "t_a"
    assert name() == "public"  # the tests' outermost scope


async def test_it_follows_await_gather_and_task_groups():
    async def ask(scope):
        with use_tenant(scope):
            first = await name_later()
            return first, *await asyncio.gather(name_later(), name_later())

    assert await asyncio.gather(ask(A), ask(B), ask(A)) == [("t_a",) * 3, ("t_b",) * 3, ("t_a",) * 3]
    async with asyncio.TaskGroup() as group:
        with use_tenant(A):
            task = group.create_task(name_later())
        with use_tenant(B):
            other = group.create_task(name_later())
    assert (task.result(), other.result()) == ("t_a", "t_b")


async def test_a_task_keeps_the_scope_it_was_started_in():
    with use_tenant(A):
        task = asyncio.create_task(name_later())
    with use_tenant(B):
        assert await task == "t_a"


async def test_it_follows_thread_hops():
    with use_tenant(A):
        assert await asyncio.to_thread(name) == "t_a"
        assert await sync_to_async(name)() == "t_a"
        assert await sync_to_async(async_to_sync(name_later))() == "t_a"


def test_a_raw_thread_has_none_unless_it_is_given_one():
    def run(target):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(target()))
        thread.start()
        thread.join()
        return seen[0]

    with use_tenant(A):
        assert run(name) is None
        context = contextvars.copy_context()
        assert run(lambda: context.run(name)) == "t_a"


def test_threads_of_a_pool_do_not_inherit_from_each_other():
    def enter(scope):
        with use_tenant(scope):
            return name()

    with ThreadPoolExecutor(1) as pool:
        assert [pool.submit(enter, A).result(), pool.submit(name).result(), pool.submit(enter, B).result()] == [
            "t_a",
            None,
            "t_b",
        ]


def test_a_generator_that_is_dropped_elsewhere_does_no_harm():
    def steps():
        with use_tenant(A):
            yield name()

    generator = contextvars.Context().run(lambda: (found := steps(), next(found)))[0]
    with use_tenant(B):
        generator.close()  # in another context than it began in
    assert name() == "public"


async def test_an_async_generator_runs_each_step_in_its_scope_whoever_drives_it():
    closed = []

    async def steps():
        try:
            while True:
                yield name()
                await asyncio.sleep(0)
        finally:
            closed.append(name())

    stream = InScope(steps(), A)
    with use_tenant(B):
        assert [await anext(stream), await anext(stream)] == ["t_a", "t_a"]
        assert name() == "t_b"
        await stream.aclose()
        assert name() == "t_b"
    assert closed == ["t_a"]


def test_what_needs_a_tenant_says_so_without_one():
    for ask in (current_tenant, tenant_id, lambda: tenant_key("x")):
        with pytest.raises(TenantNotSet):
            ask()
        with pytest.raises(TenantNotSet):
            contextvars.Context().run(ask)
    with use_schema("t_x"), pytest.raises(TenantNotSet):
        tenant_id()


def test_keys_of_two_tenants_are_never_the_same(harbour, agency):
    keys = []
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            keys.append(tenant_key("conversation", 7))
            assert tenant_id() == tenant.id
    assert keys[0] != keys[1]
