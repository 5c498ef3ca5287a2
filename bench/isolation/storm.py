"""The whole of it: clients of all tenants at once, then a look at what they left."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from bench.companies import Company, make_company
from bench.installation import Program
from bench.isolation.clients import Client, Tenancy
from bench.isolation.inspect_stores import (
    connections_of,
    foreign_events,
    foreign_rows,
    leaked_connections,
    open_turns,
)
from bench.isolation.tally import Tally

_SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a storm.

    Args:
        foreign_rows: rows or events of another tenant's in a tenant's tables and streams.
        leaked: database connections that nobody gave back.
        before: database connections of the web process before the storm.
        after: and after it; a pool keeps what it has opened.
        lost_turns: accepted messages without an end.
    """

    tally: Tally
    foreign_rows: list[str]
    leaked: list[str]
    before: int
    after: int
    lost_turns: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether nothing leaked, nothing was lost and nothing failed."""
        tally = self.tally
        return not (
            tally.foreign_count
            or tally.fault_count
            or tally.server_errors
            or self.foreign_rows
            or self.leaked
            or self.lost_turns
        )

    def describe(self) -> str:
        """The outcome for people."""
        tally = self.tally
        lines = [
            f"read {sum(tally.reads.values())} times: " + ", ".join(f"{n} {what}" for what, n in tally.reads.items()),
            "did: " + ", ".join(f"{n} {what}" for what, n in tally.actions.most_common()),
            "answered: " + ", ".join(f"{n} with {status}" for status, n in sorted(tally.statuses.items())),
            f"canaries seen: {tally.canaries}; of another tenant: {tally.foreign_count}",
            f"rows and events of another tenant in PostgreSQL and Redis: {len(self.foreign_rows)}",
            f"answers of 500 and more: {tally.server_errors}",
            f"accepted messages without an end: {len(self.lost_turns)}",
            f"database connections of the web process: {self.before} before, {self.after} after, "
            f"{len(self.leaked)} leaked",
            f"other faults: {tally.fault_count}",
        ]
        return "\n".join(
            [*lines, *tally.foreign, *self.foreign_rows, *self.leaked, *self.lost_turns[:20], *tally.faults]
        )


def make_tenants(count: int, model_url: str) -> list[Company]:
    """Tenants whose rows, prompts and documents hold a text that no other tenant's hold."""
    return [
        make_company(
            slug=f"storm{number}", model_url=model_url, model="canaries", canary=f"canary-{secrets.token_hex(6)}"
        )
        for number in range(count)
    ]


async def storm(
    *,
    web: Program,
    companies: Sequence[Company],
    clients: int,
    seconds: float,
    database_url: str,
    redis_url: str,
    pool: int,
    uploads: bool,
) -> Outcome:
    """Let clients of every tenant loose on a server.

    Args:
        clients: of each tenant.
        pool: the most database connections the web process may hold.
        uploads: whether documents are uploaded and searched, too.
    """
    tally = Tally()
    tenancies = [Tenancy(company) for company in companies]
    before = await asyncio.to_thread(connections_of, database_url, "web server")
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as group:
        for index, own in enumerate(tenancies):
            others = [tenancy for tenancy in tenancies if tenancy is not own]
            for number in range(clients):
                seed = 1000 * index + number
                client = Client(port=web.port, own=own, others=others, tally=tally, seed=seed, uploads=uploads)
                group.create_task(client.work(until))
    lost = await _settled(database_url, companies)
    leaked = await leaked_connections(database_url, port=web.port, company=companies[0], pool=pool)
    strange = await asyncio.to_thread(foreign_rows, database_url, companies)
    strange += await asyncio.to_thread(foreign_events, redis_url, companies)
    after = await asyncio.to_thread(connections_of, database_url, "web server")
    if after > pool:
        leaked.append(f"{after} connections, although the pool has {pool}")
    return Outcome(tally, strange, leaked, before, after, lost)


async def _settled(database_url: str, companies: Sequence[Company]) -> list[str]:
    """Turns still open once all that are under way had time to end."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SETTLE_SECONDS
    left = await asyncio.to_thread(open_turns, database_url, companies)
    while left and loop.time() < deadline:
        await asyncio.sleep(0.5)
        left = await asyncio.to_thread(open_turns, database_url, companies)
    return left
