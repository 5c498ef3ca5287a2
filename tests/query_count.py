"""How many queries a page costs, which must not grow with what it shows."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def queries(client: Client, address: str) -> int:
    """The queries of a page that has been asked for once already, and remembers what a process remembers for a few
    seconds. Each of those is asked for anew when its seconds are over: in one or two of so many requests, not in all.
    """
    client.get(address)
    return min(_asked(client, address) for _ in range(5))


def _asked(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def queries_of(act: Callable[[], object]) -> int:
    """The queries that something makes."""
    with CaptureQueriesContext(connection) as seen:
        act()
    return len(seen)
