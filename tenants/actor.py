"""Who acts, for the audit trail: kept beside the tenant's scope, and told to the database with it.

The interfaces say who (`use_actor`), `domain` says what it means (`doing`). Triggers write both down with each change.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

# Where a connection is told who acts, as a JSON object; the triggers read it (`tenants.audit.triggers`).
SETTING: Final = "switchboard.actor"

Kind = Literal["staff", "operator", "api_key", "contact", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something.

    Args:
        id: of the member, operator or API key.
        name: as a reader of the trail knows them.
        request_id: joins the change with the log lines of its request.
        address: the client's network address.
    """

    kind: Kind = "system"
    id: str = ""
    name: str = ""
    request_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a change means where its columns don't say, such as `release.went_live`, and why it was made."""

    action: str
    message: str = ""


_actor: ContextVar[Actor | None] = ContextVar("switchboard_actor", default=None)
_deed: ContextVar[Deed | None] = ContextVar("switchboard_deed", default=None)


def current_actor() -> Actor | None:
    """Who acts, or None where nobody has said: the system itself."""
    return _actor.get()


def current_deed() -> Deed | None:
    """What is being done, or None where the changed columns speak for themselves."""
    return _deed.get()


@contextmanager
def use_actor(actor: Actor | None) -> Iterator[None]:
    """Run a block in somebody's name; works around sync and async code alike."""
    before = _actor.get()
    _actor.set(actor)
    try:
        yield
    finally:
        _actor.set(before)


@contextmanager
def doing(action: str, message: str = "") -> Iterator[None]:
    """Name what the changes in a block amount to.

    Args:
        action: `entity.verb`, stable; people search the trail by it.
        message: why, in the words of whoever does it.
    """
    before = _deed.get()
    _deed.set(Deed(action, message))
    try:
        yield
    finally:
        _deed.set(before)


def as_setting() -> str:
    """Who acts and what it means, as a connection is told it; "" where nobody has said either."""
    actor, deed = _actor.get(), _deed.get()
    return _setting(actor, deed) if actor is not None or deed is not None else ""


@functools.lru_cache(maxsize=256)
def _setting(actor: Actor | None, deed: Deed | None) -> str:
    told: dict[str, str] = {}
    if actor is not None:
        told.update(kind=actor.kind, id=actor.id, name=actor.name, request_id=actor.request_id, address=actor.address)
    if deed is not None:
        told.update(action=deed.action, message=deed.message)
    return json.dumps({name: _storable(value) for name, value in told.items()})


def _storable(text: str) -> str:
    # PostgreSQL has no NUL and no half of a surrogate pair; a trail must not stop a change for either.
    return text.replace("\x00", "").encode(errors="replace").decode()
