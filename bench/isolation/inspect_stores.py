"""Looking into PostgreSQL and Redis afterwards: whose rows lie where, and which connections are held by nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
import redis
from psycopg import sql

from bench.companies import Company
from bench.http_client import Connection

_LEFT_BEHIND = """
    SELECT pid, state, now() - state_change, left(query, 200) FROM pg_stat_activity
    WHERE application_name = %s AND (state LIKE 'idle in transaction%%' OR state_change < %s)
"""


def foreign_rows(database_url: str, companies: Sequence[Company]) -> list[str]:
    """Rows of a tenant's schema that hold another tenant's canary, a sentence for each table that has any."""
    found = []
    with psycopg.connect(database_url) as connection:
        for company in companies:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", [company.schema_name]
            ).fetchall()
            own = company.canary.removeprefix("canary-")
            for (table,) in tables:
                query = sql.SQL("SELECT count(*) FROM {} AS r WHERE r::text ~ %s").format(
                    sql.Identifier(company.schema_name, table)
                )
                row = connection.execute(query, [f"canary-(?!{own})[0-9a-f]{{12}}"]).fetchone()
                if row and row[0]:
                    found.append(f"{company.schema_name}.{table}: {row[0]} rows")
    return found


def foreign_events(redis_url: str, companies: Sequence[Company]) -> list[str]:
    """Event streams under a tenant's keys that hold another tenant's canary."""
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    found = []
    canaries = {company.schema_name: company.canary for company in companies}
    for company in companies:
        others = [canary for name, canary in canaries.items() if name != company.schema_name]
        for key in client.scan_iter(match=f"t:{company.schema_name}:conversation:*:events", count=1000):
            text = str(client.xrange(key))
            found += [f"{key}: {canary}" for canary in others if canary in text]
    client.close()
    return found


def open_turns(database_url: str, companies: Sequence[Company]) -> list[str]:
    """Accepted messages that have no end yet, a sentence for each."""
    found = []
    with psycopg.connect(database_url) as connection:
        for company in companies:
            query = sql.SQL(
                "SELECT t.id, t.status, t.cancel_requested, now() - t.created_at, l.owner, l.until - now(), l.attempts,"
                " (SELECT left(m.text, 40) FROM {} AS m WHERE m.turn_id = t.id AND m.role = 'contact')"
                " FROM {} AS t LEFT JOIN public.tenants_worklease AS l ON l.object_id = t.id"
                " WHERE t.status IN ('queued', 'running')"
            ).format(
                sql.Identifier(company.schema_name, "conversations_message"),
                sql.Identifier(company.schema_name, "conversations_turn"),
            )
            for turn, status, cancelled, age, owner, until, attempts, text in connection.execute(query):
                found.append(
                    f"turn {turn} of {company.schema_name} ({text}): {status}, {age} old, cancelled: {cancelled}; "
                    f"lease of {owner!r} for {until}, taken {attempts} times"
                )
    return found


def connections_of(database_url: str, application: str) -> int:
    """Connections that a program has open; by the name that each process gives itself (`switchboard.process_name`)."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [application]
        ).fetchone()
    return int(row[0]) if row else 0


async def leaked_connections(database_url: str, *, port: int, company: Company, pool: int) -> list[str]:
    """Connections of the web process that nothing will ever use or give back, a sentence for each.

    A pool hands its connections out in turn, so after more requests than it has connections each of them has been used;
    one that hasn't is held by somebody who has forgotten it.
    """
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    caller = Connection(port=port, host=company.host, key=company.key)
    for _ in range(4 * pool):
        await caller.request("GET", "/api/v1/agents")
    caller.close()
    await asyncio.sleep(0.3)
    with psycopg.connect(database_url) as connection:
        left = connection.execute(_LEFT_BEHIND, ["web server", row[0]]).fetchall()
    return [f"pid {pid}, {state} for {since}: {query}" for pid, state, since, query in left]
