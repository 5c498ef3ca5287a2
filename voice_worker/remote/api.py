"""The six operations over REST."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from ninja import NinjaAPI, Query, Router

from conversations.api.callers import asks, undeclared
from conversations.api.refusals import refuse_with
from conversations.api.schemas import Problem
from switchboard.kernel.problems import problem_response
from tenants.permissions import Permission
from voice_worker.remote import operations, schemas

router = Router(tags=["remote workers"], auth=asks(Permission.WORKER_OPERATE))
_PROBLEMS: Final = {frozenset({401, 403, 404, 422, 503}): Problem}


@router.get(
    "/tenant",
    response={200: schemas.WorkerTenant, **_PROBLEMS},
    summary="Whose room or number it is",
    operation_id="worker_tenant",
)
async def tenant(request: HttpRequest, asked: Query[schemas.TenantAsked]) -> schemas.WorkerTenant:
    """By the directory of rooms and numbers. A room that is closed is nobody's."""
    return await operations.find_tenant(asked)


@router.post(
    "/costs",
    response={200: schemas.Recorded, **_PROBLEMS},
    summary="Book a cost",
    operation_id="worker_track_cost",
)
async def track_cost(request: HttpRequest, payload: schemas.CostAsked) -> schemas.Recorded:
    """Appended to the tenant's ledger, once for each `idempotency_key`."""
    return await operations.track_cost(payload)


@router.post(
    "/knowledge/search",
    response={200: schemas.WorkerPassages, **_PROBLEMS},
    summary="Find passages for an agent's answer",
    operation_id="worker_search_knowledge",
)
async def search_knowledge(request: HttpRequest, payload: schemas.KnowledgeAsked) -> schemas.WorkerPassages:
    """In what the room's, the agent's or the named release may read; without any, in all of the tenant's documents."""
    return await operations.search_knowledge(payload)


@router.post(
    "/flags/evaluate",
    response={200: schemas.FlagAnswer, **_PROBLEMS},
    summary="Whether a flag is on",
    operation_id="worker_evaluate_flag",
)
async def evaluate_flag(request: HttpRequest, payload: schemas.FlagAsked) -> schemas.FlagAnswer:
    """For the tenant and whoever the context says. One that isn't there is off: `unknown_flag`."""
    return await operations.is_flag_enabled(payload)


@router.get(
    "/personality",
    response={200: schemas.WorkerPersonality, **_PROBLEMS},
    summary="How the agent speaks",
    operation_id="worker_personality",
)
async def personality(request: HttpRequest, asked: Query[schemas.PersonalityAsked]) -> schemas.WorkerPersonality:
    """The one named; a release's, an agent's or the room's; else the tenant's default."""
    return await operations.get_personality(asked)


@router.post(
    "/events",
    response={200: schemas.EventRecorded, **_PROBLEMS},
    summary="Tell what happened in a session",
    operation_id="worker_record_event",
)
async def record_event(request: HttpRequest, payload: schemas.EventAsked) -> schemas.EventRecorded:
    """It stands on the session's time axis, once for each `event_id`."""
    return await operations.record_event(payload)


remote_workers = NinjaAPI(
    title="Switchboard for remote workers",
    version="1",
    urls_namespace="remote-workers",
    auth=undeclared,
    openapi_url=None,
    docs_url=None,
)
remote_workers.add_router("", router)
refuse_with(remote_workers, problem_response)
