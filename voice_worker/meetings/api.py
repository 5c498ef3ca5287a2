"""Meetings over HTTP. Thin: the rules are in `voice_worker.domain.meetings`."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Annotated, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Status

from agents.models import Agent
from conversations.api.callers import asks
from conversations.api.schemas import Problem as ProblemSchema
from conversations.domain.conversations import begin_conversation
from conversations.models import Conversation
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.api.authentication import ContactCaller, token_of
from tenants.context import tenant_id, use_public
from tenants.models import Tenant
from tenants.permissions import Permission, allows, require
from tenants.staff.models import User
from voice_worker.domain.meetings import begin_meeting, end_meeting, extend
from voice_worker.domain.places import check_place
from voice_worker.meetings import livekit, queries, schemas
from voice_worker.meetings.access import conversation_for, meeting_for
from voice_worker.meetings.tokens import JoinToken, expiry, identity_of, join_token
from voice_worker.models import Meeting, Participant

router = Router()

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")
]
_PROBLEMS = dict.fromkeys((401, 403, 404, 409, 413, 422, 429, 503), ProblemSchema)
_READ, _WRITE = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE


def _url(meeting_id: uuid.UUID) -> str:
    return f"/api/v1/meetings/{meeting_id}"


@router.post(
    "",
    auth=asks(_WRITE, of_some=True),
    response={200: schemas.Joining, 201: schemas.Joining, **_PROBLEMS},
    summary="Begin a meeting",
)
async def begin(
    request: HttpRequest,
    payload: schemas.NewMeeting,
    response: HttpResponse,
    idempotency_key: IdempotencyKey = None,
) -> Status[schemas.Joining]:
    """A conversation goes on by voice, or begins so. Its agent comes when the first person does. 200 with a new token
    where the conversation has a meeting under way; 429 `too_many_voice_sessions` where the company has as many voice
    conversations as it may. Open event streams of the conversation end with an `upgraded` event.
    """
    livekit.check_configured()
    await in_database(_check_begin, request, payload)
    # Asked first: where LiveKit is away there is no meeting that nobody could come to.
    there = await livekit.rooms_there(*await in_database(_rooms_under_way, payload))

    def write() -> tuple[Meeting, bool, JoinToken]:
        with transaction.atomic():
            conversation = _conversation(request, payload, idempotency_key)
            _end_what_is_over(conversation.pk, there)
            expires_at = expiry(payload.ttl)
            begun = begin_meeting(
                conversation_id=conversation.pk,
                joinable_until=expires_at,
                consents_to_recording=payload.consents_to_recording,
                idempotency_key=idempotency_key,
            )
            if begun.is_new:
                check_place()
        kind = _kind(request, None, conversation)
        return begun.meeting, begun.is_new, _token(request, begun.meeting, kind, payload.display_name, expires_at)

    meeting, is_new, token = await in_database(write)
    response["Location"] = _url(meeting.pk)
    return Status(201 if is_new or idempotency_key else 200, _joining(meeting, token))


def _check_begin(request: HttpRequest, payload: schemas.NewMeeting) -> None:
    """What can be refused before LiveKit is asked."""
    if (payload.conversation is None) == (payload.agent is None):
        raise Invalid("invalid", "Name a conversation or an agent, one of both.", field="conversation")
    if payload.conversation is not None:
        if payload.contact:
            raise Invalid("invalid", "A conversation's contact stays who they are.", field="contact")
        conversation_for(request, payload.conversation, _WRITE)
        return
    caller = request.auth  # type: ignore[attr-defined]
    token = token_of(request)
    if token is not None:
        if token.agent not in {None, payload.agent}:
            raise Problem("forbidden", "This token is for another agent.", status=403)
        if payload.contact not in {"", token.contact}:
            raise Problem("forbidden", "This token is another contact's.", status=403)
    elif payload.agent is not None and not allows(caller, _WRITE):
        require(caller, _WRITE, on=Agent.objects.filter(pk=payload.agent).first())


def _rooms_under_way(payload: schemas.NewMeeting) -> list[str]:
    under_way = queries.open_meeting(payload.conversation) if payload.conversation is not None else None
    return [under_way.room] if under_way is not None and under_way.status == Meeting.Status.LIVE else []


def _end_what_is_over(conversation_id: uuid.UUID, there: frozenset[str]) -> None:
    """A meeting whose room has ended, although nobody told us."""
    under_way = queries.open_meeting(conversation_id)
    if under_way is not None and under_way.status == Meeting.Status.LIVE and under_way.room not in there:
        end_meeting(meeting_id=under_way.pk)


def _conversation(request: HttpRequest, payload: schemas.NewMeeting, idempotency_key: str | None) -> Conversation:
    if payload.conversation is not None:
        return conversation_for(request, payload.conversation, _WRITE)
    assert payload.agent is not None
    token = token_of(request)
    # Not the key as it is: it may have begun a conversation in writing.
    key = f"meeting:{hashlib.sha256(idempotency_key.encode()).hexdigest()}" if idempotency_key else None
    return begin_conversation(
        agent_id=payload.agent,
        channel=Conversation.Channel.ROOM,
        contact=token.contact if token is not None else payload.contact,
        idempotency_key=key,
    )


def _kind(request: HttpRequest, wanted: schemas.Kind | None, conversation: Conversation) -> str:
    """Who a token is for. A contact comes as themselves; on the Playground, staff play the contact."""
    caller = request.auth  # type: ignore[attr-defined]
    if isinstance(caller, ContactCaller):
        if wanted not in {None, Participant.Kind.CONTACT}:
            raise Problem("forbidden", "A token's holder comes as the contact that they are.", status=403)
        return Participant.Kind.CONTACT
    if wanted is not None:
        return wanted
    if isinstance(caller, User) and conversation.channel != Conversation.Channel.PLAYGROUND:
        return Participant.Kind.STAFF
    return Participant.Kind.CONTACT


def _token(request: HttpRequest, meeting: Meeting, kind: str, name: str, expires_at: dt.datetime) -> JoinToken:
    caller = request.auth  # type: ignore[attr-defined]
    member = caller if isinstance(caller, User) and kind == Participant.Kind.STAFF else None
    contact = meeting.conversation.contact
    if member is not None:
        known_as = member.get_full_name() or member.get_username()
    else:
        known_as = (contact or "You") if kind == Participant.Kind.CONTACT else kind.capitalize()
    owner = tenant_id()
    with use_public():
        slug = Tenant.objects.values_list("slug", flat=True).get(pk=owner)
    return join_token(
        meeting=meeting,
        tenant=slug,
        identity=identity_of(kind, meeting, member.pk if member is not None else None),
        name=name.strip() or known_as,
        contact=contact,
        expires_at=expires_at,
    )


def _joining(meeting: Meeting, token: JoinToken) -> schemas.Joining:
    return schemas.Joining(
        id=meeting.pk,
        conversation=meeting.conversation_id,
        room=meeting.room,
        url=livekit.client_url(),
        token=token.token,
        identity=token.identity,
        expires_at=token.expires_at,
        page=f"/meet/{meeting.pk}",
    )


@router.post(
    "/{meeting_id}/tokens",
    auth=asks(_WRITE, of_some=True),
    response={201: schemas.Joining, **_PROBLEMS},
    summary="Let somebody into a meeting",
)
async def add_token(request: HttpRequest, meeting_id: uuid.UUID, payload: schemas.NewToken) -> Status[schemas.Joining]:
    """A token for another person, or a new one for somebody whose token has ended before they came in."""
    livekit.check_configured()

    def write() -> tuple[Meeting, JoinToken]:
        meeting = meeting_for(request, meeting_id, _WRITE)
        kind = _kind(request, payload.kind, meeting.conversation)
        if not meeting.is_open:
            raise Conflict("meeting_ended", "The meeting is over.")
        expires_at = expiry(payload.ttl)
        extend(meeting=meeting, joinable_until=expires_at)
        return meeting, _token(request, meeting, kind, payload.display_name, expires_at)

    return Status(201, _joining(*await in_database(write)))


@router.get("", auth=asks(_READ), response={200: schemas.Meetings, **_PROBLEMS}, summary="Meetings")
async def index(
    request: HttpRequest,
    conversation: uuid.UUID | None = None,
    status: Literal["planned", "live", "ended"] | None = None,
    before: Annotated[uuid.UUID | None, Query(description="Only meetings before this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> schemas.Meetings:
    """Newest first. A contact sees their own."""
    token = token_of(request)

    def load() -> schemas.Meetings:
        rows = queries.meetings(
            conversation_id=conversation, status=status, contact=token.contact if token is not None else None
        )
        if token is not None and token.agent is not None:
            rows = rows.filter(conversation__agent=token.agent)
        found = list((rows.filter(pk__lt=before) if before is not None else rows)[: limit + 1])
        more = ""
        if len(found) > limit:
            asked = {"conversation": conversation, "status": status, "limit": limit, "before": found[limit - 1].pk}
            words = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
            more = f"/api/v1/meetings?{words}"
        return schemas.Meetings(results=[_meeting(row) for row in found[:limit]], next=more or None)

    return await in_database(load)


@router.get(
    "/{meeting_id}",
    auth=asks(_READ, of_some=True),
    response={200: schemas.MeetingDetail, **_PROBLEMS},
    summary="A meeting",
)
async def retrieve(request: HttpRequest, meeting_id: uuid.UUID) -> schemas.MeetingDetail:
    """Who was there, the agent's sessions, and what was said when."""

    def load() -> schemas.MeetingDetail:
        row = meeting_for(request, meeting_id, _READ)
        return schemas.MeetingDetail(
            **_meeting(row).model_dump(),
            agent=queries.agent_of(row),
            participants=[schemas.Participant.from_orm(one) for one in row.participants.all()],
            sessions=[schemas.Session.from_orm(one) for one in row.sessions.order_by("id")],
            transcript=[schemas.Line.from_orm(line) for line in queries.transcript(row.pk)],
        )

    return await in_database(load)


