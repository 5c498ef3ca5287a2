"""Conversations, messages, turns and their events over HTTP. Thin: the rules are in `conversations.domain`."""

from __future__ import annotations

import functools
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from ninja import Header, Query, Router, Status

from agents.models import Agent
from conversations import models, queries, runner
from conversations.answers import events_of
from conversations.api import schemas
from conversations.api.callers import asks, still_admitted
from conversations.api.sse import event_stream, last_seen, wants_stream
from conversations.domain.conversations import begin_conversation
from conversations.events.record import Record
from conversations.events.stream import follow, until_upgraded, while_admitted
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem
from switchboard.kernel.text import check_text
from tenants.api.authentication import token_of
from tenants.permissions import Permission, allows, require
from tenants.tokens.entries import TokenEntry

router = Router()

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")
]
Before = Annotated[uuid.UUID | None, Query(description="Only messages before this one.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Most messages.")]
After = Annotated[int | None, Query(ge=0, le=10**15, description="Only events after this number.")]
_PROBLEMS = dict.fromkeys((401, 404, 409, 413, 422, 429), schemas.Problem)


def _url(conversation_id: uuid.UUID) -> str:
    return f"/api/v1/conversations/{conversation_id}"


def _conversation(row: models.Conversation) -> schemas.Conversation:
    return schemas.Conversation(
        id=row.id,
        agent=row.agent_id,
        release=row.release_id,
        contact=row.contact,
        channel=row.channel,
        title=row.title,
        created_at=row.created_at,
        last_event=row.last_event,
        events=f"{_url(row.id)}/events",
    )


@router.post(
    "",
    auth=asks(Permission.CONVERSATIONS_WRITE, of_some=True),
    response={201: schemas.Conversation, **_PROBLEMS},
    summary="Begin a conversation",
)
async def begin(
    request: HttpRequest,
    payload: schemas.NewConversation,
    response: HttpResponse,
    idempotency_key: IdempotencyKey = None,
) -> Status[schemas.Conversation]:
    """With an agent that has a live release, or with any release of it for whoever may read agents."""

    token = token_of(request)
    if token is not None:
        payload = _as_contact(payload, token)

    def write() -> models.Conversation:
        caller, asked = request.auth, Permission.CONVERSATIONS_WRITE  # type: ignore[attr-defined]
        if payload.release is not None or not allows(caller, asked):
            agent = Agent.objects.filter(pk=payload.agent).first()
            require(caller, asked, on=agent)
            if payload.release is not None:
                require(caller, Permission.AGENTS_READ, on=agent)
        return begin_conversation(
            agent_id=payload.agent,
            channel=payload.channel,
            contact=payload.contact,
            contact_attributes=payload.contact_attributes,
            release_id=payload.release,
            idempotency_key=idempotency_key,
        )

    row = await in_database(write)
    response["Location"] = _url(row.id)
    return Status(201, _conversation(row))


def _as_contact(payload: schemas.NewConversation, token: TokenEntry) -> schemas.NewConversation:
    """What a contact may ask for themselves: who they are and what is known of them, others say."""
    if token.agent not in {None, payload.agent}:
        raise Problem("forbidden", "This token is for another agent.", status=403)
    if payload.contact not in {"", token.contact}:
        raise Problem("forbidden", "This token is another contact's.", status=403)
    if payload.channel != "api" or payload.contact_attributes:
        raise Problem("forbidden", "A token's holder says neither channel nor attributes.", status=403)
    return payload.model_copy(update={"contact": token.contact})


@router.get(
    "/{conversation_id}",
    auth=asks(Permission.CONVERSATIONS_READ),
    response={200: schemas.Conversation, **_PROBLEMS},
    summary="A conversation",
)
async def retrieve(request: HttpRequest, conversation_id: uuid.UUID) -> schemas.Conversation:
    return _conversation(await in_database(queries.conversation, conversation_id))


@router.get(
    "/{conversation_id}/messages",
    auth=asks(Permission.CONVERSATIONS_READ),
    response={200: schemas.Thread, **_PROBLEMS},
    summary="What was said",
)
async def thread(
    request: HttpRequest, conversation_id: uuid.UUID, before: Before = None, limit: Limit = 200
) -> schemas.Thread:
    """The last messages, oldest first, where earlier ones are, and the turns that are still open."""

    def load() -> schemas.Thread:
        row = queries.conversation(conversation_id)
        # One more than is shown tells whether there are earlier ones.
        found = queries.latest_messages(row.id, before=before, limit=limit + 1)
        said = found[-limit:]
        earlier = f"{_url(row.id)}/messages?before={said[0].id}&limit={limit}" if len(found) > limit else None
        waiting = row.turns.filter(status__in=models.Turn.OPEN).order_by("id").values_list("id", flat=True)
        return schemas.Thread(messages=[_message(one) for one in said], earlier=earlier, open_turns=list(waiting))

    return await in_database(load)


