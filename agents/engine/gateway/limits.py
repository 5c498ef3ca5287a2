"""How much of language models a tenant may use: calls and tokens a minute, and calls at once.

One atomic script in Redis decides for all processes. The two rates are kept as the time at which all that was used is
paid off (the generic cell rate algorithm, ITU-T I.371): a tenant may use a minute's worth at once and then as much as
time gives back, and one number a rate is all that is stored. Calls at once are leases, so that those of a process that
was killed end by themselves.

Where Redis can't be reached, calls are let through. The limits keep one tenant from crowding out the others; nobody's
data depends on them, and without Redis there is no live conversation that could be crowded out for long.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from dataclasses import dataclass
from typing import Final

from redis.exceptions import RedisError

from agents.engine.gateway.failures import ModelFailed
from switchboard.kernel.redis import async_redis
from tenants.context import tenant_key
from tenants.limits import MODEL_CALLS_AT_ONCE, MODEL_REQUESTS_PER_MINUTE, MODEL_TOKENS_PER_MINUTE

_PATIENCE: Final = 0.3  # seconds for an answer of Redis
_AWAY_SECONDS: Final = 2.0  # for which Redis isn't asked after it gave none
_LEASE_SECONDS: Final = 600.0  # longer than any call may take

# KEYS: when the calls are paid off; when the tokens are; the calls under way. All times in seconds.
_ADMIT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local function due(key, limit, cost)
    if limit <= 0 then return 0, 0 end
    local from = math.max(tonumber(redis.call('GET', key) or now), now)
    local paid = from + 60 / limit * math.min(cost, limit)
    return paid, paid - now - 60
end
local calls, calls_wait = due(KEYS[1], tonumber(ARGV[1]), 1)
local tokens, tokens_wait = due(KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[4]))
local wait = math.max(calls_wait, tokens_wait)
if wait > 0 then return {'rate', tostring(wait)} end
local most = tonumber(ARGV[3])
if most > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
    if redis.call('ZCARD', KEYS[3]) >= most then return {'busy', '1'} end
    redis.call('ZADD', KEYS[3], now + ARGV[6], ARGV[5])
    redis.call('EXPIRE', KEYS[3], math.ceil(ARGV[6]))
end
if calls > 0 then redis.call('SET', KEYS[1], string.format('%.6f', calls), 'EX', 120) end
if tokens > 0 then redis.call('SET', KEYS[2], string.format('%.6f', tokens), 'EX', 120) end
return {'go', '0'}
"""
# KEYS: when the tokens are paid off; the calls under way. What was used beyond the first guess may run into debt.
_SETTLE: Final = """
redis.call('ZREM', KEYS[2], ARGV[2])
local limit = tonumber(ARGV[1])
if limit > 0 and ARGV[3] ~= '0' then
    local time = redis.call('TIME')
    local now = time[1] + time[2] / 1e6
    local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + 60 / limit * ARGV[3]
    paid = math.min(paid, now + 120)
    if paid > now then redis.call('SET', KEYS[1], string.format('%.6f', paid), 'EX', 180) end
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one tenant may use. 0: as much as it likes."""

    requests_per_minute: int
    tokens_per_minute: int
    calls_at_once: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A call that was let through, and the tokens that were put down for it."""

    call: str
    tokens: int
    limits: Limits


_away_until = 0.0


def limits_of_tenant() -> Limits:
    """Those of the tenant in force: the installation's, unless the operators set others for it."""
    return Limits(
        requests_per_minute=MODEL_REQUESTS_PER_MINUTE.in_force(),
        tokens_per_minute=MODEL_TOKENS_PER_MINUTE.in_force(),
        calls_at_once=MODEL_CALLS_AT_ONCE.in_force(),
    )


async def admit(*, tokens: int) -> Ticket | None:
    """Let a call through, or not.

    Args:
        tokens: as many as the request has, by estimate; `settle` brings the rest.

    Returns:
        What to settle with; None where there is nothing to settle.

    Raises:
        ModelFailed: `rate_limited`, with the seconds to wait.
    """
    limits = limits_of_tenant()
    if not (limits.requests_per_minute or limits.tokens_per_minute or limits.calls_at_once):
        return None
    ticket = Ticket(uuid.uuid4().hex, tokens, limits)
    keys = [_key("calls"), _key("tokens"), _key("open")]
    arguments: list[str | int | float] = [
        limits.requests_per_minute,
        limits.tokens_per_minute,
        limits.calls_at_once,
        tokens,
        ticket.call,
        _LEASE_SECONDS,
    ]
    found = await _run(_ADMIT, keys, arguments)
    if found is None:
        return None
    verdict, wait = str(found[0]), float(found[1])
    if verdict == "go":
        return ticket
    seconds = max(1, math.ceil(wait))
    why = "as many model calls at once" if verdict == "busy" else "as much of its models in a minute"
    raise ModelFailed(
        "rate_limited", f"This company uses {why} as it may. Try again in {seconds} s.", retry_after=float(seconds)
    )


async def settle(ticket: Ticket | None, *, tokens: int) -> None:
    """A call is over.

    Args:
        tokens: what it used in all, sent and received.
    """
    if ticket is not None:
        keys = [_key("tokens"), _key("open")]
        await _run(_SETTLE, keys, [ticket.limits.tokens_per_minute, ticket.call, tokens - ticket.tokens])


def _key(name: str) -> str:
    return tenant_key("models", name)


async def _run(script: str, keys: list[str], arguments: list[str | int | float]) -> list[str] | None:
    """What a script answers; None where Redis is away."""
    global _away_until  # one number for the process
    if time.monotonic() < _away_until:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            found: list[str] = await async_redis().register_script(script)(keys=keys, args=arguments)
            return found
    except (RedisError, OSError):  # TimeoutError is an OSError
        _away_until = time.monotonic() + _AWAY_SECONDS
        return None
