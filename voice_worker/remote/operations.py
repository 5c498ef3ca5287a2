"""The six operations, once, whichever way they are asked for. Each runs in the one tenant that the call is for."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Sequence
from typing import Final

from django.utils import timezone

from agents.content.personality import PersonalityContent
from agents.engine.gateway.metering import prices_loaded
from agents.models import Release
from agents.releases import resolve_async
from billing import prices
from billing.domain.usage import Usage, record_usage
from billing.speech_prices import speech_cost_of
from knowledge.embeddings import EmbeddingsUnavailable
from knowledge.search import search
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Invalid, NotFound, Problem
from tenants.context import use_tenant
from tenants.flags.current import evaluate_async
from tenants.flags.evaluation import Context
from voice_worker.remote import schemas
from voice_worker.remote.events import keep_event
from voice_worker.remote.scores import scores_of
from voice_worker.remote.talk import (
    Named,
    Talk,
    all_collections,
    categories_of,
    personality_of,
    release_for,
    release_of_conversation,
    session_in,
    talk_in,
)
from voice_worker.remote.whose import Place, whose

# So that a worker's keys meet none of the platform's own in the ledger.
_LEDGER: Final = "worker:"


async def find_tenant(asked: schemas.TenantAsked) -> schemas.WorkerTenant:
    """Whose room it is, and what goes on in it.

    Raises:
        NotFound: nobody's, or closed.
        Problem: the tenant is suspended or not ready.
    """
    if asked.room is None and asked.number is None:
        raise Invalid("room_not_named", "Name the room or the number.", field="room")
    found = await whose(room=asked.room, number=asked.number, to_enter=True)
    with use_tenant(found.scope):
        talk = await talk_in(found.place)
    _warm_up()
    assert found.scope.tenant_id is not None
    return schemas.WorkerTenant(
        id=found.scope.tenant_id,
        name=found.scope.name,
        service_tier=found.scope.tier,
        api_key=None,
        metadata=dict(found.scope.metadata),
        meeting_id=found.place.meeting_id if found.place else None,
        conversation_id=talk.conversation_id,
        agent_id=talk.agent_id,
        release_id=talk.release_id,
        session_id=talk.session_id,
    )


@functools.cache
def _warm_up() -> None:
    """Read the price lists beside the first worker's first question: its first cost would wait for them otherwise."""
    asyncio.get_running_loop().run_in_executor(None, prices.load)


async def track_cost(asked: schemas.CostAsked) -> schemas.Recorded:
    """Append to the tenant's ledger, once for each of the worker's keys.

    Raises:
        NotFound: no such tenant, session or conversation.
    """
    found = await whose(room=asked.room, number=asked.number, tenant_id=asked.tenant_id, to_tell=True)
    if asked.cost_usd is None and asked.input_tokens + asked.output_tokens > 0:
        await prices_loaded()
    with use_tenant(found.scope):
        talk = await talk_in(found.place)
        await in_database(_book, asked, found.place, talk)
    return schemas.Recorded(recorded=True)


def _book(asked: schemas.CostAsked, place: Place | None, talk: Talk) -> None:
    conversation_id, release_id = _charged(asked, place, talk)
    cost = asked.cost_usd
    # Without any tokens a listed model costs nothing, which is not what a minute of it costs.
    if cost is None and asked.input_tokens + asked.output_tokens > 0 and prices.is_loaded():
        cost = prices.cost_of(
            provider=asked.provider,
            model=asked.model,
            input_tokens=asked.input_tokens,
            output_tokens=asked.output_tokens,
            cached_tokens=asked.cached_tokens,
        )
    if not cost and asked.cost_usd is None and asked.quantity is not None:
        cost = speech_cost_of(provider=asked.provider, model=asked.model, quantity=asked.quantity, unit=asked.unit)
    usage = Usage(
        service=asked.service,
        provider=asked.provider,
        model=asked.model,
        input_tokens=asked.input_tokens,
        output_tokens=asked.output_tokens,
        cached_tokens=asked.cached_tokens,
        is_estimated=asked.is_estimated,
        purpose=asked.purpose,
        cost_usd=cost,
        quantity=asked.quantity,
        unit=asked.unit,
    )
    record_usage(
        usage=usage,
        idempotency_key=f"{_LEDGER}{asked.idempotency_key}",
        conversation_id=conversation_id,
        turn_id=asked.turn_id,
        release_id=release_id,
    )


