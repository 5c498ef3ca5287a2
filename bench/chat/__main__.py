"""`python -m bench.chat`: what the platform adds to a model's answer, beside the least that Django could do.

A stub model sends 50 tokens 20 ms apart, each stamped with the time it was sent. One web process has a core to itself;
model, load, PostgreSQL and Redis share the other.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.chat.load import Seen, chat_away
from bench.companies import Company, make_company
from bench.floor.process import saved_by_floor, start_floor
from bench.http_client import Connection
from bench.installation import LOAD_CORE, SERVER_CORE, Installation, Program
from bench.measure import core_use, on_core, percentile, process_use, ratio, share_between, table
from tests.model_server.process import running

TOKENS, PAUSE_MS = 50, 20
MODEL = f"stub-{TOKENS}x{PAUSE_MS}"
GOALS = "Goals at 100 clients: first token +60 ms at most (p95), 12 ms of CPU a chat, 3,500 tokens/s, 200 MB."


@dataclass(frozen=True, slots=True)
class Level:
    """One number of clients, measured.

    Args:
        cpu: seconds of the web process for each chat.
        memory: the most bytes of the web process that were resident.
        begun: seconds that beginning each conversation took.
        unsaved: answers that weren't in the thread, word for word, afterwards.
        busy: how busy the server's core and the load's were, with anything at all, from 0 to 1.
    """

    clients: int
    seen: Seen
    cpu: float
    memory: int
    begun: list[float]
    unsaved: int
    busy: list[float]


def main() -> int:
    """Run it; returns the exit code: 1 where a token was lost or a message not saved."""
    options = _parser().parse_args()
    wrapper = ["-m", "bench.sampling", "--out", str(Path(options.profile).resolve())] if options.profile else []
    with on_core(LOAD_CORE), running() as model, Installation({"EGRESS_ALLOW": model.host_and_port}) as place:
        place.migrate()
        company = make_company(slug="harbour", model_url=model.url, model=MODEL)
        web, floor = place.web(wrapper=wrapper), start_floor(place, model, MODEL)
        uvloop.run(_platform(web, company, 2, 2))  # the first request of a process imports, compiles and connects
        uvloop.run(_floor(floor, place, 2, 2))
        if options.profile:
            os.kill(web.pid, signal.SIGUSR1)
        pairs: list[tuple[Level, Level]] = []
        # Side by side, level by level: whatever else the machine does, it does to both.
        for clients in options.clients:
            chats = options.chats or (15 if clients == 1 else 6)
            pairs.append(
                (uvloop.run(_platform(web, company, clients, chats)), uvloop.run(_floor(floor, place, clients, chats)))
            )
            print(f"{clients} clients done", flush=True)
    print(_report(pairs))
    return int(any(level.seen.wrong or level.unsaved for pair in pairs for level in pair))


async def _platform(web: Program, company: Company, clients: int, chats: int) -> Level:
    def connect() -> Connection:
        return Connection(port=web.port, host=company.host, key=company.key)

    conversations, begun = await _begin_conversations(connect(), company, clients * chats)
    before, cores = process_use(web.pid), _cores()
    seen = await chat_away(
        clients=clients,
        chats=chats,
        tokens=TOKENS,
        connect=connect,
        path_of=lambda serial: f"/api/v1/conversations/{conversations[serial]}/messages",
        content_of=lambda serial: f"When is breakfast, for the {serial}th time?",
        ends_with_done=True,
    )
    after, busy = process_use(web.pid), _busy_since(cores)
    unsaved = 0
    reader = connect()
    for serial, chat in enumerate(seen.chats):
        thread = (await reader.request("GET", f"/api/v1/conversations/{conversations[serial]}/messages")).json()
        said = [(message["role"], message["text"]) for message in thread["messages"]]
        asked = f"When is breakfast, for the {serial}th time?"
        unsaved += said != [("contact", asked), ("agent", chat.text.strip())]
    reader.close()
    return Level(clients, seen, (after.cpu - before.cpu) / len(seen.chats), after.peak, begun, unsaved, busy)


async def _begin_conversations(connection: Connection, company: Company, count: int) -> tuple[list[str], list[float]]:
    found, took = [], []
    for _ in range(count):
        start = time.perf_counter()
        answer = await connection.request("POST", "/api/v1/conversations", {"agent": str(company.agent)})
        took.append(time.perf_counter() - start)
        if answer.status != 201:
            raise RuntimeError(f"a conversation couldn't be begun: {answer.status} {answer.body[:500]!r}")
        found.append(answer.json()["id"])
    connection.close()
    return found, took


async def _floor(floor: Program, place: Installation, clients: int, chats: int) -> Level:
    saved_before = await asyncio.to_thread(saved_by_floor, place)
    before, cores = process_use(floor.pid), _cores()
    seen = await chat_away(
        clients=clients,
        chats=chats,
        tokens=TOKENS,
        connect=lambda: Connection(port=floor.port),
        path_of=lambda serial: "/chat",
        content_of=lambda serial: f"When is breakfast, for the {serial}th time?",
        ends_with_done=False,
    )
    after, busy = process_use(floor.pid), _busy_since(cores)
    saved = await asyncio.to_thread(saved_by_floor, place) - saved_before
    return Level(
        clients, seen, (after.cpu - before.cpu) / len(seen.chats), after.peak, [], 2 * len(seen.chats) - saved, busy
    )


def _cores() -> list[tuple[int, int]]:
    return [core_use(SERVER_CORE), core_use(LOAD_CORE)]


def _busy_since(before: list[tuple[int, int]]) -> list[float]:
    return [share_between(earlier, now) for earlier, now in zip(before, _cores(), strict=True)]


def _report(pairs: list[tuple[Level, Level]]) -> str:
    head = ["clients", "server", "first token +ms p50", "p95", "whole wait ms p50", "p95", "CPU ms/chat"]
    head += ["tokens/s", "peak MB", "begin ms p50", "p95", "wrong", "unsaved"]
    head += ["its core busy", "the other"]
    rows: list[list[str]] = []
    for pair in pairs:
        values = [_numbers(level) for level in pair]
        for name, level, numbers in zip(("platform", "floor"), pair, values, strict=True):
            begun = [percentile(level.begun, share) * 1000 for share in (0.5, 0.95)] if level.begun else []
            rows.append(
                [str(level.clients), name, *(f"{number:.1f}" for number in numbers)]
                + ([f"{number:.1f}" for number in begun] or ["-", "-"])
                + [str(level.seen.wrong), str(level.unsaved), *(f"{share:.0%}" for share in level.busy)]
            )
        rows.append(["", "ratio", *(ratio(ours, least) for ours, least in zip(*values, strict=True)), *[""] * 6])
    return f"\n{table(head, rows)}\n\n{GOALS}"


def _numbers(level: Level) -> list[float]:
    extra = [chat.extra_first / 1000 for chat in level.seen.chats]
    waited = [chat.waited / 1000 for chat in level.seen.chats]
    return [
        percentile(extra, 0.5),
        percentile(extra, 0.95),
        percentile(waited, 0.5),
        percentile(waited, 0.95),
        level.cpu * 1000,
        level.seen.steady,
        level.memory / 1e6,
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.chat", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 20, 100], help="levels to measure")
    parser.add_argument("--chats", type=int, help="chats of each client; default: 15 for one client, else 6")
    parser.add_argument("--profile", metavar="FILE", help="write where the web process spends its CPU time to FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
