"""Leases on accepted work: opened with it, renewed while a process does it, taken over when that process dies."""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import socket
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from tenants.context import Scope, scope_of, tenant_id, use_public
from tenants.models import WorkLease

logger = logging.getLogger(__name__)

# A live process renews every RENEW_SECONDS; one that misses three renewals is taken for dead.
LEASE_SECONDS: Final = 12.0
RENEW_SECONDS: Final = 4.0

# As an owner: whichever process asks.
OURS: Final = "this process"
# Touched on the event loop; read from the thread that renews, of a copy.
_at_work: set[uuid.UUID] = set()


def _new_name() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


_name = _new_name()


def _rename() -> None:
    global _name
    _name = _new_name()


# A voice worker's jobs are forked from a process that has imported all this already.
os.register_at_fork(after_in_child=_rename)


def this_process() -> str:
    """What this process is called, told apart from one that had its pid before."""
    return _name


def _named(owner: str) -> str:
    return _name if owner == OURS else owner


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Work whose process died, now leased to this one for a moment."""

    kind: str
    object_id: uuid.UUID
    scope: Scope
    attempts: int


Recover = Callable[[Abandoned], Awaitable[None]]
_recoverers: dict[str, Recover] = {}


def on_abandoned(kind: str, recover: Recover) -> None:
    """Say what to do with abandoned work of a kind. Called in `ready()` of the app whose work it is.

    `recover` runs on the event loop, in the work's own scope, and either hands the work on or closes it.
    """
    _recoverers[kind] = recover


def recoverer(kind: str) -> Recover:
    """The function registered for a kind."""
    return _recoverers[kind]


def _in(seconds: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=seconds)


def open_lease(*, kind: str, object_id: uuid.UUID, owner: str = OURS, seconds: float = LEASE_SECONDS) -> None:
    """Note accepted work of the tenant in force, in the caller's transaction.

    Args:
        owner: who works on it; empty for work that waits for a worker.
        seconds: until another may take it.
    """
    WorkLease.objects.create(
        kind=kind,
        object_id=object_id,
        tenant_id=tenant_id(),
        owner=_named(owner),
        until=_in(seconds),
        attempts=1 if owner else 0,
    )


def claim(*, kind: str, object_id: uuid.UUID, owner: str = OURS, seconds: float = LEASE_SECONDS) -> int:
    """Take work that nobody holds, or whose holder is late.

    Returns:
        How many times it has been taken, this time included; 0 where it is held or finished.
    """
    owner = _named(owner)
    free = Q(owner="") | Q(until__lt=timezone.now())
    taken = WorkLease.objects.filter(free, kind=kind, object_id=object_id).update(
        owner=owner, until=_in(seconds), attempts=F("attempts") + 1
    )
    return WorkLease.objects.get(kind=kind, object_id=object_id, owner=owner).attempts if taken else 0


@contextmanager
def at_work(object_id: uuid.UUID) -> Iterator[None]:
    """This process does a piece of work it has leased, for the length of the block; `renew` renews only such."""
    _at_work.add(object_id)
    try:
        yield
    finally:
        _at_work.discard(object_id)


def renew(*, owner: str = OURS, seconds: float = LEASE_SECONDS) -> int:
    """Renew what a process holds and is at work on, in one statement. Returns how many leases that was.

    What it holds and has lost sight of lapses, and is recovered as if the process had died: whoever asked for it left
    before it was begun, the database committed it and then couldn't say so, its outcome couldn't be kept.
    """
    if not _at_work:
        return 0
    return WorkLease.objects.filter(owner=_named(owner), object_id__in=list(_at_work)).update(until=_in(seconds))


def release(*, kind: str, object_id: uuid.UUID, owner: str = OURS, seconds: float = 0.0) -> None:
    """Give work back for another to take, `seconds` from now: an orderly shutdown, or a fault that may pass."""
    WorkLease.objects.filter(kind=kind, object_id=object_id, owner=_named(owner)).update(owner="", until=_in(seconds))


def postpone(*, kind: str, object_id: uuid.UUID, seconds: float) -> None:
    """Leave work that nobody holds alone for so long."""
    WorkLease.objects.filter(kind=kind, object_id=object_id, owner="").update(until=_in(seconds))


@contextmanager
def kept_alive(*, kind: str, object_id: uuid.UUID, owner: str = OURS) -> Iterator[None]:
    """Renew one lease from a thread, while a worker without an event loop is busy."""
    finished = threading.Event()

    def renew_until_finished() -> None:
        while not finished.wait(RENEW_SECONDS):
            try:
                with use_public():
                    WorkLease.objects.filter(kind=kind, object_id=object_id, owner=_named(owner)).update(
                        until=_in(LEASE_SECONDS)
                    )
            except DatabaseError:
                logger.warning("a lease could not be renewed; the next try is in %s s", RENEW_SECONDS)
            finally:
                connection.close()

    thread = threading.Thread(target=renew_until_finished, name=f"lease {object_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def close(*, kind: str, object_id: uuid.UUID, owner: str | None = OURS) -> bool:
    """End a lease, in the transaction that finishes the work.

    Args:
        owner: who must hold it; None closes it whoever does (the work was cancelled or deleted).

    Returns:
        False where the lease is another's by now: then the caller must undo what it did.
    """
    held = WorkLease.objects.filter(kind=kind, object_id=object_id)
    if owner is not None:
        held = held.filter(owner=_named(owner))
    return held.delete()[0] == 1


def is_held(*, kind: str, object_id: uuid.UUID, owner: str = OURS) -> bool:
    """Whether a process holds a piece of work."""
    return WorkLease.objects.filter(kind=kind, object_id=object_id, owner=_named(owner)).exists()


def is_fresh(*, kind: str, object_id: uuid.UUID) -> bool:
    """Whether some process holds a piece of work, and renews it."""
    return WorkLease.objects.filter(kind=kind, object_id=object_id, until__gt=timezone.now()).exclude(owner="").exists()


def count_fresh(*, kind: str) -> int:
    """How much work of a kind processes hold and renew, of the tenant in force."""
    return (
        WorkLease.objects.filter(kind=kind, tenant_id=tenant_id(), until__gt=timezone.now()).exclude(owner="").count()
    )


def take_abandoned(*, limit: int = 50) -> list[Abandoned]:
    """Lease to this process what others let lapse. Processes that look at the same time get different work."""
    with transaction.atomic():
        late = list(
            WorkLease.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("tenant")
            .filter(until__lt=timezone.now(), kind__in=list(_recoverers))
            .order_by("until")[:limit]
        )
        WorkLease.objects.filter(pk__in=[lease.pk for lease in late]).update(owner="", until=_in(LEASE_SECONDS))
    return [Abandoned(lease.kind, lease.object_id, scope_of(lease.tenant), lease.attempts) for lease in late]
