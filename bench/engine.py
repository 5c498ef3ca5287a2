"""`make bench-engine`: what the engine adds to a call of a model, beside the same call made with the provider's client.

Both are made in this process, one after the other and in turn, to a stub model that sends 20 tokens 5 ms apart. One
client; no documents, no tools, no supervisor. The turn is the whole of what the engine does: input policy, limits of
the tenant, circuit breaker, memory of the contact, the answer cache where the release has one, prompt, guards over what
is said, usage. Exit code 1 where a token is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.companies import Company, make_company
from bench.installation import LOAD_CORE, SERVER_CORE, Installation
from bench.measure import on_core, percentile, table
from tests.model_server.process import running

TOKENS, PAUSE_MS = 20, 5
MODEL = f"stub-{TOKENS}x{PAUSE_MS}"
GOALS = "Goals at one client: p50 5 ms at most, p95 15 ms."
_WORDS = "The pool is open from seven to nine, and breakfast is served in the garden room until eleven. " * 4
# To the first token and to the last, in seconds, and how many tokens came.
Timed = tuple[float, float, int]


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--calls", type=int, default=150, help="of each kind")
    calls = parser.parse_args().calls
    with on_core(LOAD_CORE), running() as model, Installation({"EGRESS_ALLOW": model.host_and_port}) as place:
        place.migrate()
        company = make_company(slug="harbour", model_url=model.url, model=MODEL)
        os.sched_setaffinity(0, {SERVER_CORE})
        rows, lost = asyncio.run(_measured(company, model.url, calls))
    print(table(["", "", "bare ms p50", "p95", "engine ms p50", "p95", "added ms p50", "p95"], rows))
    print(f"\n{GOALS}")
    return int(lost)


async def _measured(company: Company, url: str, calls: int) -> tuple[list[list[str]], bool]:
    import openai

    from switchboard.kernel import heap
    from tenants.context import use_public, use_tenant
    from tenants.models import Tenant

    heap.settle()
    with use_public():
        tenant = await Tenant.objects.aget(slug=company.slug)
    client = openai.AsyncOpenAI(base_url=url, api_key="sk-stub", max_retries=0)
    rows: list[list[str]] = []
    lost = False
    with use_tenant(tenant):
        for name, said in (("first message", 0), ("after 20 messages", 20)):
            history = [("contact" if number % 2 == 0 else "agent", _WORDS) for number in range(said)]
            turn = await _turn_of(company, history)
            messages = [
                {"role": "system", "content": f"You answer the guests of {company.slug}."},
                *({"role": "user" if role == "contact" else "assistant", "content": text} for role, text in history),
                {"role": "user", "content": "When is breakfast?"},
            ]
            bare, engine = await _in_turn(calls, lambda messages=messages: _bare(client, messages), turn)  # type: ignore[misc]
            lost = lost or any(tokens != TOKENS for _, _, tokens in bare + engine)
            rows += [
                _row(name, what, [one[place] for one in bare], [one[place] for one in engine])
                for place, what in ((0, "to the first token"), (1, "to the last"))
            ]
    await client.close()
    return rows, lost


async def _in_turn(
    calls: int, bare: Callable[[], Awaitable[Timed]], engine: Callable[[], Awaitable[Timed]]
) -> tuple[list[Timed], list[Timed]]:
    for _ in range(5):  # connections, caches and imports
        await bare()
        await engine()
    pairs = [(await bare(), await engine()) for _ in range(calls)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


async def _bare(client: Any, messages: list[dict[str, str]]) -> Timed:
    begun = time.perf_counter()
    first = 0.0
    tokens = 0
    async for chunk in await client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
    ):
        if chunk.choices and (text := chunk.choices[0].delta.content):
            first = first or time.perf_counter() - begun
            tokens += text.count("@")
    return first, time.perf_counter() - begun, tokens


async def _turn_of(company: Company, history: list[tuple[str, str]]) -> Callable[[], Awaitable[Timed]]:
    from agents import releases
    from agents.engine.turn import TurnRequest, run_turn
    from agents.models import Agent

    release_id = (await Agent.objects.aget(pk=company.agent)).live_release_id
    assert release_id is not None

    async def turn() -> Timed:
        begun = time.perf_counter()
        first = 0.0
        tokens = 0
        release = await releases.resolve_async(release_id)
        async for event in run_turn(TurnRequest(release, history, "When is breakfast?")):  # type: ignore[arg-type]
            if event.kind == "delta":
                first = first or time.perf_counter() - begun
                tokens += event.data["text"].count("@")
        return first, time.perf_counter() - begun, tokens

    return turn


def _row(name: str, what: str, bare: list[float], engine: list[float]) -> list[str]:
    numbers = [percentile(samples, share) * 1000 for samples in (bare, engine) for share in (0.5, 0.95)]
    # What a call adds to one that was made beside it; the model's own pauses are the same for both.
    added = [ours - theirs for theirs, ours in zip(bare, engine, strict=True)]
    numbers += [percentile(added, share) * 1000 for share in (0.5, 0.95)]
    return [name, what, *(f"{number:.1f}" for number in numbers)]


if __name__ == "__main__":
    sys.exit(main())
