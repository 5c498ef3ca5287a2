"""Runs turns beside the requests of a web process: detached from whoever asked, so that a dropped connection loses
nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from django.db import DatabaseError
from redis.exceptions import RedisError

from agents.engine.images import LabelledImage, Look
from conversations.domain import turns
from conversations.domain.turns import Accepted, Job
from conversations.events.hub import announce_cancellation, hub
from conversations.turn_run import LeaseLost, TurnRun
from switchboard.kernel import lifespan
from switchboard.kernel.database import in_database
from tenants.domain import leases
from tenants.domain.leases import Abandoned

logger = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 6.0
_running: dict[uuid.UUID, TurnRun] = {}
_tasks: set[asyncio.Task[None]] = set()


async def start() -> None:
    """With the web process: listen for turns to cancel."""
    await hub().watch_cancellations(_cancel)


async def stop() -> None:
    """Let running turns end; those that don't in time are given back for another process to close."""
    if _tasks:
        await asyncio.wait(_tasks, timeout=_DRAIN_SECONDS)


async def accept(
    *,
    conversation_id: uuid.UUID,
    content: str,
    idempotency_key: str | None = None,
    images: Sequence[LabelledImage] = (),
    look: Look | None = None,
    is_spoken: bool = False,
) -> Accepted:
    """Take a message in; its turn, if there is one to run now, is the caller's to run.

    Args:
        images: what the contact shows with it. They are kept nowhere, and so lost to a turn that has to wait or that
            another process takes over.
        look: takes a look at it, for a model that wants to see more than `images`; lost likewise.
        is_spoken: whether the answer is listened to: models get less time to begin it.

    If the caller is cancelled meanwhile, because whoever sent the message has left, the turn is run all the same.
    Raises what `turns.accept_message` does.
    """
    accepting = asyncio.ensure_future(
        in_database(
            turns.accept_message, conversation_id=conversation_id, content=content, idempotency_key=idempotency_key
        )
    )
    try:
        accepted = await asyncio.shield(accepting)
    except asyncio.CancelledError:
        accepting.add_done_callback(_run_unheard)
        raise
    if accepted.is_new and accepted.job is None:
        # The turn before it may have ended while this message was accepted, and have seen nothing that waits.
        lifespan.spawn(run_waiting(conversation_id), name=f"turn {accepted.turn_id}")
    if accepted.job is not None:
        job = replace(accepted.job, images=tuple(images), look=look, is_spoken=is_spoken)
        return replace(accepted, job=job)
    return accepted


def _run_unheard(accepting: asyncio.Task[Accepted]) -> None:
    if accepting.cancelled() or accepting.exception() is not None:
        return
    job = accepting.result().job
    if job is not None:
        run(job)


def run(job: Job) -> None:
    """Start a turn this process holds, and after it the ones that wait behind it."""
    task = lifespan.spawn(_run_all(job), name=f"turn {job.turn_id}")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def run_waiting(conversation_id: uuid.UUID) -> None:
    """Start what waits in a conversation, if nothing runs there."""
    job = await in_database(turns.claim_next, conversation_id=conversation_id)
    if job is not None:
        run(job)


async def cancel(*, conversation_id: uuid.UUID, turn_id: uuid.UUID) -> bool:
    """Stop a turn, whichever process runs it. False where it was over. Raises `NotFound`."""
    noted = await in_database(turns.request_cancel, conversation_id=conversation_id, turn_id=turn_id)
    if noted:
        _cancel(str(turn_id))
        # It is noted all the same: without Redis, a turn that runs elsewhere is stopped only if it hasn't begun.
        with contextlib.suppress(RedisError, OSError):
            await announce_cancellation(turn_id)
    return noted


def _cancel(turn_id: str) -> None:
    running = _running.get(uuid.UUID(turn_id))
    if running is not None:
        running.cancel()


async def _run_all(job: Job) -> None:
    current: Job | None = job
    while current is not None and await _run_one(current):
        current = await in_database(turns.claim_next, conversation_id=job.conversation_id)


async def _run_one(job: Job) -> bool:
    """Whether further turns of the conversation wait, or may wait."""
    run_of_job = TurnRun(job)
    _running[job.turn_id] = run_of_job
    try:
        with leases.at_work(job.turn_id):
            # Asked once it can be told by `cancel` as well, so that no cancellation falls in between.
            if job.has_waited and await in_database(turns.is_cancel_requested, turn_id=job.turn_id):
                run_of_job.cancel()
            others_wait = await run_of_job.run()
            lifespan.spawn(run_of_job.remember(), name=f"memory of turn {job.turn_id}")
            return others_wait
    except LeaseLost:
        logger.warning("a turn was taken over by another process", extra={"turn": str(job.turn_id)})
    except asyncio.CancelledError:
        # The process is going down: the next one takes over without waiting for the lease to lapse.
        await asyncio.shield(in_database(leases.release, kind=turns.LEASE_KIND, object_id=job.turn_id))
        raise
    except (DatabaseError, RedisError, OSError):
        # Both were tried beyond reason; the lease lapses, and whoever takes it closes the turn.
        logger.exception("a turn could not be kept", extra={"turn": str(job.turn_id)})
    finally:
        _running.pop(job.turn_id, None)
    return True


async def recover(work: Abandoned) -> None:
    """Take over a turn whose process died, in the turn's own scope."""
    conversation_id = await in_database(turns.conversation_of, turn_id=work.object_id)
    if conversation_id is None:
        await in_database(leases.close, kind=work.kind, object_id=work.object_id, owner=None)
    else:
        await run_waiting(conversation_id)