def _message(row: models.Message) -> schemas.Message:
    return schemas.Message(
        id=row.id,
        turn=row.turn_id,
        role=row.role,
        text=row.text,
        citations=row.citations,
        created_at=row.created_at,
    )


@router.post(
    "/{conversation_id}/messages",
    auth=asks(Permission.CONVERSATIONS_WRITE),
    response={202: schemas.AcceptedMessage, **_PROBLEMS},
    summary="Say something",
    openapi_extra={
        "responses": {
            200: {
                "description": "With `Accept: text/event-stream`: the turn's events, up to and including `done`.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        }
    },
)
async def say(
    request: HttpRequest,
    conversation_id: uuid.UUID,
    payload: schemas.NewMessage,
    idempotency_key: IdempotencyKey = None,
) -> HttpResponseBase:
    """Accepted messages are answered whether or not anybody listens. With `Accept: text/event-stream` this response
    streams the turn's events; otherwise it is a 202, and the events come from `…/events`."""
    content = check_text(payload.content, field="content", max_bytes=settings.MESSAGE_LIMIT_BYTES)
    accepted = await runner.accept(conversation_id=conversation_id, content=content, idempotency_key=idempotency_key)
    location = f"{_url(conversation_id)}/turns/{accepted.turn_id}"
    if wants_stream(request):
        return event_stream(_heard(request, events_of(conversation_id, accepted)), location=location)
    if accepted.job is not None:
        runner.run(accepted.job)
    body = {
        "turn": str(accepted.turn_id),
        "message": str(accepted.message_id),
        "events": f"{_url(conversation_id)}/events?after={accepted.after}",
    }
    return JsonResponse(body, status=202, headers={"Location": location})


def _heard(request: HttpRequest, records: AsyncIterator[Record | None]) -> AsyncIterator[Record | None]:
    return while_admitted(records, functools.partial(still_admitted, request))


@router.get(
    "/{conversation_id}/events",
    auth=asks(Permission.CONVERSATIONS_READ),
    response=_PROBLEMS,
    summary="Follow a conversation",
    openapi_extra={
        "responses": {
            200: {
                "description": "Every event of the conversation, in order, live; resumes after `Last-Event-ID`",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        }
    },
)
async def events(request: HttpRequest, conversation_id: uuid.UUID, after: After = None) -> HttpResponseBase:
    """Past events first, then live ones; the stream stays open. Come back with `Last-Event-ID`: nothing is missed
    or repeated. It ends where a meeting begins, with an `upgraded` event; `meeting_ended` tells when that is over.
    """
    start = last_seen(request, after)
    row = await in_database(queries.conversation, conversation_id)
    records = until_upgraded(follow(conversation_id, after=start), seen=max(start, row.last_event))
    return event_stream(_heard(request, records))


@router.get(
    "/{conversation_id}/turns/{turn_id}",
    auth=asks(Permission.CONVERSATIONS_READ),
    response={200: schemas.Turn, **_PROBLEMS},
    summary="A turn",
)
async def turn(request: HttpRequest, conversation_id: uuid.UUID, turn_id: uuid.UUID) -> schemas.Turn:
    row = await in_database(queries.turn, conversation_id, turn_id)
    return schemas.Turn(
        id=row.id,
        status=row.status,
        release=row.release_id,
        error_code=row.error_code,
        first_event=row.first_event,
        last_event=row.last_event,
    )


@router.delete(
    "/{conversation_id}/turns/{turn_id}",
    auth=asks(Permission.CONVERSATIONS_WRITE),
    response={202: None, 204: None, **_PROBLEMS},
    summary="Stop a turn",
)
async def stop(request: HttpRequest, conversation_id: uuid.UUID, turn_id: uuid.UUID) -> Status[None]:
    """202 where it will stop (its `done` tells when); 204 where it was over already."""
    noted = await runner.cancel(conversation_id=conversation_id, turn_id=turn_id)
    return Status(202 if noted else 204, None)
