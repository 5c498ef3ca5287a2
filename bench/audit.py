"""`make bench-audit`: what the audit trail adds to a write, and how quickly a long one is read.

Exit code 1 where a page costs more queries for a long trail than for a short one, where an event is missing, or where
verification finds a fault.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.installation import Installation
from bench.measure import percentile, ratio, table

_ROWS = 1_000
_READS = 30
_WRITES = 400
_PAGES = {
    "list, REST": "/api/v1/audit",
    "list, admin": "/admin/audit/auditevent/",
    "search: one event": "/admin/audit/auditevent/?text=needle",
    "search: every event": "/admin/audit/auditevent/?text=collection",
    "search: nothing": "/admin/audit/auditevent/?text=nowhere",
    "search: two words": "/api/v1/audit?text=menu+otto",
    "by entity": "/api/v1/audit?entity=collection",
    "by action": "/api/v1/audit?action=collection.created",
    "by actor": "/api/v1/audit?actor=otto",
    "by actor who did little": "/api/v1/audit?actor=rare",
    "by time": "/api/v1/audit?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z",
    "a row's history": "/admin/knowledge/collection/{row}/history/",
}


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    events = parser.parse_args().events
    with Installation() as place:
        place.migrate()
        from tenants.context import use_public
        from tenants.domain.provision import create_tenant

        with use_public():
            long, short, writer = (
                create_tenant(name=name, slug=name, domains=[f"{name}.localhost"])
                for name in ("long", "short", "writer")
            )
        print(_added_to_writes(writer), flush=True)
        print(_added_to_requests(), flush=True)
        begun = time.perf_counter()
        _fill(long, events)
        took = time.perf_counter() - begun
        print(f"{events:,} events by bulk updates of {_ROWS:,} rows: {took / events * 1e6:.0f} µs an event", flush=True)
        return max(_pages(long, short), _verified(long, events))


def _fill(tenant: Any, events: int) -> None:
    from django.db import connection

    from knowledge.models import Collection
    from tenants.actor import Actor, use_actor
    from tenants.context import use_tenant

    with use_tenant(tenant):
        Collection.objects.bulk_create([Collection(name=f"Menu {n}", slug=f"menu-{n}") for n in range(_ROWS)])
        for number in range(1, max(2, events // _ROWS)):
            with use_actor(Actor(kind="staff", id=str(number % 7), name=("ines", "otto", "olga")[number % 3])):
                Collection.objects.update(description=f"Round {number}")
        with use_actor(Actor(kind="staff", id="99", name="rare")):
            Collection.objects.filter(slug="menu-7").update(name="Needle")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE audit_auditevent")


def _added_to_writes(tenant: Any) -> str:
    """One row at a time, each in a transaction of its own, and many at once: with the triggers, and without."""
    from knowledge.models import Collection
    from tenants.actor import Actor, use_actor
    from tenants.context import use_tenant

    with use_tenant(tenant), use_actor(Actor(kind="staff", id="8", name="ines")):
        row = Collection.objects.create(name="One", slug="one")
        for size, word in ((_ROWS // 10, "few"), (_ROWS, "many"), (_ROWS * 10, "all")):
            Collection.objects.bulk_create([Collection(name=word, slug=f"{word}-{n}") for n in range(size)])
        few, many, all_of_them = (Collection.objects.filter(name=word) for word in ("few", "many", "all"))
        text = "What the kitchen offers, line by line. " * 200
        cases: dict[str, tuple[Callable[[int], object], int]] = {
            "a short change": (lambda n: Collection.objects.filter(pk=row.pk).update(name=f"One {n}"), _WRITES),
            "a change of 8 kB": (
                lambda n: Collection.objects.filter(pk=row.pk).update(description=f"{n}{text}"),
                _WRITES,
            ),
            "nothing changed": (lambda n: Collection.objects.filter(pk=row.pk).update(slug="one"), _WRITES),
            f"{_ROWS // 10:,} rows at once": (lambda n: few.update(description=f"Round {n}"), 20),
            f"{_ROWS:,} rows at once": (lambda n: many.update(description=f"Round {n}"), 5),
            f"{_ROWS * 10:,} rows at once": (lambda n: all_of_them.update(description=f"Round {n}"), 2),
        }
        rows = []
        for name, (write, times) in cases.items():
            bare: list[float] = []
            audited: list[float] = []
            for number in range(times):  # by turns: whatever else the machine does meets both
                for samples, switch in ((bare, "DISABLE"), (audited, "ENABLE")):
                    _switch(switch)
                    write(number * 10 - 1)
                    begun = time.perf_counter()
                    write(number * 10 + (switch == "ENABLE"))
                    samples.append(time.perf_counter() - begun)
            ours, theirs = percentile(audited, 0.5), percentile(bare, 0.5)
            rows.append([name, f"{theirs * 1e3:.2f}", f"{ours * 1e3:.2f}", ratio(ours, theirs)])
    return table(["a write (p50)", "bare ms", "audited ms", "ratio"], rows)


def _switch(how: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE knowledge_collection {how} TRIGGER audit_change")


def _added_to_requests() -> str:
    """What each query pays to find out that nobody acts, and that what it was told still holds."""
    from tenants.actor import Actor, as_setting, use_actor

    rounds = 200_000
    rows = []
    for name, actor in (("nobody (data plane)", None), ("a member of staff", Actor(kind="staff", id="8", name="ines"))):
        with use_actor(actor):
            begun = time.perf_counter()
            for _ in range(rounds):
                as_setting()
            rows.append([name, f"{(time.perf_counter() - begun) / rounds * 1e9:.0f}", "0"])
    return table(["who acts, for each query", "ns", "round trips while unchanged"], rows)


def _pages(long: Any, short: Any) -> int:
    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["*"]
    _fill(short, _ROWS)
    wrong, rows = [], []
    browsers = {tenant.slug: _browser(tenant, Client) for tenant in (long, short)}
    for name, address in _PAGES.items():
        found = {}
        for tenant in (long, short):
            client, row = browsers[tenant.slug]
            found[tenant.slug] = _read(client, address.format(row=row), tenant)
        (ours, queries), (theirs, fewer) = found["long"], found["short"]
        if queries != fewer:
            wrong.append(f"{name}: {queries} queries for the long trail, {fewer} for the short one")
        rows.append(
            [
                name,
                f"{percentile(ours, 0.5) * 1e3:.0f} / {percentile(ours, 0.95) * 1e3:.0f}",
                f"{percentile(theirs, 0.5) * 1e3:.0f} / {percentile(theirs, 0.95) * 1e3:.0f}",
                ratio(percentile(ours, 0.5), percentile(theirs, 0.5)),
                str(queries),
            ]
        )
    print(table(["page", "long: ms p50 / p95", "short: ms p50 / p95", "ratio", "queries"], rows))
    print("\n".join(wrong) or "as many queries for the long trail as for the short one", flush=True)
    return 1 if wrong else 0


def _browser(tenant: Any, client_class: Any) -> tuple[Any, Any]:
    from knowledge.models import Collection
    from tenants.context import use_tenant
    from tenants.staff.models import User

    with use_tenant(tenant):
        user = User.objects.create(username="bench", is_staff=True, role="owner")
        client = client_class(HTTP_HOST=f"{tenant.slug}.localhost")
        client.force_login(user)
        return client, Collection.objects.get(slug="menu-7").pk


def _read(client: Any, address: str, tenant: Any) -> tuple[list[float], int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tenants.context import use_tenant

    samples = []
    for number in range(_READS + 3):
        begun = time.perf_counter()
        answer = client.get(address)
        took = time.perf_counter() - begun
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        if number >= 3:
            samples.append(took)
    with use_tenant(tenant), CaptureQueriesContext(connection) as seen:
        client.get(address)
    return samples, len(seen)


def _verified(tenant: Any, events: int) -> int:
    from tenants.audit.verification import Verdict, verify_trail

    verdict = Verdict()
    begun = time.perf_counter()
    faults = list(verify_trail(tenant.schema_name, verdict))
    took = time.perf_counter() - begun
    print(f"verify_audit: {verdict.events:,} events in {took:.1f} s, {len(faults)} faults")
    return 1 if faults or verdict.events < events else 0


if __name__ == "__main__":
    sys.exit(main())
