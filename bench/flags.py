"""`make bench-flags`: what asking about a flag costs a turn that is warm, beside looking a word up in a dictionary.

No servers are needed: flags are evaluated in the process that asks, out of a set that is remembered. Exit code 1 where
an answer is wrong.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

_ROUNDS = 20_000
_AT_ONCE = 10  # calls between two looks at the clock, which takes as long as a look-up


def main() -> int:
    """Measure and print."""
    # Nothing is asked of either; the settings want them named.
    os.environ.update(
        {"SWITCHBOARD_ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "switchboard.settings"}
        | {"DATABASE_URL": "postgres://nobody@127.0.0.1/nothing", "REDIS_URL": "redis://127.0.0.1/0"}
    )
    import django

    django.setup()
    from bench.measure import percentile, ratio, table
    from tenants.context import Scope, use_tenant
    from tenants.flags import current
    from tenants.flags.evaluation import Context

    gold = {"attribute": "tier", "operator": "is", "value": "gold"}
    german = {"attribute": "tenant.country", "operator": "in", "value": ["DE", "AT", "CH"]}
    rules = {
        "plain": [],
        "conditions": [{"conditions": [gold, german], "from": "2020-01-01T00:00:00Z"}],
        "share": [{"percentage": 50}],
        "tenth_rule": [*({"conditions": [{**gold, "value": f"tier {n}"}]} for n in range(9)), {"conditions": [gold]}],
    }
    filler = [(f"feature_{number}", True, rules["conditions"], False) for number in range(200)]
    own = current.compiled([*((key, True, value, False) for key, value in rules.items()), *filler])
    # Put where the database's answer would be, for as long as this takes.
    until = time.monotonic() + 3600
    current.flag_sets._answers.update({"t_bench": (until, own), "public": (until, {})})

    plain: dict[str, int] = {key: number for number, key in enumerate(own)}
    contact = Context(contact="01890a5d-ac96-774b-bcce-b302099a8057", agent="concierge", channel="widget")
    scope = Scope("t_bench", tier="gold", metadata={"country": "DE"})
    with use_tenant(scope):
        wanted = {"plain": False, "conditions": True, "tenth_rule": True}
        wrong = [key for key, answer in wanted.items() if current.is_enabled(key, contact) is not answer]
        if wrong:
            print(f"wrong: {', '.join(wrong)}")
            return 1
        floor = _timed(lambda: plain["conditions"])
        rows = [_row("dictionary look-up", floor, floor, percentile, ratio)]
        for key in [*rules, "no such flag"]:
            samples = _timed(lambda key=key: current.is_enabled(key, contact))  # type: ignore[misc]
            rows.append(_row(f"is_enabled, {key}", samples, floor, percentile, ratio))
        samples = asyncio.run(_timed_async(lambda: current.is_enabled_async("conditions", contact)))
        rows.append(_row("is_enabled_async, conditions", samples, floor, percentile, ratio))
    print(table(["", "p50 µs", "p95 µs", "ratio (p50)"], rows))
    return 0


def _timed(ask: Callable[[], object]) -> list[float]:
    samples = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(_AT_ONCE):
            ask()
        samples.append((time.perf_counter() - begun) / _AT_ONCE)
    return samples


async def _timed_async(ask: Callable[[], Awaitable[object]]) -> list[float]:
    samples = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(_AT_ONCE):
            await ask()
        samples.append((time.perf_counter() - begun) / _AT_ONCE)
    return samples


def _row(name: str, samples: list[float], floor: list[float], percentile: Any, ratio: Any) -> list[str]:
    middle = percentile(samples, 0.5)
    return [
        name,
        f"{middle * 1e6:.2f}",
        f"{percentile(samples, 0.95) * 1e6:.2f}",
        ratio(middle, percentile(floor, 0.5)),
    ]


if __name__ == "__main__":
    sys.exit(main())
