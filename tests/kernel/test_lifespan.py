"""Work beside the requests: kept, logged when it fails, and ended with the process."""

import asyncio
import gc
import logging

import pytest

from switchboard.kernel import lifespan


@pytest.fixture(autouse=True)
def no_hooks(monkeypatch):
    """The process's own hooks would start a watch over leases; and what a test leaves behind is its own."""
    monkeypatch.setattr(lifespan, "_running", set())
    monkeypatch.setattr(lifespan, "_on_start", [])
    monkeypatch.setattr(lifespan, "_on_stop", [])


async def test_hooks_run_in_order_and_are_undone_in_reverse():
    seen = []

    def hook(name):
        async def run():
            seen.append(name)

        return run

    for name in ("a", "b"):
        lifespan.on_start(hook(f"start {name}"))
        lifespan.on_stop(hook(f"stop {name}"))
    await lifespan.start()
    await lifespan.stop()
    assert seen == ["start a", "start b", "stop b", "stop a"]


async def test_spawned_work_outlives_the_garbage_collector():
    done = asyncio.Event()

    async def work():
        await asyncio.sleep(0.01)
        done.set()

    lifespan.spawn(work(), name="work")
    gc.collect()
    await asyncio.wait_for(done.wait(), 1)


async def test_a_failure_is_logged(caplog):
    async def work():
        raise ValueError("the kettle is empty")

    with caplog.at_level(logging.ERROR, logger="switchboard.kernel.lifespan"):
        task = lifespan.spawn(work(), name="make tea")
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert "make tea" in caplog.text
    assert "the kettle is empty" in caplog.text


def test_what_a_loop_that_is_gone_left_behind_is_no_concern_of_the_next(caplog):
    async def never():
        await asyncio.sleep(600)

    async def begin():
        lifespan.spawn(never(), name="left behind")

    async def begin_and_stop():
        task = lifespan.spawn(never(), name="ended")
        await lifespan.stop()
        assert task.cancelled()

    gone = asyncio.new_event_loop()
    gone.run_until_complete(begin())
    gone.close()
    asyncio.run(begin_and_stop())
    assert caplog.text == ""


async def test_what_still_runs_is_cancelled_at_the_end():
    cancelled = asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    lifespan.spawn(work(), name="work")
    await asyncio.sleep(0)
    await lifespan.stop()
    assert cancelled.is_set()
