"""A worker elsewhere, and the room it works in."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.test import Client
from django.utils import timezone
from pydantic.alias_generators import to_camel

from conversations.models import Conversation
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tests.factories import AgentFactory, ChunkFactory, CollectionFactory, ConversationFactory, DocumentFactory
from voice_worker.directory.models import Room
from voice_worker.models import Meeting, VoiceSession

COST = {
    "service": "stt",
    "provider": "deepgram",
    "model": "nova-3",
    "cost_usd": "0.0125",
    "quantity": 12.5,
    "unit": "second",
}
# What each operation needs besides a room.
NEEDED: dict[str, dict[str, Any]] = {
    "tenant": {},
    "cost": {**COST, "idempotency_key": "k"},
    "search": {"query": "When is breakfast?"},
    "flag": {"flag": "premium_voice"},
    "personality": {},
    "event": {"event_id": "e", "name": "greeted"},
}


@dataclass(frozen=True)
class Answered:
    """What came back, by whichever door: names are ours."""

    status: int
    data: Any
    code: str = ""


@dataclass(frozen=True)
class Scene:
    """A tenant's room and what goes on in it."""

    tenant: Tenant
    room: str
    meeting: Meeting
    session: VoiceSession
    conversation: Conversation
    collection: Any


def make_scene(tenant: Tenant, said: str = "Breakfast is served from 7 to 11.", **release: Any) -> Scene:
    room = f"room-{uuid.uuid4().hex}"
    with use_tenant(tenant):
        collection = CollectionFactory.create(slug=f"house-{uuid.uuid4().hex[:6]}")
        document = DocumentFactory.create(collection=collection, title="House")
        ChunkFactory.create(document=document, text=said)
        agent = AgentFactory.create(
            live__collection_ids=[collection.pk], **{f"live__{name}": value for name, value in release.items()}
        )
        conversation = ConversationFactory.create(agent=agent, release_id=agent.live_release_id)
        until = timezone.now() + dt.timedelta(hours=1)
        meeting = Meeting.objects.create(conversation=conversation, room=room, status="live", joinable_until=until)
        session = VoiceSession.objects.create(
            conversation=conversation, meeting=meeting, release_id=agent.live_release_id, channel="room"
        )
    with use_public():
        Room.objects.create(name=room, tenant=tenant, meeting_id=meeting.pk)
    return Scene(tenant, room, meeting, session, conversation, collection)


# Each operation: its procedure, its method and path over REST.
OPERATIONS = {
    "tenant": ("livekit.getTenantByRoom", "GET", "/api/v1/worker/tenant"),
    "cost": ("usage.trackCost", "POST", "/api/v1/worker/costs"),
    "search": ("knowledge.search", "GET", "/api/v1/worker/knowledge/search"),
    "flag": ("featureFlags.isEnabled", "GET", "/api/v1/worker/flags/evaluate"),
    "personality": ("ai.getPersonality", "GET", "/api/v1/worker/personality"),
    "event": ("analytics.recordEvent", "POST", "/api/v1/worker/events"),
}
_BY_QUERY = {"tenant", "personality"}


class RemoteWorker:
    """Asks with a key, on a host that is nobody's: `worker.rest("tenant", room=…)`, `worker.trpc(…)` likewise."""

    def __init__(self, key: str = "", host: str = "10.1.2.3") -> None:
        headers = {"HTTP_AUTHORIZATION": f"Bearer {key}"} if key else {}
        self.http = Client(HTTP_HOST=host, **headers)

    def rest(self, operation: str, **asked: Any) -> Answered:
        path = OPERATIONS[operation][2]
        if operation in _BY_QUERY:
            response: Any = self.http.get(path, asked)
        else:
            response = self.http.post(path, json.dumps(asked), content_type="application/json")
        body = response.json()
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
            return Answered(response.status_code, body, body["code"])
        if operation == "search":
            body = body["passages"]
        return Answered(response.status_code, body)

    def trpc(self, operation: str, **asked: Any) -> Answered:
        procedure, method, _ = OPERATIONS[operation]
        sent = json.dumps({"json": _theirs(asked)})
        if method == "GET":
            response: Any = self.http.get(f"/trpc/{procedure}?input={quote(sent)}")
        else:
            response = self.http.post(f"/trpc/{procedure}", sent, content_type="application/json")
        body = response.json()
        assert response["Content-Type"] == "application/json"
        if response.status_code >= 400:
            error = body["error"]
            assert error["data"]["httpStatus"] == response.status_code
            assert error["data"]["path"] == procedure
            status = 422 if error["data"].get("errors") else response.status_code  # tRPC calls both a bad request
            return Answered(status, body, error["data"]["problem"])
        assert set(body) == {"result"}
        assert set(body["result"]) == {"data"}
        return Answered(response.status_code, _ours(body["result"]["data"]))


def _theirs(asked: dict[str, Any]) -> dict[str, Any]:
    return {to_camel(name): _theirs(value) if name == "context" else value for name, value in asked.items()}


def _ours(data: Any) -> Any:
    if isinstance(data, list):
        return [_ours(one) for one in data]
    return {_snake(name): value for name, value in data.items()}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
