"""`python -m bench.tenants [--tenants 1000]`: what a tenant costs when there are many of them."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from bench.http_client import Connection
from bench.installation import ROOT, Installation, Program
from bench.measure import percentile, process_use, ratio, table

_PROGRESS = re.compile(r"migrating tenant (\d+) of (\d+)")
_FEW = 10


@dataclass(frozen=True, slots=True)
class Migration:
    """One run of `migrate_platform`.

    Args:
        begun: tenants it had begun to migrate when it ended or was killed.
        announced: tenants it said there were to do.
        left: tenants not migrated afterwards.
    """

    seconds: float
    begun: int
    announced: int
    left: int
    lines: int


def main() -> int:
    """Run it; returns the exit code: 1 where a migration did something twice or left something out."""
    parser = argparse.ArgumentParser(prog="python -m bench.tenants", description=__doc__)
    parser.add_argument("--tenants", type=int, default=1000)
    count = parser.parse_args().tenants
    with Installation() as place:
        start = time.perf_counter()
        place.migrate()
        print(f"first migration of an empty database: {time.perf_counter() - start:.1f} s", flush=True)
        companies, took = make_tenants(count)
        _print_making(took, _database_bytes(place))
        web = place.web()
        early, late = asyncio.run(first_requests(web, companies))
        print(f"first requests: web process {process_use(web.pid).memory / 1e6:.0f} MB")
        print(_first_requests_table(early, late), flush=True)
        web.stop()
        return _migrations(place, count)


def make_tenants(count: int) -> tuple[list[tuple[str, str]], list[float]]:
    """Tenants, one after the other, each ready for requests: host and key of each, and the seconds each took."""
    from tenants.context import use_public
    from tenants.domain.api_keys import create_api_key
    from tenants.domain.provision import create_tenant
    from tenants.models import Tenant

    made, took = [], []
    with use_public():
        for number in range(count):
            start = time.perf_counter()
            host = f"company{number}.localhost"
            tenant = create_tenant(name=f"Company {number}", slug=f"company{number}", domains=[host])
            took.append(time.perf_counter() - start)
            if tenant.status != Tenant.Status.READY:
                raise RuntimeError(f"{tenant.slug} is {tenant.status}, not ready")
            made.append((host, create_api_key(tenant=tenant, name="bench")[1]))
            if (number + 1) % 100 == 0:
                print(f"{number + 1} tenants", flush=True)
    return made, took


async def first_requests(web: Program, companies: Sequence[tuple[str, str]]) -> tuple[list[float], list[float]]:
    """Seconds of the first request of the first tenants and of the last ones, by turns, nothing of them remembered."""
    few = min(_FEW, len(companies) // 3)
    for host, key in companies[few : 2 * few]:  # the process itself is warm
        await _ask(web, host, key)
    early, late = [], []
    for first, last in zip(companies[:few], companies[-few:], strict=True):
        early.append(await _ask(web, *first))
        late.append(await _ask(web, *last))
    return early, late


async def _ask(web: Program, host: str, key: str) -> float:
    connection = Connection(port=web.port, host=host, key=key)
    start = time.perf_counter()
    answer = await connection.request("GET", "/api/v1/agents")
    took = time.perf_counter() - start
    if answer.status != 200:
        raise RuntimeError(f"{host} answered {answer.status}: {answer.body[:300]!r}")
    connection.close()
    return took


def migrate(place: Installation, *, kill_at: int | None = None) -> Migration:
    """Run `migrate_platform` as an operator does.

    Args:
        kill_at: SIGKILL it when it begins with this tenant.
    """
    env = {**os.environ, **place.environment, "PYTHONUNBUFFERED": "1"}
    start = time.perf_counter()
    begun = announced = lines = 0
    with subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "migrate_platform"], env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines += 1
            if found := _PROGRESS.search(line):
                begun, announced = int(found[1]), int(found[2])
                if begun == kill_at:
                    process.send_signal(signal.SIGKILL)
    seconds = time.perf_counter() - start
    if process.returncode != (0 if kill_at is None else -signal.SIGKILL):
        raise RuntimeError(f"migrate_platform ended with {process.returncode}")
    return Migration(seconds, begun, announced, _left(place), lines)


def _migrations(place: Installation, count: int) -> int:
    idle = migrate(place)
    _forget_migrations(place)
    killed = migrate(place, kill_at=count // 2)
    resumed = migrate(place)
    again = migrate(place)
    rows = [
        ("nothing to do", idle),
        (f"all {count} to do, killed -9 half-way", killed),
        ("resumed", resumed),
        ("nothing to do", again),
    ]
    cells = [[name, f"{run.seconds:.1f}", *map(str, _counts(run)), _each(run, idle)] for name, run in rows]
    print(table(["migrate_platform", "seconds", "to do", "begun", "left", "lines shown", "ms each"], cells))
    # The tenant under way when the process was killed may be looked at a second time; nothing else may be.
    repeated = resumed.announced + killed.begun - 1 - count
    print(f"repeated by the second run: {max(0, repeated)} tenants; left out: {resumed.left}")
    return int(repeated > 1 or resumed.left > 0 or idle.begun > 0 or again.begun > 0)


def _counts(run: Migration) -> tuple[int, int, int, int]:
    return run.announced, run.begun, run.left, run.lines


def _each(run: Migration, idle: Migration) -> str:
    return f"{1000 * (run.seconds - idle.seconds) / run.begun:.0f}" if run.begun else "-"


def _left(place: Installation) -> int:
    with psycopg.connect(place.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM tenants_tenant WHERE migrated_to = ''").fetchone()
    assert row is not None
    return int(row[0])


def _forget_migrations(place: Installation) -> None:
    """As after an upgrade that brings a migration: no tenant is known to be up to date."""
    with psycopg.connect(place.database_url) as connection:
        connection.execute("UPDATE tenants_tenant SET migrated_to = ''")


def _database_bytes(place: Installation) -> int:
    with psycopg.connect(place.database_url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _print_making(took: list[float], size: int) -> None:
    share = max(1, len(took) // 10)
    rows = [
        [name, *(f"{1000 * percentile(part, share_of):.0f}" for share_of in (0.5, 0.95)), f"{1000 * max(part):.0f}"]
        for name, part in (("all", took), (f"the first {share}", took[:share]), (f"the last {share}", took[-share:]))
    ]
    print(table([f"a tenant to ready ({len(took)} made)", "ms p50", "p95", "most"], rows))
    print(
        f"last tenth / first tenth: {ratio(statistics.median(took[-share:]), statistics.median(took[:share]))}; "
        f"{size / 1e6 / len(took):.2f} MB of disk each",
        flush=True,
    )


def _first_requests_table(early: list[float], late: list[float]) -> str:
    rows = [
        [name, f"{1000 * statistics.median(part):.1f}", f"{1000 * max(part):.1f}"]
        for name, part in (("first tenants", early), ("last tenants", late))
    ]
    text = table(["first request of", "ms p50", "most"], rows)
    return f"{text}\nlast / first: {ratio(statistics.median(late), statistics.median(early))}"


if __name__ == "__main__":
    sys.exit(main())