def _charged(asked: schemas.CostAsked, place: Place | None, talk: Talk) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The conversation and the release that a use is booked to. Raises `NotFound` for what is somebody else's."""
    if asked.session_id is not None:
        session = session_in(place, asked.session_id)
        if asked.conversation_id not in {None, session.conversation_id}:
            raise NotFound("conversation")
        return session.conversation_id, session.release_id
    if asked.conversation_id is None or asked.conversation_id == talk.conversation_id:
        return talk.conversation_id, talk.release_id
    if talk.conversation_id is not None:
        raise NotFound("conversation")  # of another room than the one that was named
    return asked.conversation_id, release_of_conversation(asked.conversation_id)


async def search_knowledge(asked: schemas.KnowledgeAsked) -> schemas.WorkerPassages:
    """The passages that answer a question best, in what the release may read.

    Raises:
        NotFound: no such tenant, agent, release or conversation.
        Problem: 503 `embeddings_unavailable`.
    """
    found = await whose(room=asked.room, number=asked.number, tenant_id=asked.tenant_id)
    with use_tenant(found.scope):
        collections = await _collections(asked, found.place)
        try:
            hits = await search(query=asked.query, collection_ids=collections, limit=asked.limit)
        except EmbeddingsUnavailable:
            raise Problem(
                "embeddings_unavailable", "Search is away for a moment.", status=503, headers={"Retry-After": "2"}
            ) from None
        categories = await categories_of([hit.document_id for hit in hits])
    passages = [
        schemas.WorkerPassage(
            id=f"{hit.document_id}.{hit.page}.{hit.start}",
            title=hit.title,
            content=hit.text,
            score=score,
            category=category,
            document_id=hit.document_id,
            page=hit.page,
        )
        for hit, score, category in zip(hits, scores_of(hits), categories, strict=True)
    ]
    return schemas.WorkerPassages(passages=passages)


async def _collections(asked: schemas.KnowledgeAsked, place: Place | None) -> Sequence[uuid.UUID]:
    named = Named(release_id=asked.release_id, conversation_id=asked.conversation_id, agent_id=asked.agent_id)
    release_id = await release_for(named, place)
    if release_id is None:
        return await all_collections()
    try:
        return (await resolve_async(release_id)).collection_ids
    except Release.DoesNotExist:
        raise NotFound("release") from None


async def is_flag_enabled(asked: schemas.FlagAsked) -> schemas.FlagAnswer:
    """Whether a flag is on for the tenant and whoever the context says; off for one that isn't there."""
    found = await whose(room=asked.room, number=asked.number, tenant_id=asked.tenant_id)
    with use_tenant(found.scope):
        answer = await evaluate_async(asked.flag, Context(**dict(asked.context)))
    return schemas.FlagAnswer(enabled=answer.enabled, reason=answer.reason.value)


async def get_personality(asked: schemas.PersonalityAsked) -> schemas.WorkerPersonality:
    """How the agent speaks.

    Raises:
        NotFound: no such thing, or none was chosen and the tenant has no default.
    """
    found = await whose(room=asked.room, number=asked.number, tenant_id=asked.tenant_id)
    with use_tenant(found.scope):
        release_id = None
        if asked.personality_id is None:
            release_id = await release_for(Named(release_id=asked.release_id, agent_id=asked.agent_id), found.place)
        version = await personality_of(asked.personality_id, release_id)
    content = PersonalityContent.model_validate(version.content)
    return schemas.WorkerPersonality(
        id=version.component.pk,
        name=version.component.name,
        slug=version.component.slug,
        version=version.number,
        instructions=content.as_instructions(),
        tone=content.tone,
        capabilities=list(content.capabilities),
        languages=list(content.languages),
    )


async def record_event(asked: schemas.EventAsked) -> schemas.EventRecorded:
    """Put something on a session's time axis, once for each of the worker's ids.

    Raises:
        NotFound: no such tenant or session.
    """
    found = await whose(room=asked.room, number=asked.number, tenant_id=asked.tenant_id, to_tell=True)
    with use_tenant(found.scope):
        entry_id, at_ms = await in_database(_keep, asked, found.place)
    return schemas.EventRecorded(recorded=True, id=entry_id, at_ms=at_ms)


def _keep(asked: schemas.EventAsked, place: Place | None) -> tuple[uuid.UUID, int]:
    session = session_in(place, asked.session_id)
    at_ms = schemas.offset_ms(asked, session.started_at, timezone.now())
    entry_id = keep_event(
        session_id=session.pk,
        event_id=asked.event_id,
        name=asked.name,
        at_ms=at_ms,
        turn_id=asked.turn_id,
        data=asked.data,
    )
    return entry_id, at_ms
