"""A release as the engine sees it: one frozen value, resolved once and kept, for a release never changes."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from agents.content.agent import ProfileContent
from agents.content.personality import PersonalityContent
from agents.content.prompt import render
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from agents.models import ModelEndpoint, Release
from agents.providers import OPENAI_COMPATIBLE, key_for
from switchboard.kernel.memory import Memory
from switchboard.kernel.redis import redis_client
from tenants.context import current_tenant, tenant_key

# How long a process that starts finds a release in Redis rather than in the database.
_SHARED_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is reached, and with whose key: the tenant's or the platform's."""

    name: str
    base_url: str
    api_key: str
    provider: str = OPENAI_COMPATIBLE


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A tool as a release pins it."""

    slug: str
    name: str
    version: int
    content: ToolContent


@dataclass(frozen=True, slots=True)
class SubAgent:
    """A domain agent that a supervisor may hand to, pinned to one of its releases."""

    release_id: uuid.UUID
    agent_id: uuid.UUID
    slug: str
    name: str
    profile: ProfileContent


@dataclass(frozen=True, slots=True)
class ResolvedRelease:
    """All that a turn needs to know of its agent."""

    id: uuid.UUID
    agent_id: uuid.UUID
    agent_slug: str
    agent_name: str
    profile: ProfileContent
    template: str
    variables: Mapping[str, str]
    personality: PersonalityContent | None
    runtime: RuntimeContent
    tools: tuple[BoundTool, ...]
    sub_agents: tuple[SubAgent, ...]
    collection_ids: tuple[uuid.UUID, ...]

    @property
    def is_local(self) -> bool:
        return not self.runtime.llm.endpoint

    def instructions(self, *, tenant_name: str, today: dt.date) -> str:
        """What its model is told: who it is, how it speaks, and the prompt with its variables filled in."""
        values = {
            **self.variables,
            "agent_name": self.agent_name,
            "tenant_name": tenant_name,
            "today": today.isoformat(),
        }
        prompt = render(self.template, values)
        return f"{self.personality.as_instructions()}\n\n{prompt}" if self.personality else prompt


async def resolve_async(release_id: uuid.UUID) -> ResolvedRelease:
    """The release with this id, of the tenant in force; one query the first time, none after.

    Raises:
        Release.DoesNotExist: there is none.
    """
    return await releases.find_async((current_tenant().schema_name, release_id))


def resolve(release_id: uuid.UUID) -> ResolvedRelease:
    """The same for a thread."""
    return releases.find((current_tenant().schema_name, release_id))


async def endpoint_async(name: str) -> Endpoint:
    """The endpoint with this name, of the tenant in force, as it was within the last few seconds.

    Raises:
        ModelEndpoint.DoesNotExist: there is none.
    """
    return await endpoints.find_async((current_tenant().schema_name, name))


def _release(name: tuple[str, uuid.UUID]) -> ResolvedRelease:
    release_id = name[1]
    place = tenant_key("release", release_id)
    snapshot = _shared(place)
    if snapshot is None:
        snapshot = Release.objects.values_list("snapshot", flat=True).get(pk=release_id)
        with contextlib.suppress(RedisError, OSError):
            redis_client().set(place, json.dumps(snapshot), ex=_SHARED_SECONDS)
    return from_snapshot(release_id, snapshot)


def _shared(place: str) -> Any:
    """A snapshot that another process has left in Redis."""
    with contextlib.suppress(RedisError, OSError, ValueError):
        text = redis_client().get(place)
        return json.loads(str(text)) if text else None
    return None


def from_snapshot(release_id: uuid.UUID, snapshot: Mapping[str, Any]) -> ResolvedRelease:
    """A release's stored snapshot as a typed value."""
    agent, personality, runtime = snapshot["agent"], snapshot["personality"], snapshot["runtime_config"]
    return ResolvedRelease(
        id=release_id,
        agent_id=uuid.UUID(agent["id"]),
        agent_slug=agent["slug"],
        agent_name=agent["name"],
        profile=ProfileContent.model_validate(snapshot["profile"]["content"]),
        template=snapshot["prompt"]["content"]["template"],
        variables=snapshot["variables"],
        personality=PersonalityContent.model_validate(personality["content"]) if personality else None,
        runtime=RuntimeContent.model_validate(runtime["content"]) if runtime else RuntimeContent(),
        tools=tuple(
            BoundTool(tool["slug"], tool["name"], tool["version"], ToolContent.model_validate(tool["content"]))
            for tool in snapshot["tools"]
        ),
        sub_agents=tuple(
            SubAgent(
                release_id=uuid.UUID(sub["release"]),
                agent_id=uuid.UUID(sub["agent"]["id"]),
                slug=sub["agent"]["slug"],
                name=sub["agent"]["name"],
                profile=ProfileContent.model_validate(sub["content"]),
            )
            for sub in snapshot["sub_agents"]
        ),
        collection_ids=tuple(uuid.UUID(collection["id"]) for collection in snapshot["collections"]),
    )


def _endpoint(name: tuple[str, str]) -> Endpoint:
    row = ModelEndpoint.objects.get(name=name[1])
    key = key_for(row.provider, row.base_url, row.api_key)
    return Endpoint(name=row.name, base_url=row.base_url, api_key=key, provider=row.provider)


# The schema is part of the name: ids of two tenants are no strangers to each other in one process.
releases: Memory[tuple[str, uuid.UUID], ResolvedRelease] = Memory(_release, seconds=math.inf, most=4096)
endpoints: Memory[tuple[str, str], Endpoint] = Memory(_endpoint, seconds=3.0, most=4096, outage_seconds=600.0)
