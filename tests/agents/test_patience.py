"""A deadline that moves: it ends the wait it was given for, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agents.engine.patience import Patience


async def slowly(*pauses: float) -> AsyncIterator[int]:
    for number, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        yield number


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_what_comes_in_time_is_had_and_then_none() -> None:
    stream = slowly(0, 0.01)
    with Patience(soon(1)) as patience:
        assert [await patience.next(stream) for _ in range(3)] == [0, 1, None]


async def test_what_comes_late_is_not_waited_for() -> None:
    with Patience(soon(0.05)) as patience:
        with pytest.raises(TimeoutError):
            await patience.next(slowly(5))
        with pytest.raises(TimeoutError):
            await patience.next(slowly(0))

    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_a_deadline_that_was_moved_is_kept_to_anew() -> None:
    stream = slowly(0.03, 0.06, 0.06, 5)
    heard = []
    with Patience(soon(0.1)) as patience, pytest.raises(TimeoutError):
        while True:
            heard.append(await patience.next(stream))
            patience.until = soon(0.1)

    assert heard == [0, 1, 2]


async def test_what_the_consumer_does_meanwhile_is_left_alone() -> None:
    stream = slowly(0, 0)
    with Patience(soon(0.05)) as patience:
        await patience.next(stream)
        await asyncio.sleep(0.15)
        with pytest.raises(TimeoutError):
            await patience.next(stream)


async def test_somebody_elses_cancellation_passes_through() -> None:
    async def wait() -> None:
        with Patience(soon(5)) as patience:
            await patience.next(slowly(5))

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.02)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
