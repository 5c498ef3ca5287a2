"""`make bench-control_plane`: lists of a long registry beside a short one's, and how long a release takes to resolve.

Exit code 1 where a page costs more queries in a long registry than in a short one, where paging
leaves rows out or shows them twice, or where resolving a release takes more queries than it may.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.installation import Installation
from bench.measure import percentile, ratio, table

_LIST = "/api/v1/prompts?limit=50"
_PAGES = {
    "first page": _LIST,
    "first page, by name": f"{_LIST}&ordering=name",
    "first page, by draft": f"{_LIST}&ordering=-drafted_at",
    "q finds many": f"{_LIST}&q=prompt",
    "q finds one": f"{_LIST}&q=needle",
    "q finds none": f"{_LIST}&q=nowhere",
    "tag that half have": f"{_LIST}&tag=even",
    "tag that one has": f"{_LIST}&tag=rare",
    "published": f"{_LIST}&published=true",
    "deleted": f"{_LIST}&deleted=true",
}
_DEEP = {"a page in the middle": _LIST, "a page in the middle, by name": f"{_LIST}&ordering=name"}
_READS = 40
_TEMPLATE = "You answer the guests of the house, kindly and in few words. " * 30


@dataclass(frozen=True, slots=True)
class Read:
    """How a page was read, again and again."""

    milliseconds: float
    slowest: float
    queries: int
    rows: int


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.control_plane", description=__doc__)
    parser.add_argument("--prompts", type=int, default=10_000)
    prompts = parser.parse_args().prompts
    with Installation() as place:
        place.migrate()
        from tenants.context import use_public
        from tenants.domain.provision import create_tenant

        with use_public():
            long, short = (
                create_tenant(name=name, slug=name, domains=[f"{name}.localhost"]) for name in ("long", "short")
            )
        _fill(long, prompts)
        _fill(short, 10)
        return max(_pages(long, short, prompts), _resolving(long))


def _fill(tenant: Any, prompts: int) -> None:
    from django.db import connection

    from agents.models import Prompt
    from tenants.context import use_tenant

    with use_tenant(tenant):
        for start in range(0, prompts, 1_000):
            numbers = range(start, min(prompts, start + 1_000))
            Prompt.objects.bulk_create(
                Prompt(
                    name=f"Prompt {number * 7919 % prompts:05}",
                    slug="needle" if number == prompts // 3 else f"prompt-{number}",
                    tags=["even" if number % 2 else "odd", *(["rare"] if number == prompts // 2 else [])],
                    draft={"template": f"{_TEMPLATE}{number}"},
                    latest_version=number % 3,
                )
                for number in numbers
            )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE agents_prompt")


# --- lists ------------------------------------------------------------------------------------------------------------


def _pages(long: Any, short: Any, prompts: int) -> int:
    wrong, rows = [], []
    callers = {tenant.slug: _caller(tenant) for tenant in (long, short)}
    addresses = [(name, address, 0) for name, address in _PAGES.items()]
    addresses += [(name, address, prompts // 100) for name, address in _DEEP.items()]
    for name, address, depth in addresses:
        deep = _at_depth(callers["long"], address, depth)
        ours = _read(callers["long"], deep)
        theirs = _read(callers["short"], _at_depth(callers["short"], address, 0))
        if ours.queries > theirs.queries:
            wrong.append(f"{name}: {ours.queries} queries, {theirs.queries} in a short registry")
        rows.append(
            [
                name,
                f"{theirs.milliseconds:.1f}",
                f"{ours.milliseconds:.1f}",
                f"{ours.slowest:.1f}",
                ratio(ours.milliseconds, theirs.milliseconds),
                str(ours.queries),
                str(ours.rows),
            ]
        )
    for ordering in ("-created_at", "name"):
        shown = [row["id"] for page in _walk(callers["long"], f"{_LIST}&ordering={ordering}") for row in page]
        if not len(shown) == len(set(shown)) == prompts:
            wrong.append(f"paging by {ordering} showed {len(shown)} rows, {len(set(shown))} of {prompts}")
    head = ["list of prompts", "10: p50 ms", f"{prompts:,}: p50 ms", "p95 ms", "ratio", "queries", "rows"]
    print(table(head, rows), flush=True)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


def _caller(tenant: Any) -> Any:
    from django.conf import settings
    from rest_framework.test import APIClient

    from tenants.context import use_public
    from tenants.domain.api_keys import create_api_key

    settings.ALLOWED_HOSTS = ["*"]
    with use_public():
        key = create_api_key(tenant=tenant, name="bench")[1]
    return APIClient(HTTP_HOST=f"{tenant.slug}.localhost", HTTP_AUTHORIZATION=f"Bearer {key}")


def _at_depth(caller: Any, address: str, pages: int) -> str:
    for _ in range(pages):
        address = _path(caller.get(address).json()["next"])
    return address


def _walk(caller: Any, address: str) -> Iterator[list[Any]]:
    following: str | None = address
    while following:
        page = caller.get(_path(following)).json()
        yield page["results"]
        following = page["next"]


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def _read(caller: Any, address: str) -> Read:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    caller.get(address)
    with CaptureQueriesContext(connection) as seen:
        page = caller.get(address).json()
    queries = len(seen)
    samples = []
    for _ in range(_READS):
        begun = time.perf_counter()
        answer = caller.get(address)
        samples.append((time.perf_counter() - begun) * 1e3)
        assert answer.status_code == 200
    return Read(statistics.median(samples), percentile(samples, 0.95), queries, len(page["results"]))


# --- releases ---------------------------------------------------------------------------------------------------------


def _resolving(tenant: Any) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from agents.domain.agents import compose_agent
    from agents.releases import releases, resolve
    from switchboard.kernel.redis import redis_client
    from tenants.context import use_tenant

    with use_tenant(tenant):
        pk = compose_agent(name="Desk", slug="desk", prompt=_TEMPLATE).pk

        def shared() -> None:
            releases.forget()

        def cold() -> None:
            releases.forget()
            redis_client().flushdb()

        rows, wrong = [], []
        for name, prepare, most, times in (
            ("warm: this process has it", None, 0, 20_000),
            ("another process has had it (Redis)", shared, 0, 400),
            ("cold: nobody has it", cold, 1, 400),
        ):
            resolve(pk)
            if prepare:
                prepare()
            with CaptureQueriesContext(connection) as seen:
                resolve(pk)
            queries = len(seen)
            if queries > most:
                wrong.append(f"{name}: {queries} queries, {most} at most")
            samples = []
            for _ in range(times):
                if prepare:
                    prepare()
                begun = time.perf_counter()
                resolve(pk)
                samples.append((time.perf_counter() - begun) * 1e3)
            rows.append([name, f"{percentile(samples, 0.5):.4f}", f"{percentile(samples, 0.95):.4f}", str(queries)])
    print(table(["resolving a release", "p50 ms", "p95 ms", "queries"], rows), flush=True)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