@router.get(
    "/{meeting_id}/participants",
    auth=asks(_READ, of_some=True),
    response={200: schemas.Participants, **_PROBLEMS},
    summary="Who is, and was, in a meeting",
)
async def participants(request: HttpRequest, meeting_id: uuid.UUID) -> schemas.Participants:
    def load() -> schemas.Participants:
        row = meeting_for(request, meeting_id, _READ)
        return schemas.Participants(results=[schemas.Participant.from_orm(one) for one in row.participants.all()])

    return await in_database(load)


@router.post(
    "/{meeting_id}/end",
    auth=asks(_WRITE, of_some=True),
    response={200: schemas.Meeting, **_PROBLEMS},
    summary="End a meeting",
)
async def end(request: HttpRequest, meeting_id: uuid.UUID) -> schemas.Meeting:
    """For everybody. One that is over stays so."""
    livekit.check_configured()
    row = await in_database(meeting_for, request, meeting_id, _WRITE)
    if row.is_open:
        await livekit.delete_room(row.room)

    def write() -> schemas.Meeting:
        end_meeting(meeting_id=meeting_id)
        return _meeting(Meeting.objects.get(pk=meeting_id))

    return await in_database(write)


def _meeting(row: Meeting) -> schemas.Meeting:
    return schemas.Meeting(
        id=row.pk,
        conversation=row.conversation_id,
        room=row.room,
        status=row.status,
        consents_to_recording=row.consents_to_recording,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
