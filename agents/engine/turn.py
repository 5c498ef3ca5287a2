"""One turn: what was open is taken up, the rest is routed and answered, cited and metered.

`run_turn` is an async generator of events that every channel uses.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agents.domain.actions import open_actions
from agents.engine import actions, answer_cache, domain_agent, events, gateway, supervisor
from agents.engine.documents import cite
from agents.engine.events import Event
from agents.engine.gateway import ChatMessage, ModelFailed
from agents.engine.guardrails import check_input
from agents.engine.own_hosts import own_hosts
from agents.engine.request import TurnRequest
from agents.engine.slots import language_of
from agents.engine.state import TurnState
from agents.engine.tracing import Trace
from agents.models import Action
from billing.domain.usage import Usage
from knowledge.embeddings import EmbeddingsUnavailable
from switchboard.kernel.database import in_database
from tenants.context import current_tenant

__all__ = ["TurnRequest", "estimated_usage", "run_turn"]


async def run_turn(request: TurnRequest) -> AsyncGenerator[Event]:
    """Answer one message.

    Yields:
        What happens, in order: `route`, `action`, `tool_call`, `tool_result`, `delta`s, a `citation` for each source
        that the answer refers to, `usage` for each call of a model; or an `error`, always last. `done` is the
        channel's to say, for it knows when the turn is kept, and keeps `request.steps` with it.
    """
    trace = await Trace.begin(request)
    state = TurnState(request, trace, language=language_of(request.question), words=request.question)
    answer: list[str] = []
    cited: list[Event] = []
    try:
        async with aclosing(_answered(state)) as happening:
            async for event in happening:
                if event.kind == "delta":
                    answer.append(event.data["text"])
                elif event.kind == "citation":
                    cited.append(event)
                yield event
        if not cited:
            found = cite("".join(answer), state.passages, question=request.question)
            cited = [events.citation(one) for one in found]
            for event in cited:
                yield event
        await answer_cache.keep_answer(state, "".join(answer), [event.data for event in cited])
    except EmbeddingsUnavailable:
        yield events.error(
            "embeddings_unavailable", "The documents can't be searched at the moment. Try again shortly."
        )
    except ModelFailed as failure:
        yield events.error(failure.code, failure.detail)


async def _answered(state: TurnState) -> AsyncGenerator[Event]:
    """The message as an answer to what is open, or as something new, after which what is open is asked again."""
    verdict = check_input(state.request.question, state.request.release.runtime.safety, language=state.language)
    if not verdict.allowed:
        state.trace.note("refused", code=verdict.code, reason=verdict.reason)
        yield events.refusal(verdict.code, verdict.reason)
        yield events.delta(verdict.text)
        return
    if verdict.text != state.request.question:
        state.request = replace(state.request, question=verdict.text)
    release = state.request.release
    if release.collection_ids or release.tools or release.sub_agents:
        state.own_hosts = await own_hosts.find_async(current_tenant())
    is_open = await _open_action(state)
    if is_open is not None:
        told = await actions.go_on(state, is_open)
        if told is not None:
            for event in told:
                yield event
            for event in await _what_waits(state, than=is_open):
                yield event
            return
    cached = await answer_cache.find_answer(state) if is_open is None else None
    if cached is not None:
        for event in cached:
            yield event
        return
    answering = (
        supervisor.answer(state, state.request)
        if state.request.release.profile.kind == "supervisor"
        else domain_agent.answer(state, state.request)
    )
    async with aclosing(answering) as happening:
        async for event in happening:
            yield event
    if is_open is not None and is_open.status in Action.OPEN:
        for event in await actions.reminder(state, is_open):
            yield event


async def _open_action(state: TurnState) -> Action | None:
    """What the contact was asked about last."""
    if not state.request.history and state.request.attempt == 1:
        return None  # nothing can be open before anything was said: a query less for the first message
    found = await in_database(open_actions, conversation_id=state.request.conversation_id)
    # One that was confirmed and not run goes before all others: somebody was promised it.
    return next((one for one in found if one.status == Action.Status.CONFIRMED), found[-1] if found else None)


async def _what_waits(state: TurnState, *, than: Action) -> list[Event]:
    """The question of another action that is still open, once one is over."""
    if than.status in Action.OPEN:
        return []
    others = await in_database(open_actions, conversation_id=state.request.conversation_id)
    return await actions.reminder(state, others[-1]) if others else []


async def estimated_usage(request: TurnRequest, answer: str) -> Usage:
    """What an answer used that was cut off before its model could count: the provider bills it all the same.

    Of what was sent, the passages are left out, for they are known only while the turn runs.
    """
    llm = request.release.runtime.llm
    sent = len(request.release.template) + len(request.question) + sum(len(text) for _, text in request.history)
    sent += gateway.length_of([ChatMessage("user", "", images=request.images)])
    return Usage(
        service="llm",
        provider=llm.endpoint or domain_agent.LOCAL_PROVIDER,
        model=llm.model,
        input_tokens=gateway.estimate_tokens(sent),
        output_tokens=gateway.estimate_tokens(len(answer)),
        is_estimated=True,
    )
