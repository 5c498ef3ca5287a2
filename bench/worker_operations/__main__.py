"""`make bench-worker_operations`: how long the six operations of remote workers take, beside a bare health call.

One web process with a core to itself; clients, PostgreSQL, Redis and the embedder share the other. Each operation is
asked for over REST, and tenant by room in tRPC's shape too. Questions for documents are all different, so that each is
embedded anew. The goal of each operation: p95 at most 20 ms, and never 200 ms. Exit code 1 where an answer is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import itertools
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bench.http_client import Connection
from bench.installation import Installation, Program
from bench.measure import percentile, ratio, table

_GOAL_MS, _NEVER_MS = 20.0, 200.0
_HEAD = ("p50 ms", "p95 ms", "slowest", "p50 / health", "p95 / health", "goal")
_WARM = 20
_PASSAGES = 1_000
_VOCABULARY = 3_000


@dataclass(frozen=True, slots=True)
class Call:
    """A request, made anew each time, and what its answer must hold."""

    method: str
    path: str
    body: Any = None
    holds: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A tenant's room."""

    key: str
    room: str
    tenant_id: str


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.worker_operations", description=__doc__)
    parser.add_argument("--calls", type=int, default=400, help="of each operation, by all clients together")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10])
    options = parser.parse_args()
    with Installation() as place:
        place.migrate()
        place.embedder()
        web = place.web()
        scene = _furnish()
        wrong: list[str] = []
        for clients in options.clients:
            rows = asyncio.run(_measure(web, scene, clients, options.calls, wrong))
            print(table([f"{clients} client(s)", *_HEAD], rows))
            print(flush=True)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


def _furnish() -> Scene:
    from agents.domain.agents import compose_agent
    from agents.domain.components import create_component, publish
    from agents.domain.personalities import set_default
    from agents.models import Personality
    from conversations.models import Conversation
    from knowledge.domain.collection import create_collection
    from tenants.context import use_public, use_tenant
    from tenants.domain.api_keys import create_api_key
    from tenants.domain.provision import create_tenant
    from tenants.flags.domain.flags import create_flag
    from tenants.permissions import Permission
    from voice_worker.directory.domain import register_room
    from voice_worker.models import Meeting, VoiceSession

    with use_public():
        tenant = create_tenant(name="Harbour", slug="harbour", domains=["harbour.localhost"])
        key = create_api_key(tenant=None, name="bench", scopes=[Permission.WORKER_OPERATE])[1]
    room = f"room-{uuid.uuid4().hex}"
    with use_tenant(tenant):
        collection = create_collection(name="House", slug="house")
        _fill(collection)
        personality = create_component(Personality, name="Kind", slug="kind", content={"instructions": "Be kind."})
        publish(component=personality, message="The first")
        set_default(personality=personality)
        create_flag(key="premium_voice", default=True)
        release = compose_agent(name="Desk", slug="desk", prompt="Answer.", collection_ids=[collection.pk])
        conversation = Conversation.objects.create(agent=release.agent, release_id=release.pk)
        until = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        meeting = Meeting.objects.create(conversation=conversation, room=room, joinable_until=until)
        VoiceSession.objects.create(conversation=conversation, meeting=meeting, channel="room")
        register_room(name=room, meeting_id=meeting.pk)
    return Scene(key, room, str(tenant.pk))


def _fill(collection: Any) -> None:
    import numpy as np
    from django.db import connection

    from knowledge.models import DIMENSIONS, Chunk, Document

    document = Document.objects.create(collection=collection, title="House", filename="h.txt", size=1, status="ready")
    numbers = np.random.default_rng(7)
    vectors = numbers.normal(size=(_PASSAGES, DIMENSIONS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    Chunk.objects.bulk_create(
        Chunk(
            document=document,
            collection=collection,
            ordinal=place,
            page=1,
            start=place,
            end=place + 1,
            text=" ".join(f"word{word}" for word in numbers.zipf(1.3, 60) % _VOCABULARY),
            embedding=vector.tolist(),
        )
        for place, vector in enumerate(vectors)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE knowledge_chunk")


def _calls(scene: Scene) -> dict[str, Callable[[], Call]]:
    room, numbers = scene.room, itertools.count()
    cost = {"room": room, "service": "stt", "provider": "deepgram", "model": "nova-3", "cost_usd": "0.0125"}

    def question() -> Call:
        number = next(numbers)
        words = " ".join(f"word{number * step % _VOCABULARY}" for step in (7, 31, 211))
        body = {"room": room, "query": f"Where is {words} to be found on day {number}?"}
        return Call("POST", "/api/v1/worker/knowledge/search", body, '"score"')

    wrapped = quote(json.dumps({"json": {"roomName": room}}))
    return {
        "health": lambda: Call("GET", "/healthz"),
        "tenant by room": lambda: Call("GET", f"/api/v1/worker/tenant?room={room}", holds=scene.tenant_id),
        "tenant by room (tRPC)": lambda: Call("GET", f"/trpc/livekit.getTenantByRoom?input={wrapped}", holds="result"),
        "track cost": lambda: Call(
            "POST", "/api/v1/worker/costs", {**cost, "idempotency_key": uuid.uuid4().hex}, "recorded"
        ),
        "knowledge search": question,
        "feature flag": lambda: Call(
            "POST", "/api/v1/worker/flags/evaluate", {"room": room, "flag": "premium_voice"}, "true"
        ),
        "personality": lambda: Call("GET", f"/api/v1/worker/personality?room={room}", holds="Be kind."),
        "session event": lambda: Call(
            "POST", "/api/v1/worker/events", {"room": room, "name": "spoke", "event_id": uuid.uuid4().hex}, "at_ms"
        ),
    }


async def _measure(web: Program, scene: Scene, clients: int, calls: int, wrong: list[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    health: list[float] = []
    with _connections(web, scene, clients) as connections:
        for name, make in _calls(scene).items():
            await _ask(connections, make, _WARM * clients)
            samples, faults = await _ask(connections, make, calls)
            wrong += [f"{clients} client(s), {name}: {fault}" for fault in faults[:3]]
            health = health or samples
            middle, high = percentile(samples, 0.5), percentile(samples, 0.95)
            ratios = ratio(middle, percentile(health, 0.5)), ratio(high, percentile(health, 0.95))
            met = "met" if high <= _GOAL_MS and max(samples) < _NEVER_MS else "missed"
            rows.append([name, f"{middle:.1f}", f"{high:.1f}", f"{max(samples):.1f}", *ratios, met])
    return rows


@contextmanager
def _connections(web: Program, scene: Scene, clients: int) -> Iterator[list[Connection]]:
    made = [Connection(port=web.port, host="localhost", key=scene.key) for _ in range(clients)]
    try:
        yield made
    finally:
        for connection in made:
            connection.close()


async def _ask(connections: list[Connection], make: Callable[[], Call], calls: int) -> tuple[list[float], list[str]]:
    samples: list[float] = []
    faults: list[str] = []

    async def client(connection: Connection) -> None:
        for _ in range(calls // len(connections)):
            call = make()
            begun = time.perf_counter()
            answer = await connection.request(call.method, call.path, call.body)
            samples.append((time.perf_counter() - begun) * 1e3)
            if answer.status != 200 or call.holds not in answer.body.decode():
                faults.append(f"HTTP {answer.status} {answer.body[:200]!r}")

    await asyncio.gather(*map(client, connections))
    return samples, faults


if __name__ == "__main__":
    raise SystemExit(main())
