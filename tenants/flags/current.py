"""Flags as they are now, asked from anywhere: in a turn, a view, a task, a call.

A tenant's flags and the operators' are remembered for two seconds and evaluated in this process. A database that is
away doesn't stop anybody: the flags last known go on being used, and what was never known is off.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from django.db import Error as DatabaseFault

from switchboard.kernel.memory import Memory
from switchboard.kernel.problems import Problem
from tenants.context import PUBLIC_SCHEMA, Scope, TenantNotSet, current_scope, use_public
from tenants.flags.evaluation import (
    NO_CONTEXT,
    NO_FLAGS,
    UNKNOWN,
    CompiledFlag,
    Context,
    Evaluation,
    FlagSet,
    TenantFacts,
)
from tenants.flags.evaluation import evaluate as evaluate_purely
from tenants.flags.models import Flag
from tenants.flags.rules import parse_rules

logger = logging.getLogger(__name__)

MEMORY_SECONDS: Final = 2.0
# How long a turn waits for flags to be read again before it goes on with those it has; longer where it has none yet.
_PATIENCE_SECONDS: Final = 0.25
_FIRST_PATIENCE_SECONDS: Final = 3.0
_MOST: Final = 10_000

Row = tuple[str, bool, Any, bool]


def is_enabled(key: str, context: Context = NO_CONTEXT) -> bool:
    """Whether a flag is on, in the scope in force. Off for a flag that isn't there."""
    return evaluate(key, context).enabled


async def is_enabled_async(key: str, context: Context = NO_CONTEXT) -> bool:
    """`is_enabled` from async code; the database is asked off the event loop."""
    return (await evaluate_async(key, context)).enabled


def evaluate(
    key: str, context: Context = NO_CONTEXT, *, facts: TenantFacts | None = None, now: float | None = None
) -> Evaluation:
    """Whether a flag is on, in the scope in force, and why.

    Args:
        key: of a tenant's flag or of one of the operators'.
        context: who and where.
        facts: tier and metadata to suppose instead of the tenant's own.
        now: a moment to suppose instead of this one, in seconds since 1970, UTC.

    Raises:
        TenantNotSet: outside any scope.
    """
    scope = _in_force()
    platform = flag_sets.find(PUBLIC_SCHEMA)
    own = NO_FLAGS if scope.is_public else flag_sets.find(scope.schema_name)
    return _answer(key, context, scope, own, platform, facts, now)


async def evaluate_async(
    key: str, context: Context = NO_CONTEXT, *, facts: TenantFacts | None = None, now: float | None = None
) -> Evaluation:
    """`evaluate` from async code. Where the database doesn't answer in time the flags last known decide."""
    scope = _in_force()
    platform = flag_sets.recall(PUBLIC_SCHEMA)
    if platform is None:
        platform = await _read_again(PUBLIC_SCHEMA)
    own = NO_FLAGS if scope.is_public else flag_sets.recall(scope.schema_name)
    if own is None:
        own = await _read_again(scope.schema_name)
    return _answer(key, context, scope, own, platform, facts, now)


def facts_of(scope: Scope) -> TenantFacts:
    """What a flag may look at of a tenant, as it stood at the door: no query is needed."""
    return TenantFacts(scope.tier, scope.metadata)


def compiled(rows: Iterable[Row]) -> dict[str, CompiledFlag]:
    """Flags ready to be asked, from `(key, enabled, rules, default)`. Rules that this code can't read leave their flag
    off.
    """
    flags = {}
    for key, enabled, rules, default in rows:
        try:
            parsed = parse_rules(rules)
        except Problem as problem:
            logger.error("the rules of the flag %s can't be read, so it is off: %s", key, problem.errors)
            parsed = None
        flags[key] = CompiledFlag(key=key, enabled=enabled, rules=parsed, default=default)
    return flags


def forget() -> None:
    """Read the flags again from here on. What was known last stays known, for an outage."""
    flag_sets.forget()


def _in_force() -> Scope:
    scope = current_scope()
    if scope is None:
        raise TenantNotSet("A flag was asked about with no tenant in force.")
    return scope


def _answer(
    key: str,
    context: Context,
    scope: Scope,
    own: FlagSet,
    platform: FlagSet,
    facts: TenantFacts | None,
    now: float | None,
) -> Evaluation:
    if key not in own and key not in platform:
        return UNKNOWN
    return evaluate_purely(
        key,
        context,
        own=own,
        platform=platform,
        facts=facts_of(scope) if facts is None else facts,
        now=time.time() if now is None else now,
    )


def _load(schema_name: str) -> FlagSet:
    """The flags of a schema, which is the one in force or the public one."""
    try:
        if schema_name == PUBLIC_SCHEMA:
            with use_public():
                flags: FlagSet = compiled(_rows())
        else:
            flags = compiled(_rows())
    except DatabaseFault as fault:
        known = _last_known.get(schema_name)
        what = "those last known are used" if known is not None else "all are off"
        logger.warning("the flags of %s can't be read, %s: %s", schema_name, what, str(fault).partition("\n")[0])
        return NO_FLAGS if known is None else known
    _last_known[schema_name] = flags
    _last_known.move_to_end(schema_name)
    while len(_last_known) > _MOST:
        _last_known.popitem(last=False)
    return flags


def _rows() -> list[Row]:
    return list(Flag.objects.filter(deleted_at=None).values_list("key", "enabled", "rules", "default"))


async def _read_again(schema_name: str) -> FlagSet:
    """The flags out of the database; those last known where it takes too long. One reader serves all who wait."""
    reading = _reading.get(schema_name)
    loop = asyncio.get_running_loop()
    if reading is None or reading[1].done() or reading[1].get_loop() is not loop:
        reading = (loop.time(), asyncio.ensure_future(flag_sets.find_async(schema_name)))
        _reading[schema_name] = reading
        reading[1].add_done_callback(lambda done: _finished(schema_name, done))
    known = _last_known.get(schema_name)
    patience = _PATIENCE_SECONDS if known is not None else _FIRST_PATIENCE_SECONDS
    begun, task = reading
    await asyncio.wait({task}, timeout=max(0.0, begun + patience - loop.time()))
    if task.done() and not task.cancelled() and task.exception() is None:
        return task.result()
    return NO_FLAGS if known is None else known


def _finished(schema_name: str, done: asyncio.Future[FlagSet]) -> None:
    if _reading.get(schema_name, (0.0, None))[1] is done:
        del _reading[schema_name]
    if not done.cancelled() and done.exception() is not None:
        logger.error("the flags of %s can't be read", schema_name, exc_info=done.exception())


flag_sets: Memory[str, FlagSet] = Memory(_load, seconds=MEMORY_SECONDS, most=_MOST)
_last_known: OrderedDict[str, FlagSet] = OrderedDict()
_reading: dict[str, tuple[float, asyncio.Future[FlagSet]]] = {}
