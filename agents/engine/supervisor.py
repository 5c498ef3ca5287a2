"""A supervisor reads a message and has it answered: by one agent, by several at once, or by asking what was meant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from agents import releases
from agents.engine import domain_agent, events, looking
from agents.engine.events import Event
from agents.engine.phrases import say
from agents.engine.request import TurnRequest
from agents.engine.routing import Candidate, Part, Route, route
from agents.engine.saying import passed_on
from agents.engine.state import TurnState, chain_of
from agents.models import Release
from agents.releases import SubAgent

# What one message may ask for at once.
MOST_PARTS: Final = 4


async def answer(state: TurnState, request: TurnRequest) -> AsyncGenerator[Event]:
    """Route a message to the domain agents of the supervisor's release, and give their answers as one.

    Raises what `domain_agent.answer` does, where no part of the message could be answered.
    """
    release = request.release
    if not release.sub_agents:
        async with aclosing(domain_agent.answer(state, request)) as happening:
            async for event in happening:
                yield event
        return
    found = await _route(state, request)
    for used in found.usages:
        yield events.usage(used)
    topics = ", ".join(sub.name for sub in release.sub_agents)
    kind = found.kind
    if kind == "unclear" and chain_of(release) and (request.images or await looking.offers_for(request)):
        # "What does this mean?" is for none of the agents by its words; with a picture beside it, it isn't unclear.
        kind = "none"
    match kind:
        case "one" | "several":
            parts = found.parts[:MOST_PARTS]
            for part in parts:
                yield events.route(part.slug)
            async with aclosing(_answered(state, request, parts)) as happening:
                async for event in happening:
                    yield event
        case "unclear":
            asked = passed_on(state, release, found.question)
            yield events.delta(asked or say("unclear", state.language, topics=topics))
        case "escalate":
            yield events.escalation("asked_for_a_person")
            yield events.delta(say("escalated", state.language))
        case "none":
            if chain_of(release) or release.collection_ids:
                async with aclosing(domain_agent.answer(state, request)) as happening:
                    async for event in happening:
                        yield event
            else:
                yield events.delta(say("small_talk", state.language, topics=topics))


async def _route(state: TurnState, request: TurnRequest) -> Route:
    """Where a message goes. A process that takes a turn over goes where the first one went."""
    settled = state.trace.settled.get("route")
    if settled is not None:
        parts = tuple(Part(part["slug"], part["text"]) for part in settled["parts"])
        return Route(settled["route"], parts, settled["question"], ())
    started = time.monotonic()
    candidates = [
        Candidate(sub.slug, sub.name, sub.profile.description, sub.profile.examples)
        for sub in request.release.sub_agents
    ]
    found = await route(
        question=request.question, history=request.history, candidates=candidates, chain=chain_of(request.release)
    )
    known = {sub.slug for sub in request.release.sub_agents}
    # Only those that the release names, whatever a model says.
    parts = tuple(part for part in found.parts if part.slug in known)
    state.trace.note(
        "route",
        agent=request.release.agent_slug,
        since=started,
        settles="route",
        route=found.kind,
        parts=[{"slug": part.slug, "text": part.text} for part in parts],
        question=found.question,
    )
    if len(parts) > 1:
        await state.trace.checkpoint()
    if found.kind in {"one", "several"} and not parts:
        return Route("unclear", (), "", found.usages)
    return Route(found.kind, parts, found.question, found.usages)


async def _answered(state: TurnState, request: TurnRequest, parts: Sequence[Part]) -> AsyncGenerator[Event]:
    """The parts' answers one after the other, worked on at the same time: the first is heard as it is made."""
    queues: list[asyncio.Queue[Event | BaseException | None]] = [asyncio.Queue() for _ in parts]
    tasks = [
        asyncio.ensure_future(_work(state, request, part, queue)) for part, queue in zip(parts, queues, strict=True)
    ]
    failures: list[BaseException] = []
    answered = 0
    try:
        for queue in queues:
            is_first = True
            while (happened := await queue.get()) is not None:
                if isinstance(happened, BaseException):
                    failures.append(happened)
                    continue
                if happened.kind == "delta" and is_first:
                    if answered:
                        yield events.delta("\n\n")
                    is_first = False
                    answered += 1
                yield happened
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if failures and not answered:
        raise failures[0]


async def _work(
    state: TurnState, request: TurnRequest, part: Part, queue: asyncio.Queue[Event | BaseException | None]
) -> None:
    try:
        release = await releases.resolve_async(_sub_agent(request, part).release_id)
        mine = request.handed_to(release, part.text or request.question)
        async with aclosing(domain_agent.answer(state, mine)) as happening:
            async for event in happening:
                queue.put_nowait(event)
    except (Exception, Release.DoesNotExist) as failure:
        state.trace.note("failed", agent=part.slug, error=getattr(failure, "code", type(failure).__name__))
        queue.put_nowait(failure)
    finally:
        queue.put_nowait(None)


def _sub_agent(request: TurnRequest, part: Part) -> SubAgent:
    return next(sub for sub in request.release.sub_agents if sub.slug == part.slug)
