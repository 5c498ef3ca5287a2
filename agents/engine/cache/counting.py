"""How often an answer was found, and how often not: per tenant and day, in Redis, and nothing hangs on it."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from django.utils import timezone
from redis.exceptions import RedisError

from switchboard.kernel.redis import async_redis, redis_client
from tenants.context import tenant_key

Found = Literal["exact", "similar", "miss"]
_KEPT_SECONDS: Final = 40 * 86_400


@dataclass(frozen=True, slots=True)
class Counts:
    """What look-ups came to."""

    exact: int = 0
    similar: int = 0
    misses: int = 0

    @property
    def hits(self) -> int:
        return self.exact + self.similar

    @property
    def asked(self) -> int:
        return self.hits + self.misses

    @property
    def percent(self) -> int:
        """Share of look-ups that found an answer."""
        return round(100 * self.hits / self.asked) if self.asked else 0


async def count(found: Found) -> None:
    """Count one look-up."""
    place = _place(timezone.now().date())
    with contextlib.suppress(RedisError, OSError):
        async with async_redis().pipeline(transaction=False) as together:
            together.hincrby(place, found, 1)
            together.expire(place, _KEPT_SECONDS)
            await together.execute()


def counts(*, days: int) -> Counts | None:
    """Of the last days, today among them; None where Redis is away."""
    today = timezone.now().date()
    try:
        with redis_client().pipeline(transaction=False) as together:
            for ago in range(days):
                together.hgetall(_place(today - dt.timedelta(days=ago)))
            found = together.execute()
    except (RedisError, OSError):
        return None

    def sum_of(name: Found) -> int:
        return sum(int(day.get(name, 0)) for day in found)

    return Counts(exact=sum_of("exact"), similar=sum_of("similar"), misses=sum_of("miss"))


def _place(day: dt.date) -> str:
    return tenant_key("answer-cache", day.isoformat())
