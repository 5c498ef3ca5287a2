"""When a turn asks the answer cache, and what it leaves there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from agents.engine import cache, events
from agents.engine.events import Event
from agents.engine.state import TurnState


async def find_answer(state: TurnState) -> list[Event] | None:
    """An answer that was given to the same question before, as events; None where there is none to be had."""
    request, policy = state.request, state.request.release.runtime.cache
    if not policy.enabled or request.is_rehearsal:
        return None
    if request.images or request.look is not None:
        return None  # what somebody shows is theirs, and changes under the same words
    if not cache.may_ask(question=request.question, history=request.history, contact=request.contact):
        return None
    started = time.monotonic()
    # Before the documents are searched: an answer made while one changes belongs to the state before.
    state.cache_key = await cache.key_of(request.release)
    found = await cache.find(key=state.cache_key, question=request.question, policy=policy)
    if found is None:
        return None
    state.is_from_cache = True
    state.trace.note("cache", since=started, is_exact=found.is_exact)
    return [events.delta(found.answer), *(Event("citation", dict(cited)) for cited in found.citations)]


async def keep_answer(state: TurnState, answer: str, citations: Sequence[Mapping[str, Any]]) -> None:
    """Leave an answer for others who ask the same, if it holds nothing that is one person's."""
    request = state.request
    if state.cache_key is None or state.is_from_cache or state.is_refused:
        return
    if cache.is_cacheable(
        question=request.question,
        answer=answer,
        history=request.history,
        contact=request.contact,
        used_tool=state.used_tools,
        knew_contact=state.knew_contact,
    ):
        await cache.keep(
            key=state.cache_key,
            question=request.question,
            answer=answer,
            citations=citations,
            policy=request.release.runtime.cache,
        )
